/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A backend's half of a vCPU, VMX or SVM. What both need alike is here once; vmx/ and svm/
 * add their control structure and the state that their hardware does not switch.
 *
 * General registers are saved at every exit. RSP, RIP, RFLAGS, control and segment registers
 * live in the VMCS or VMCB; arch/x86/guest.h reads and writes them through the backend, so
 * that decoding, emulation and CPUID policy exist once.
 */
#pragma once

#include "arch/addr.h"

enum x86_gpr {
    GPR_RAX,
    GPR_RCX,
    GPR_RDX,
    GPR_RBX,
    GPR_RSP,
    GPR_RBP,
    GPR_RSI,
    GPR_RDI,
    GPR_R8,
    GPR_R9,
    GPR_R10,
    GPR_R11,
    GPR_R12,
    GPR_R13,
    GPR_R14,
    GPR_R15,
    GPR_COUNT,
};

#define XSAVE_AREA_BYTES 2752 /* x87, SSE, AVX, AVX-512; larger components stay hidden */

/* The clock of a guest's local APIC timer, and the crystal of CPUID leaf 0x15. */
#define X86_GUEST_CRYSTAL_HZ 25000000u

#define X86_GUEST_APIC 0xfee00000u /* where guests have their local APIC's page */

/* CR8 is the APIC's task priority: MOV CR8 is an exit VM_EXIT_MSR of this index, no MSR's. */
#define X86_MSR_CR8 0xfffffff8u

/* What vm/ asked for and the guest could not take yet: hv_vcpu.pending. */
enum x86_pending {
    PENDING_NMI = 1 << 0,
    PENDING_WINDOW = 1 << 1, /* ask_window */
    PENDING_FLUSH = 1 << 2,  /* a control register changed: its translations are stale */
    PENDING_RESET = 1 << 3,  /* an injected exception ended in shutdown: VM_EXIT_RESET */
    PENDING_STEP = 1 << 4,   /* one instruction (IRET), then the NMI */
    PENDING_APIC = 1 << 5,   /* VMX: set_apic */
};

/* MSRs that the hypervisor keeps for the guest (arch/x86/msr.c); hardware knows nothing of them. */
#define X86_MTRR_FIXED 11
#define X86_MTRR_VARIABLE 8

struct x86_msrs {
    uint64_t tsc_adjust;
    uint64_t tsc_aux; /* while not loaded: RDTSCP reads the hardware's */
    uint64_t misc_enable;
    uint64_t mtrr_default;
    uint64_t mtrr_fixed[X86_MTRR_FIXED];
    uint64_t mtrr_variable[2 * X86_MTRR_VARIABLE]; /* base, mask */
};

/*
 * A load or store of a device, decoded: arch/x86/emulate/mmio.c. It stands for the instruction at
 * `rip` as long as the guest's tables lead there (entry, value) and its bytes are the same.
 */
#define X86_MMIO_KNOWN 16

struct x86_mmio {
    uint64_t rip, cr3;
    uint32_t generation; /* of the second stage: arch/x86/tlb.h */
    uint8_t entries;
    uint8_t length;                  /* of the instruction */
    uint8_t size;                    /* of the access */
    uint8_t register_size;           /* of what a load writes */
    uint8_t access;                  /* VM_ACCESS_READ, VM_ACCESS_WRITE */
    uint8_t reg, base, index, scale; /* enum x86_gpr; 0xff: none */
    uint64_t displacement, immediate;
    const uint64_t *entry[4];
    uint64_t value[4];
    const void *code;
    uint64_t bytes[2], mask[2]; /* of the code: what counts of 16 bytes */
};

struct hv_vcpu {
    uint64_t gpr[GPR_COUNT]; /* GPR_RSP unused: the backend's structure has it */
    uint64_t cr2;            /* VMX; SVM has it in the VMCB */
    uint64_t dr[4];          /* DR0 to DR3 while not loaded */
    uint64_t dr6;            /* VMX, while not loaded; SVM has it in the VMCB */
    uint64_t xcr0;
    uint64_t id;         /* APIC id */
    uint64_t cpus;       /* of its VM, for the topology that CPUID tells */
    uint64_t tsc_offset; /* guest's TSC - host's */
    uint64_t event;      /* delivery that an exit interrupted, to be repeated; SDM 3C 24.8.3's
                            and APM 2 15.20's format are the same but for bits 11 and 12 */
    paddr_t root;        /* EPT or NPT */
    uint32_t tag;        /* VPID or ASID */
    uint32_t pending;    /* enum x86_pending: events queued by vm/ */
    bool loaded;
    bool trap_halt;
    bool tlb_stale; /* arch/x86/tlb.h's, these three */
    uint32_t tlb_cpu;
    uint32_t tlb_generation;
    bool nmi_blocked;            /* between an NMI and IRET, where hardware does not keep track */
    uint8_t apic;                /* enum hv_apic */
    uint8_t register_of;         /* enum x86_gpr that a pending read of X86_MSR_CR8 goes to */
    uint8_t length;              /* bytes of the instruction whose access vm/ finishes */
    const struct x86_mmio *mmio; /* of a decoded memory exit */
    uint32_t *apic_registers;    /* VMX: set_apic's */
    uint64_t plain_at[8];        /* RIPs where an exiting instruction had no prefix: guest.c */
    struct x86_mmio known[X86_MMIO_KNOWN];
    struct x86_msrs msrs;
    uint8_t xsave[XSAVE_AREA_BYTES] __attribute__((aligned(64)));

    /* The backend's pages, at virt_to_phys: VMCB, host's save areas; VMCS. */
    uint8_t page[3][PAGE_SIZE] __attribute__((aligned(4096)));
};
