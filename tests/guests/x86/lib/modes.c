/* SPDX-License-Identifier: BSD-2-Clause */
/* Descriptors, gates and page tables of the modes that are not 64-bit: see modes.h. */
#include "tests/guests/x86/lib/modes.h"

#define LOW_BASE 0x1000u
#define VGA 0xb0000u
#define RIGHTS_CODE 0x9bu
#define RIGHTS_DATA 0x93u
#define RIGHTS_TSS 0x89u
#define RIGHTS_RING3 0x60u
#define RIGHTS_BIG 0x4000u
#define RIGHTS_PAGES 0x8000u
#define GATE_RING3 0xee00u
#define GATE_STRIDE 16
#define SEGMENTS 6
#define ESP_START 0xf000u

#define PAGE_LARGE 0x87u /* present, writable, user */
#define RAM_BYTES 0x4000000u
#define APICS 0xfec00000u
#define CR0_REAL 0x30u /* ET NE */
#define CR0_PROTECTED 0x31u
#define CR0_WP_PG 0x80010000u
#define CR4_PSE 0x10u
#define CR4_PAE 0x20u

struct mode_state mode_state;
uint64_t mode_gdt[MODE_GDT_ENTRIES] __attribute__((aligned(16)));
uint64_t mode_idt[256] __attribute__((aligned(16)));
struct mode_tss mode_tss __attribute__((aligned(256)));

static uint32_t two_levels[1024] __attribute__((aligned(4096)));
static uint64_t pae_pointers[4] __attribute__((aligned(32)));
static uint64_t pae_directories[4][512] __attribute__((aligned(4096)));

extern const uint8_t mode_low[], mode_low_end[], mode_vectors16[], mode_vectors32[];
extern uint8_t mode_stack_top[];
extern const uint64_t gdt[];

static const uint32_t bases[SEGMENTS] = { MODE_CODE,  MODE_STACK, MODE_DATA,
                                          MODE_EXTRA, MODE_OTHER, VGA };

/* `rights`: bits 40 to 55 of the descriptor, less the limit's. */
uint64_t mode_descriptor(uint32_t base, uint32_t limit, uint32_t rights)
{
    return (limit & 0xffffu) | (uint64_t)(base & 0xffffffu) << 16 | (uint64_t)rights << 40 |
           (uint64_t)(limit >> 16 & 0xfu) << 48 | (uint64_t)(base >> 24) << 56;
}

static void fill_gdt(void)
{
    for (unsigned i = 0; i < MODE_GDT_ENTRIES; i++)
        mode_gdt[i] = 0;
    mode_gdt[SELECTOR_CODE64 / 8] = gdt[SELECTOR_CODE64 / 8];
    mode_gdt[MODE_SEL_FLAT_DATA / 8] =
        mode_descriptor(0, 0xfffff, RIGHTS_DATA | RIGHTS_BIG | RIGHTS_PAGES);
    mode_gdt[MODE_SEL_FLAT_CODE / 8] =
        mode_descriptor(0, 0xfffff, RIGHTS_CODE | RIGHTS_BIG | RIGHTS_PAGES);
    mode_gdt[MODE_SEL_TSS / 8] =
        mode_descriptor((uint32_t)(uint64_t)&mode_tss, sizeof(mode_tss) - 1, RIGHTS_TSS);
    mode_gdt[MODE_SEL_LOW_CODE / 8] = mode_descriptor(LOW_BASE, 0xffff, RIGHTS_CODE);
    mode_gdt[MODE_SEL_LOW_DATA / 8] = mode_descriptor(0, 0xffff, RIGHTS_DATA);
}

/* CS is of as many bits as the mode; so is SS. */
static void fill_segments(unsigned bits)
{
    const uint32_t big = bits == 32 ? RIGHTS_BIG : 0;

    for (unsigned i = 0; i < SEGMENTS; i++) {
        const uint32_t rights = (i == 0 ? RIGHTS_CODE : RIGHTS_DATA) | big;

        mode_gdt[MODE_SEL_CODE / 8 + i] = mode_descriptor(bases[i], MODE_SEGMENT_BYTES - 1, rights);
        mode_gdt[MODE_SEL_CODE3 / 8 + i] =
            mode_descriptor(bases[i], MODE_SEGMENT_BYTES - 1, rights | RIGHTS_RING3);
    }
}

