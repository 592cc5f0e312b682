/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The flash of machine virt: bank 0 holds the firmware, bank 1 its variables. Of each only
 * what is needed has memory behind it.
 *
 *     bank   |  memory (ROM region)  |  rest of the bank (model alone)  |
 *
 * The memory is owned by a device without registers, attached before the banks, so that it
 * goes after them when the VM is unmade.
 */

#include "vm/machine/virt_flash.h"

#include "arch/bits.h"
#include "kernel/log.h"
#include "kernel/pmm.h"
#include "vm/devices/flash.h"
#include "vm/machine/machine_virt.h"
#include "vm/vm.h"

#define BANKS 2
#define VARIABLES_BYTES ((uint64_t)1 << 20)

struct bank {
    vmo_t memory; /* size 0: not there */
    struct aspace *space;
    gpa_t base;
};

struct virt_flash {
    struct vdev dev;
    struct bank banks[BANKS];
};

static void virt_flash_destroy(struct vdev *dev)
{
    struct virt_flash *flash = container_of(dev, struct virt_flash, dev);

    for (unsigned i = 0; i < BANKS; i++)
        if (flash->banks[i].memory.size != 0)
            vmo_destroy(&flash->banks[i].memory);
    pmm_free_wired(flash);
}

static const struct vdev_ops virt_flash_ops = {
    .name = "flash-memory",
    .destroy = virt_flash_destroy,
};

static void trap_reads(void *context, bool trap)
{
    const struct bank *bank = context;

    aspace_rom_trap_reads(bank->space, bank->base, trap);
}

/* The two ranges of a bank, in the order of enum flash_range. */
static status_t attach(struct vm *vm, struct bank *bank, struct vdev *dev)
{
    const struct region memory = {
        .base = bank->base,
        .size = bank->memory.size,
        .kind = REGION_ROM,
        .prot = PT_READ | PT_EXEC,
        .vmo = &bank->memory,
        .dev = dev,
        .dev_range = FLASH_RANGE_MEMORY,
    };
    status_t status = vm_map_region(vm, &memory);

    dev->next = vm->devices;
    vm->devices = dev;
    if (status != OK || bank->memory.size == FLASH_BANK_BYTES)
        return status;
    return vm_attach_device(vm, dev, gpa_add(bank->base, bank->memory.size),
                            FLASH_BANK_BYTES - bank->memory.size);
}

static status_t add_bank(struct vm *vm, struct bank *bank, gpa_t base, uint64_t backed)
{
    const struct flash_reads reads = { .context = bank, .trap = trap_reads };
    struct vdev *dev;
    status_t status = vmo_init(&bank->memory, backed);

    if (status != OK) {
        bank->memory.size = 0;
        return status;
    }
    bank->space = &vm->space;
    bank->base = base;
    status = flash_create(&dev, &bank->memory, FLASH_BANK_BYTES, &reads);
    return status == OK ? attach(vm, bank, dev) : status;
}

status_t virt_flash_add(struct vm *vm)
{
    uint64_t firmware = ALIGN_UP((uint64_t)vm->config.firmware.bytes, FLASH_SECTOR_BYTES);
    struct virt_flash *flash;
    status_t status;

    if (firmware > FLASH_BANK_BYTES) {
        log_error("%s: firmware: larger than the flash (64 MiB)", vm->config.name);
        return ERR_INVALID_ARGS;
    }
    flash = pmm_alloc_wired(sizeof(*flash));
    if (flash == NULL)
        return ERR_NO_MEMORY;
    flash->dev.ops = &virt_flash_ops;
    flash->dev.next = vm->devices;
    vm->devices = &flash->dev;
    status = add_bank(vm, &flash->banks[0], gpa(virt_map[VIRT_FLASH0].base), firmware);
    if (status == OK)
        status = add_bank(vm, &flash->banks[1], gpa(virt_map[VIRT_FLASH1].base), VARIABLES_BYTES);
    return status;
}
