/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ELF files (System V ABI, chapters 4 and 5), little-endian, of 32 or 64 bits: both are read
 * into the same structures. Nothing of the file is trusted.
 */
#pragma once

#include "vm/config/config.h"

enum elf_machine { EM_386 = 3, EM_X86_64 = 62, EM_AARCH64 = 183 };
enum elf_segment_type { PT_LOAD = 1, PT_NOTE = 4 };

struct elf {
    const struct blob *file;
    bool is64;
    uint16_t machine; /* enum elf_machine */
    uint64_t entry, table;
    unsigned segments;
};

struct elf_segment {
    uint32_t p_type;
    uint64_t p_offset, p_vaddr, p_paddr, p_filesz, p_memsz, p_align;
};

/* Does it start as an ELF file? */
bool elf_matches(const struct blob *file);

/* By the architecture: NULL, or why a file of this size and machine is not for its CPUs. */
const char *elf_check_machine(bool is64, uint16_t machine);

/* NULL, or what is wrong: then *elf is not to be used. */
const char *elf_open(struct elf *elf, const struct blob *file);

/* Program header `number`, below elf->segments. */
void elf_read_segment(const struct elf *elf, unsigned number, struct elf_segment *out);

/* NULL: the segment's bytes are inside the file, and no more than its memory. */
const char *elf_check_segment(const struct elf *elf, const struct elf_segment *segment);