static void fill_gates(void)
{
    for (unsigned i = 0; i < 256; i++) {
        const uint32_t at = (uint32_t)(uint64_t)mode_vectors32 + GATE_STRIDE * i;

        mode_idt[i] = (at & 0xffffu) | MODE_SEL_FLAT_CODE << 16 | (uint64_t)GATE_RING3 << 32 |
                      (uint64_t)(at >> 16) << 48;
    }
}

/* Real mode's vectors lead to segment 0x100. */
static void fill_low_memory(void)
{
    volatile uint32_t *const vectors = (volatile uint32_t *)0;
    volatile uint8_t *to = (volatile uint8_t *)(uint64_t)LOW_BASE;

    for (const uint8_t *from = mode_low; from < mode_low_end; from++)
        *to++ = *from;
    for (unsigned i = 0; i < 256; i++) {
        uint32_t entry = LOW_BASE >> 4 << 16 | (uint32_t)(mode_vectors16 - mode_low + 8 * i);

        asm volatile("movl %0, (%1)" ::"r"(entry), "r"(vectors + i) : "memory");
    }
}

/* RAM, and the APICs. */
static bool is_mapped(uint64_t address)
{
    return address < RAM_BYTES || address >= APICS;
}

static void fill_tables(void)
{
    for (unsigned i = 0; i < 1024; i++)
        two_levels[i] = is_mapped((uint64_t)i << 22) ? i << 22 | PAGE_LARGE : 0;
    for (unsigned i = 0; i < 4; i++)
        pae_pointers[i] = (uint64_t)pae_directories[i] | 1;
    for (unsigned i = 0; i < 2048; i++)
        pae_directories[i / 512][i % 512] =
            is_mapped((uint64_t)i << 21) ? (uint64_t)i << 21 | PAGE_LARGE : 0;
}

void mode_prepare(void)
{
    fill_gdt();
    fill_segments(16);
    fill_gates();
    fill_low_memory();
    fill_tables();
    mode_tss = (struct mode_tss){ .esp0 = (uint32_t)(uint64_t)mode_stack_top,
                                  .ss0 = MODE_SEL_FLAT_DATA,
                                  .io_map = __builtin_offsetof(struct mode_tss, ports),
                                  .end = 0xff };
}

static void set_segments(const struct mode *mode)
{
    uint32_t *const segment = &mode_state.cs;

    for (unsigned i = 0; i < SEGMENTS; i++)
        segment[i] = mode->real || mode->v86 ? bases[i] >> 4
                     : mode->ring == 3       ? MODE_SEL_CODE3 + 8 * i + 3
                                             : MODE_SEL_CODE + 8 * i;
}

void mode_select(const struct mode *mode)
{
    mode_state = (struct mode_state){
        .esp = ESP_START,
        .eflags = EFLAGS_FIXED | EFLAGS_IOPL | (mode->v86 ? EFLAGS_VM : 0),
        .cr0 = mode->real ? CR0_REAL : CR0_PROTECTED,
        .unreal = mode->unreal,
    };
    fill_segments(mode->bits);
    set_segments(mode);
    if (mode->paging != MODE_UNPAGED)
        mode_state.cr0 |= CR0_WP_PG;
    if (mode->paging == MODE_PAGED_32) {
        mode_state.cr3 = (uint32_t)(uint64_t)two_levels;
        mode_state.cr4 = CR4_PSE;
    } else if (mode->paging == MODE_PAGED_PAE) {
        mode_state.cr3 = (uint32_t)(uint64_t)pae_pointers;
        mode_state.cr4 = CR4_PAE;
    }
}

void mode_unmap(uint32_t address)
{
    uint64_t *const directory = pae_directories[address >> 30];

    two_levels[address >> 22] = 0;
    directory[address >> 21 & 511] = 0;
    directory[(address >> 21 & 511) + 1] = 0;
}

void mode_spoil(uint64_t random)
{
    const unsigned at = 1 + (unsigned)(random % 1023);

    two_levels[at] = (uint32_t)(random >> 16);
    if (random >> 62 == 0)
        pae_pointers[1 + at % 3] = random;
    else
        pae_directories[at / 512][at % 512] = random;
}
