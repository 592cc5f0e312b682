/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ELF files. Each PT_LOAD segment goes to its
 * physical address; what memory has more than the file is zeroed.
 */

#include "arch/bits.h"
#include "vm/image/elf.h"
#include "vm/image/image_format.h"
#include "vm/vm.h"

static bool is_loaded(const struct elf_segment *segment)
{
    return segment->p_type == PT_LOAD && segment->p_memsz != 0;
}

/*
 * The entry point is a virtual address where the segments are linked at such: then the same
 * place in the segment's physical memory.
 */
static void place_entry(const struct elf *elf, const struct elf_segment *segment,
                        struct image_place *place)
{
    uint64_t offset = elf->entry - segment->p_vaddr;

    if (offset < segment->p_memsz)
        place->entry = gpa(segment->p_paddr + offset);
}

static status_t place_segments(const struct vm_config *config, const struct elf *elf,
                               struct image_place *out)
{
    for (unsigned i = 0; i < elf->segments; i++) {
        struct elf_segment segment;
        const char *why;
        status_t status;

        elf_read_segment(elf, i, &segment);
        if (!is_loaded(&segment))
            continue;
        why = elf_check_segment(elf, &segment);
        if (why != NULL)
            return image_reject(config, "kernel", why);
        status = image_check_fit(config, "kernel", segment.p_paddr, segment.p_memsz);
        if (status != OK)
            return status;
        out->base = gpa(MIN(out->base.raw, segment.p_paddr));
        out->end = gpa(MAX(out->end.raw, segment.p_paddr + segment.p_memsz));
        place_entry(elf, &segment, out);
    }
    return OK;
}

status_t image_elf_place(const struct vm_config *config, struct image_place *out)
{
    struct elf elf;
    const char *why = elf_open(&elf, &config->kernel);
    status_t status;

    if (why == NULL && config->has_load)
        why = "an ELF file says itself where it is loaded: leave out 'load'";
    if (why != NULL)
        return image_reject(config, "kernel", why);
    *out = (struct image_place){ gpa(UINT64_MAX), gpa(0), gpa(elf.entry), 0 };
    status = place_segments(config, &elf, out);
    if (status == OK && out->end.raw == 0)
        return image_reject(config, "kernel", "ELF file: no PT_LOAD segment, nothing to load");
    return status;
}

status_t image_elf_load(struct vm *vm, const struct image_place *place)
{
    const struct blob *kernel = &vm->config.kernel;
    struct elf elf;
    status_t status = OK;

    (void)place; /* each segment knows its own */
    if (elf_open(&elf, kernel) != NULL)
        return ERR_INVALID_ARGS;
    for (unsigned i = 0; i < elf.segments && status == OK; i++) {
        struct elf_segment segment;
        struct blob bytes;

        elf_read_segment(&elf, i, &segment);
        if (!is_loaded(&segment))
            continue;
        bytes.data = (const uint8_t *)kernel->data + segment.p_offset;
        bytes.bytes = segment.p_filesz;
        status = vm_image_load_region(vm, gpa(segment.p_paddr), &bytes, segment.p_memsz);
    }
    return status;
}
