/* SPDX-License-Identifier: BSD-2-Clause */
/* ELF headers of both sizes. */

#include "vm/image/elf.h"

#include "arch/bits.h"
#include "kernel/lib/string.h"

#define ELF_MAGIC 0x464c457fu
#define ELFDATA2LSB 1
#define MAX_SEGMENTS 64

enum elf_class { ELFCLASS32 = 1, ELFCLASS64 = 2 };

/* What both sizes start with. */
struct ident {
    uint32_t magic;
    uint8_t ei_class, ei_data, ei_version, ei_rest[9];
    uint16_t e_type, e_machine;
    uint32_t e_version;
};

struct header32 {
    struct ident ident;
    uint32_t e_entry, e_phoff, e_shoff, e_flags;
    uint16_t e_ehsize, e_phentsize, e_phnum, e_shentsize, e_shnum, e_shstrndx;
};

struct header64 {
    struct ident ident;
    uint64_t e_entry, e_phoff, e_shoff;
    uint32_t e_flags;
    uint16_t e_ehsize, e_phentsize, e_phnum, e_shentsize, e_shnum, e_shstrndx;
};

struct segment32 {
    uint32_t p_type, p_offset, p_vaddr, p_paddr, p_filesz, p_memsz, p_flags, p_align;
};

struct segment64 {
    uint32_t p_type, p_flags;
    uint64_t p_offset, p_vaddr, p_paddr, p_filesz, p_memsz, p_align;
};

_Static_assert(sizeof(struct header32) == 52 && sizeof(struct header64) == 64, "as in the ABI");
_Static_assert(sizeof(struct segment32) == 32 && sizeof(struct segment64) == 56, "as in the ABI");

bool elf_matches(const struct blob *file)
{
    uint32_t magic;

    if (file->bytes < sizeof(magic))
        return false;
    memcpy(&magic, file->data, sizeof(magic));
    return magic == ELF_MAGIC;
}

/* The header, with 32 bits made 64. */
static bool read_header(const struct blob *file, struct header64 *out)
{
    struct header32 narrow;

    if (!elf_matches(file) || file->bytes < sizeof(narrow))
        return false;
    memcpy(&narrow, file->data, sizeof(narrow));
    if (narrow.ident.ei_class == ELFCLASS32) {
        *out = (struct header64){
            .ident = narrow.ident,
            .e_entry = narrow.e_entry,
            .e_phoff = narrow.e_phoff,
            .e_phentsize = narrow.e_phentsize,
            .e_phnum = narrow.e_phnum,
        };
        return true;
    }
    if (file->bytes < sizeof(*out))
        return false;
    memcpy(out, file->data, sizeof(*out));
    return true;
}

const char *elf_open(struct elf *elf, const struct blob *file)
{
    struct header64 header;
    const char *why;
    size_t entry_bytes;

    if (!read_header(file, &header))
        return "not an ELF file, or too short for its header";
    if (header.ident.ei_class != ELFCLASS32 && header.ident.ei_class != ELFCLASS64)
        return "ELF header: ei_class is neither ELF32 nor ELF64";
    if (header.ident.ei_data != ELFDATA2LSB)
        return "ELF header: ei_data is not little-endian";
    elf->is64 = header.ident.ei_class == ELFCLASS64;
    why = elf_check_machine(elf->is64, header.ident.e_machine);
    if (why != NULL)
        return why;
    entry_bytes = elf->is64 ? sizeof(struct segment64) : sizeof(struct segment32);
    if (header.e_phentsize != entry_bytes || header.e_phnum > MAX_SEGMENTS)
        return "ELF header: e_phentsize or e_phnum makes no sense";
    if (header.e_phoff > file->bytes || header.e_phnum * entry_bytes > file->bytes - header.e_phoff)
        return "ELF header: e_phoff, the program headers are outside the file";
    elf->file = file;
    elf->machine = header.ident.e_machine;
    elf->entry = header.e_entry;
    elf->table = header.e_phoff;
    elf->segments = header.e_phnum;
    return NULL;
}

void elf_read_segment(const struct elf *elf, unsigned number, struct elf_segment *out)
{
    const uint8_t *table = (const uint8_t *)elf->file->data + elf->table;
    struct segment32 narrow;
    struct segment64 wide;

    if (elf->is64) {
        memcpy(&wide, table + number * sizeof(wide), sizeof(wide));
        *out = (struct elf_segment){ wide.p_type,   wide.p_offset, wide.p_vaddr, wide.p_paddr,
                                     wide.p_filesz, wide.p_memsz,  wide.p_align };
        return;
    }
    memcpy(&narrow, table + number * sizeof(narrow), sizeof(narrow));
    *out = (struct elf_segment){ narrow.p_type,   narrow.p_offset, narrow.p_vaddr, narrow.p_paddr,
                                 narrow.p_filesz, narrow.p_memsz,  narrow.p_align };
}

const char *elf_check_segment(const struct elf *elf, const struct elf_segment *segment)
{
    const uint64_t bytes = elf->file->bytes;

    if (segment->p_filesz > segment->p_memsz)
        return "ELF segment: p_filesz is larger than p_memsz";
    if (segment->p_offset > bytes || segment->p_filesz > bytes - segment->p_offset)
        return "ELF segment: p_offset and p_filesz reach outside the file";
    return NULL;
}
