/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Code run in the modes that a 64-bit guest has left: real, "unreal", virtual-8086, protected of
 * 16 and 32 bits, in ring 0 and 3, without paging or with either kind of it. Long mode is left
 * with what mode_state says; the first exception, interrupt or INT n leads back, and mode_state
 * then says where it came from.
 *
 *     0x01000  what real mode needs below 1 MiB        0x40000  SS, 64 KiB
 *     0x20000  CS, 64 KiB: the code                    0x50000  ES
 *     0x30000  DS, 64 KiB                              0x60000  FS
 *                                                      0xb0000  GS, with the VGA text at 0x8000
 */
#pragma once

#include "tests/guests/x86/lib/guest.h"

#define MODE_CODE 0x20000u
#define MODE_DATA 0x30000u
#define MODE_STACK 0x40000u
#define MODE_EXTRA 0x50000u
#define MODE_OTHER 0x60000u
#define MODE_SEGMENT_BYTES 0x10000u

#define EFLAGS_FIXED 0x2u
#define EFLAGS_TF 0x100u
#define EFLAGS_IF 0x200u
#define EFLAGS_DF 0x400u
#define EFLAGS_OF 0x800u
#define EFLAGS_IOPL 0x3000u
#define EFLAGS_VM 0x20000u

/* leave.S knows the offsets. Segment registers are values: paragraphs or selectors. */
struct mode_state {
    uint32_t eax, ecx, edx, ebx, esp, ebp, esi, edi, eip, eflags;
    uint32_t cs, ss, ds, es, fs, gs;
    uint32_t cr0, cr3, cr4;
    uint32_t unreal;             /* real mode, with 4 GiB behind DS to GS */
    uint32_t vector, error, cr2; /* only back */
};
extern struct mode_state mode_state;

/* The descriptors of those modes; the first four are needed to come back. */
enum mode_selector {
    MODE_SEL_FLAT_DATA = 0x10,
    MODE_SEL_FLAT_CODE = 0x18,
    MODE_SEL_TSS = 0x20,
    MODE_SEL_LOW_CODE = 0x28, /* 16 bits, from 0x1000 on */
    MODE_SEL_LOW_DATA = 0x30, /* 64 KiB from 0 on */
    MODE_SEL_CODE = 0x40,     /* CS to GS of ring 0, then of ring 3 */
    MODE_SEL_CODE3 = 0x70,
    MODE_SEL_FREE = 0xa0, /* a test's own */
    MODE_GDT_ENTRIES = 64,
};
extern uint64_t mode_gdt[MODE_GDT_ENTRIES];
uint64_t mode_descriptor(uint32_t base, uint32_t limit, uint32_t rights);

/* The legacy IDT, a gate to the way back in each entry. */
extern uint64_t mode_idt[256];

struct mode_tss {
    uint32_t link, esp0, ss0, rest[22];
    uint16_t trap, io_map;
    uint8_t redirection[32]; /* of CR4.VME: INT n that leave virtual-8086 mode; none */
    uint8_t ports[512], end; /* below 0x1000, all allowed at first */
};
extern struct mode_tss mode_tss;

enum mode_paging { MODE_UNPAGED, MODE_PAGED_32, MODE_PAGED_PAE };

struct mode {
    const char *name;
    bool real, unreal, v86;
    uint8_t bits, ring;
    uint8_t paging; /* enum mode_paging */
};

/* Low memory, page tables of 64 MiB and the APICs, descriptors as they are to be at first. */
void mode_prepare(void);
/* mode_state to enter this mode at MODE_CODE; general registers are 0, IOPL 3. */
void mode_select(const struct mode *mode);
/* Nothing is there any more, up to 4 MiB from this multiple of as many, until mode_prepare. */
void mode_unmap(uint32_t address);
/* An entry of the legacy page tables becomes something else; not that of the first 2 MiB. */
void mode_spoil(uint64_t random);
/* There and back, on one CPU at a time. */
void mode_run(void);
