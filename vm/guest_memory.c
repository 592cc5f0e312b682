/* SPDX-License-Identifier: BSD-2-Clause */
/* Guest memory for callers outside of the VM's own exits. The pin keeps the VM from going. */

#include "vm/lifecycle.h"
#include "vm/vm.h"

status_t vm_read_guest(struct vm *vm, gpa_t from, void *to, size_t bytes)
{
    status_t status = vm_pin(vm);

    if (status != OK)
        return status;
    status = aspace_read(&vm->space, from, to, bytes);
    vm_unpin(vm);
    return status;
}

status_t vm_write_guest(struct vm *vm, gpa_t to, const void *from, size_t bytes)
{
    status_t status = vm_pin(vm);

    if (status != OK)
        return status;
    status = aspace_write(&vm->space, to, from, bytes);
    vm_unpin(vm);
    return status;
}

static status_t fill_guest(struct vm *vm, gpa_t to, uint8_t byte, size_t bytes)
{
    status_t status = vm_pin(vm);

    if (status != OK)
        return status;
    status = aspace_fill(&vm->space, to, byte, bytes);
    vm_unpin(vm);
    return status;
}

status_t vm_read_guest_u32(struct vm *vm, gpa_t from, uint32_t *out)
{
    return IS_ALIGNED(from.raw, sizeof(*out)) ? vm_read_guest(vm, from, out, sizeof(*out))
                                              : ERR_INVALID_ARGS;
}

status_t vm_read_guest_u64(struct vm *vm, gpa_t from, uint64_t *out)
{
    return IS_ALIGNED(from.raw, sizeof(*out)) ? vm_read_guest(vm, from, out, sizeof(*out))
                                              : ERR_INVALID_ARGS;
}

status_t vm_write_guest_u32(struct vm *vm, gpa_t to, uint32_t value)
{
    return IS_ALIGNED(to.raw, sizeof(value)) ? vm_write_guest(vm, to, &value, sizeof(value))
                                             : ERR_INVALID_ARGS;
}

status_t vm_write_guest_u64(struct vm *vm, gpa_t to, uint64_t value)
{
    return IS_ALIGNED(to.raw, sizeof(value)) ? vm_write_guest(vm, to, &value, sizeof(value))
                                             : ERR_INVALID_ARGS;
}

status_t vm_image_load_region(struct vm *vm, gpa_t to, const struct blob *image, size_t span)
{
    status_t status;

    if (image->bytes > span)
        return ERR_INVALID_ARGS;
    /* Zeroes first: they cost nothing as long as nothing is committed there. */
    status = fill_guest(vm, gpa_add(to, image->bytes), 0, span - image->bytes);
    if (status == OK)
        status = vm_write_guest(vm, to, image->data, image->bytes);
    return status;
}
