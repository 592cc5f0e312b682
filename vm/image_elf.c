/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ELF64 for AArch64 (System V ABI, chapters 4 and 5). Each PT_LOAD segment goes to its
 * physical address; what memory has more than the file is zeroed.
 */

#include "arch/bits.h"
#include "kernel/lib/string.h"
#include "vm/image_format.h"
#include "vm/vm.h"

#define ELF_MAGIC 0x464c457fu
#define ELFCLASS64 2
#define ELFDATA2LSB 1
#define EM_AARCH64 183
#define PT_LOAD 1
#define MAX_SEGMENTS 64

struct elf_header {
    uint32_t magic;
    uint8_t ei_class, ei_data, ei_version, ei_rest[9];
    uint16_t e_type, e_machine;
    uint32_t e_version;
    uint64_t e_entry, e_phoff, e_shoff;
    uint32_t e_flags;
    uint16_t e_ehsize, e_phentsize, e_phnum, e_shentsize, e_shnum, e_shstrndx;
};

struct elf_segment {
    uint32_t p_type, p_flags;
    uint64_t p_offset, p_vaddr, p_paddr, p_filesz, p_memsz, p_align;
};

_Static_assert(sizeof(struct elf_header) == 64, "as in the ABI");
_Static_assert(sizeof(struct elf_segment) == 56, "as in the ABI");

static bool elf_matches(const struct blob *kernel)
{
    uint32_t magic;

    if (kernel->bytes < sizeof(magic))
        return false;
    memcpy(&magic, kernel->data, sizeof(magic));
    return magic == ELF_MAGIC;
}

/* NULL, or what is wrong. */
static const char *read_header(const struct blob *kernel, struct elf_header *out)
{
    if (!elf_matches(kernel) || kernel->bytes < sizeof(*out))
        return "not an ELF file, or too short for its header";
    memcpy(out, kernel->data, sizeof(*out));
    if (out->ei_class != ELFCLASS64 || out->ei_data != ELFDATA2LSB)
        return "ELF header: not a little-endian ELF64 file";
    if (out->e_machine != EM_AARCH64)
        return "ELF header: e_machine is not AArch64";
    if (out->e_phentsize != sizeof(struct elf_segment) || out->e_phnum > MAX_SEGMENTS)
        return "ELF header: e_phentsize or e_phnum makes no sense";
    if (out->e_phoff > kernel->bytes ||
        out->e_phnum * sizeof(struct elf_segment) > kernel->bytes - out->e_phoff)
        return "ELF header: e_phoff, the program headers are outside the file";
    return NULL;
}

/* Segment `number`; false: nothing of it is loaded. */
static bool read_segment(const struct blob *kernel, const struct elf_header *header,
                         unsigned number, struct elf_segment *out)
{
    const uint8_t *table = (const uint8_t *)kernel->data + header->e_phoff;

    memcpy(out, table + number * sizeof(*out), sizeof(*out));
    return out->p_type == PT_LOAD && out->p_memsz != 0;
}

static const char *check_segment(const struct blob *kernel, const struct elf_segment *segment)
{
    if (segment->p_filesz > segment->p_memsz)
        return "ELF segment: p_filesz is larger than p_memsz";
    if (segment->p_offset > kernel->bytes || segment->p_filesz > kernel->bytes - segment->p_offset)
        return "ELF segment: p_offset and p_filesz reach outside the file";
    return NULL;
}

/*
 * The entry point is a virtual address where the segments are linked at such: then the same
 * place in the segment's physical memory.
 */
static void place_entry(const struct elf_header *header, const struct elf_segment *segment,
                        struct image_place *place)
{
    uint64_t offset = header->e_entry - segment->p_vaddr;

    if (offset < segment->p_memsz)
        place->entry = gpa(segment->p_paddr + offset);
}

static status_t elf_place(const struct vm_config *config, struct image_place *out)
{
    const struct blob *kernel = &config->kernel;
    struct elf_header header;
    struct elf_segment segment;
    const char *why = read_header(kernel, &header);

    if (why == NULL && config->has_load)
        why = "an ELF file says itself where it is loaded: leave out 'load'";
    if (why != NULL)
        return image_reject(config, "kernel", why);
    *out = (struct image_place){ gpa(UINT64_MAX), gpa(0), gpa(header.e_entry) };
    for (unsigned i = 0; i < header.e_phnum; i++) {
        status_t status;

        if (!read_segment(kernel, &header, i, &segment))
            continue;
        why = check_segment(kernel, &segment);
        if (why != NULL)
            return image_reject(config, "kernel", why);
        status = image_check_fit(config, "kernel", segment.p_paddr, segment.p_memsz);
        if (status != OK)
            return status;
        out->base = gpa(MIN(out->base.raw, segment.p_paddr));
        out->end = gpa(MAX(out->end.raw, segment.p_paddr + segment.p_memsz));
        place_entry(&header, &segment, out);
    }
    if (out->end.raw == 0)
        return image_reject(config, "kernel", "ELF file: no PT_LOAD segment, nothing to load");
    return OK;
}

static status_t elf_load(struct vm *vm, const struct image_place *place)
{
    const struct blob *kernel = &vm->config.kernel;
    struct elf_header header;
    struct elf_segment segment;

    (void)place; /* each segment knows its own */
    memcpy(&header, kernel->data, sizeof(header));
    for (unsigned i = 0; i < header.e_phnum; i++) {
        struct blob bytes;
        status_t status;

        if (!read_segment(kernel, &header, i, &segment))
            continue;
        bytes.data = (const uint8_t *)kernel->data + segment.p_offset;
        bytes.bytes = segment.p_filesz;
        status = vm_image_load_region(vm, gpa(segment.p_paddr), &bytes, segment.p_memsz);
        if (status != OK)
            return status;
    }
    return OK;
}

const struct image_format image_elf = {
    .matches = elf_matches,
    .place = elf_place,
    .load = elf_load,
};
