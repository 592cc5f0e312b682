/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of this architecture share among themselves.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "arch/addr.h"
#include "arch/mmu.h"

#define X86_MAX_CPUS 64

/* Selectors; each CPU has a GDT of its own, for its TSS. */
#define SELECTOR_BOOT_CODE32 0x08
#define SELECTOR_CODE 0x10
#define SELECTOR_DATA 0x18
#define SELECTOR_TSS 0x20

struct x86_tss {
    uint32_t reserved0;
    uint64_t rsp[3];
    uint64_t reserved1;
    uint64_t ist[7];
    uint64_t reserved2;
    uint16_t reserved3;
    uint16_t io_map;
} __attribute__((packed));

/*
 * What GS.base points at. A backend that lets the guest have GS.base must have the host's
 * back before any other C runs after an exit, and, with SVM, before STGI.
 */
struct x86_cpu {
    void *percpu;     /* arch_this_cpu() */
    uint64_t arrived; /* vectors recorded: bit n is VECTOR_FIRST + n */
    uint64_t guest;   /* tlb.h: 0 while no guest runs here */
    const void *last; /* the vCPU whose translations this CPU's TLB may hold under its tag */
    uint64_t entries;
    struct x86_cpu *self; /* GS.base, where the CPU can load it at once */
    uint32_t index;       /* of this structure */
    uint32_t apic_id;
    uint64_t gdt[6] __attribute__((aligned(16)));
    struct x86_tss tss __attribute__((aligned(16)));
} __attribute__((aligned(64)));

_Static_assert(offsetof(struct x86_cpu, percpu) == 0, "arch_this_cpu");

extern struct x86_cpu x86_cpus[X86_MAX_CPUS];

/* The calling CPU's; volatile, since it may be asked for before GS.base is set. */
#define x86_cpu_word(member)                                       \
    ({                                                             \
        __typeof__(((struct x86_cpu *)0)->member) value_;          \
        __asm__ volatile("mov %%gs:%c1, %0"                        \
                         : "=r"(value_)                            \
                         : "i"(offsetof(struct x86_cpu, member))); \
        value_;                                                    \
    })

static inline struct x86_cpu *x86_cpu_self(void)
{
    /* cppcheck-suppress nullPointer ; an address in GS */
    return x86_cpu_word(self);
}

/* What a starting CPU finds; one is started at a time. */
struct x86_cpu_start {
    uint64_t root; /* CR3 */
    uint64_t stack_top;
    uint64_t main;
    uint64_t index;
    uint64_t percpu;
    uint64_t hwid;
};
extern struct x86_cpu_start x86_cpu_start;

/* start.S */
extern uint64_t boot_l4[512], boot_l3_dm[512], boot_l2_dm[][512];
extern char trampoline_start[], trampoline_end[];
_Noreturn void x86_boot(uint32_t magic, uint32_t info);
_Noreturn void x86_secondary(void);

/* vectors.S: the entry points that the IDT names, 16 bytes apart. */
extern char exception_entries[], debug_exception[], interrupt_entries[], ignored_interrupt[];

/* boot.c: host-physical address of something in this image. */
paddr_t x86_image_to_phys(const void *in_image);

/* tables.c: this CPU's GDT, TSS, IDT and GS.base; `index` is its structure's. */
void x86_tables_init(uint32_t index);

/* A backend's host state: what VMX's host-state area wants to know. */
struct x86_host_tables {
    uint64_t gdt, idt, tss, gs_base, fs_base;
};
struct x86_host_tables x86_host_tables(void);

/* cpu.c: where other CPUs start, a page number; 0: nowhere. */
extern uint8_t x86_start_page;

/* features.c: control registers and EFER as the hypervisor wants them, on each CPU. */
void x86_features_init(void);

/* mmu.c: on the boot CPU, once; x86_has_1g_pages after it. */
void x86_mmu_init(void);
bool x86_has_1g_pages(void);

/* mmu.c: arch_hv_select lets arch_guest_format point at one of these. */
extern const struct pt_format *const x86_npt_format;
/* Largest leaf: 1 (1 GiB) or 2 (2 MiB), as IA32_VMX_EPT_VPID_CAP says. */
const struct pt_format *x86_ept_format(unsigned largest_leaf);
