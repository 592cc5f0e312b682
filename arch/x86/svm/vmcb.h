/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The virtual machine control block, APM 2 appendix B, as far as it is used here.
 *
 *     0x000  control area: what exits, how it enters, why it exited
 *     0x400  state save area: VMRUN and #VMEXIT move what is in capitals, VMLOAD and VMSAVE the
 * rest ES CS SS DS fs gs GDTR ldtr IDTR tr   CPL EFER CR0 CR2 CR3 CR4 DR6 DR7 RFLAGS RIP RSP RAX
 * G_PAT   star … kernel_gs_base sysenter
 */
#pragma once

#include "arch/addr.h"
#include "arch/bits.h"

/* intercept[INTERCEPT_CR]: bits 0-15 reads, 16-31 writes. */
enum vmcb_intercept_word {
    INTERCEPT_CR,
    INTERCEPT_DR,
    INTERCEPT_EXCEPTION,
    INTERCEPT_1,
    INTERCEPT_2,
    INTERCEPT_3,
    INTERCEPT_WORDS
};

#define INTERCEPT_CR_READ(n) (1u << (n))
#define INTERCEPT_CR_WRITE(n) (1u << (16 + (n)))

/* intercept[INTERCEPT_1] */
#define INTERCEPT_INTR (1u << 0)
#define INTERCEPT_NMI (1u << 1)
#define INTERCEPT_INIT (1u << 3)
#define INTERCEPT_VINTR (1u << 4)
#define INTERCEPT_RDPMC (1u << 15)
#define INTERCEPT_CPUID (1u << 18)
#define INTERCEPT_IRET (1u << 20)
#define INTERCEPT_INVD (1u << 22)
#define INTERCEPT_PAUSE (1u << 23)
#define INTERCEPT_HLT (1u << 24)
#define INTERCEPT_INVLPGA (1u << 26)
#define INTERCEPT_IOIO (1u << 27)
#define INTERCEPT_MSR (1u << 28)
#define INTERCEPT_TASK_SWITCH (1u << 29)
#define INTERCEPT_SHUTDOWN (1u << 31)

/* intercept[INTERCEPT_2] */
#define INTERCEPT_VMRUN (1u << 0)
#define INTERCEPT_VMMCALL (1u << 1)
#define INTERCEPT_VMLOAD (1u << 2)
#define INTERCEPT_VMSAVE (1u << 3)
#define INTERCEPT_STGI (1u << 4)
#define INTERCEPT_CLGI (1u << 5)
#define INTERCEPT_SKINIT (1u << 6)
#define INTERCEPT_WBINVD (1u << 9)
#define INTERCEPT_MONITOR (1u << 10)
#define INTERCEPT_MWAIT (1u << 11)
#define INTERCEPT_XSETBV (1u << 13)
#define INTERCEPT_RDPRU (1u << 14)

/* intercept[INTERCEPT_3] */
#define INTERCEPT_INVLPGB (1u << 0)
#define INTERCEPT_MCOMMIT (1u << 3)
#define INTERCEPT_TLBSYNC (1u << 4)

enum vmcb_tlb_control { TLB_CONTROL_NONE = 0, TLB_CONTROL_ALL = 1, TLB_CONTROL_ASID = 3 };

/* virtual_interrupt */
#define V_IRQ BIT(8)
#define V_INTR_PRIO_HIGHEST (15ULL << 16)
#define V_IGN_TPR BIT(20)
#define V_INTR_MASKING BIT(24) /* the guest's IF is its own; the host's masks host interrupts */

#define INTERRUPT_SHADOW BIT(0)
#define NP_ENABLE BIT(0)

/* clean: what did not change since the last entry of this VMCB on this CPU, APM 2 15.15.3. */
#define CLEAN_INTERCEPTS (1u << 0) /* and TSC_OFFSET */
#define CLEAN_ASID (1u << 2)
#define CLEAN_TPR (1u << 3) /* virtual_interrupt */
#define CLEAN_NP (1u << 4)  /* N_CR3 and G_PAT */
#define CLEAN_CR (1u << 5)  /* CR0, CR3, CR4, EFER */
#define CLEAN_DR (1u << 6)
#define CLEAN_SEGMENTS (1u << 8) /* ES, CS, SS, DS, CPL */
#define CLEAN_CR2 (1u << 9)
#define CLEAN_ALL ((1u << 11) - 1)

/* Why the guest was left, APM 2 appendix C. */
enum vmcb_exit {
    SVM_EXIT_CR0_READ = 0x00,
    SVM_EXIT_CR8_READ = 0x08,
    SVM_EXIT_CR4_WRITE = 0x14,
    SVM_EXIT_CR8_WRITE = 0x18,
    SVM_EXIT_EXCEPTION = 0x40, /* + vector */
    SVM_EXIT_INTR = 0x60,
    SVM_EXIT_NMI = 0x61,
    SVM_EXIT_INIT = 0x63,
    SVM_EXIT_VINTR = 0x64,
    SVM_EXIT_RDPMC = 0x6f,
    SVM_EXIT_CPUID = 0x72,
    SVM_EXIT_IRET = 0x74,
    SVM_EXIT_INVD = 0x76,
    SVM_EXIT_PAUSE = 0x77,
    SVM_EXIT_HLT = 0x78,
    SVM_EXIT_INVLPGA = 0x7a,
    SVM_EXIT_IOIO = 0x7b,
    SVM_EXIT_MSR = 0x7c,
    SVM_EXIT_TASK_SWITCH = 0x7d,
    SVM_EXIT_SHUTDOWN = 0x7f,
    SVM_EXIT_VMRUN = 0x80,
    SVM_EXIT_VMMCALL = 0x81,
    SVM_EXIT_VMLOAD = 0x82,
    SVM_EXIT_VMSAVE = 0x83,
    SVM_EXIT_STGI = 0x84,
    SVM_EXIT_CLGI = 0x85,
    SVM_EXIT_SKINIT = 0x86,
    SVM_EXIT_WBINVD = 0x89,
    SVM_EXIT_MONITOR = 0x8a,
    SVM_EXIT_MWAIT = 0x8b,
    SVM_EXIT_XSETBV = 0x8d,
    SVM_EXIT_RDPRU = 0x8e,
    SVM_EXIT_HIDDEN_FIRST = 0x90,
    SVM_EXIT_HIDDEN_LAST = 0xa4, /* traps of CR writes, INVLPGB, INVPCID, MCOMMIT, TLBSYNC */
    SVM_EXIT_NPF = 0x400,
};
#define SVM_EXIT_INVALID 0xffffffffu /* of 64 bits: some write the low half only */

/* exit_info[0] of SVM_EXIT_IOIO; exit_info[1] is the next RIP. APM 2 15.10.2. */
#define IOIO_IN BIT(0)
#define IOIO_STRING BIT(2)
#define IOIO_SIZE GENMASK(6, 4) /* 1, 2 or 4 bytes: the field is the number */
#define IOIO_PORT GENMASK(31, 16)

/* exit_info[0] of SVM_EXIT_NPF; exit_info[1] is the guest-physical address. APM 2 15.25.6. */
#define NPF_PRESENT BIT(0)
#define NPF_WRITE BIT(1)
#define NPF_FETCH BIT(4)
#define NPF_TABLE_WALK BIT(33)

/* exit_info[0] of CR accesses, with decode assists: the register, valid for MOV. */
#define CR_INFO_REGISTER GENMASK(3, 0)
#define CR_INFO_IS_MOV BIT(63)

struct vmcb_segment {
    uint16_t selector;
    uint16_t attributes; /* as struct x86_segment_state's */
    uint32_t limit;
    uint64_t base;
};

/* In the order of the state save area. */
enum vmcb_segment_index {
    VMCB_ES,
    VMCB_CS,
    VMCB_SS,
    VMCB_DS,
    VMCB_FS,
    VMCB_GS,
    VMCB_GDTR,
    VMCB_LDTR,
    VMCB_IDTR,
    VMCB_TR,
    VMCB_SEGMENTS
};

struct vmcb {
    uint32_t intercept[INTERCEPT_WORDS];
    uint8_t reserved_18[0x3c - 0x18];
    uint16_t pause_threshold;
    uint16_t pause_count;
    uint64_t iopm;
    uint64_t msrpm;
    uint64_t tsc_offset;
    uint32_t asid;
    uint32_t tlb_control;
    uint64_t virtual_interrupt;
    uint64_t interrupt_shadow;
    uint64_t exit_code;
    uint64_t exit_info[2];
    uint64_t exit_event; /* EXITINTINFO */
    uint64_t np_control;
    uint8_t reserved_98[0xa8 - 0x98];
    uint64_t event; /* EVENTINJ */
    uint64_t n_cr3;
    uint64_t lbr_control;
    uint32_t clean;
    uint32_t reserved_c4;
    uint64_t next_rip;
    uint8_t fetched; /* bytes in `code`, with decode assists */
    uint8_t code[15];
    uint8_t reserved_e0[0x400 - 0xe0];

    struct vmcb_segment segment[VMCB_SEGMENTS];
    uint8_t reserved_4a0[0x4cb - 0x4a0];
    uint8_t cpl;
    uint32_t reserved_4cc;
    uint64_t efer;
    uint8_t reserved_4d8[0x548 - 0x4d8];
    uint64_t cr4, cr3, cr0, dr7, dr6, rflags, rip;
    uint8_t reserved_580[0x5d8 - 0x580];
    uint64_t rsp;
    uint8_t reserved_5e0[0x5f8 - 0x5e0];
    uint64_t rax;
    uint64_t star, lstar, cstar, sfmask, kernel_gs_base;
    uint64_t sysenter_cs, sysenter_esp, sysenter_eip;
    uint64_t cr2;
    uint8_t reserved_648[0x668 - 0x648];
    uint64_t g_pat;
    uint64_t debugctl;
    uint8_t reserved_678[0x1000 - 0x678];
};

#define VMCB_OFFSET(member, offset) \
    _Static_assert(offsetof(struct vmcb, member) == (offset), #member)
VMCB_OFFSET(pause_count, 0x3e);
VMCB_OFFSET(iopm, 0x40);
VMCB_OFFSET(asid, 0x58);
VMCB_OFFSET(interrupt_shadow, 0x68);
VMCB_OFFSET(exit_code, 0x70);
VMCB_OFFSET(exit_event, 0x88);
VMCB_OFFSET(event, 0xa8);
VMCB_OFFSET(n_cr3, 0xb0);
VMCB_OFFSET(clean, 0xc0);
VMCB_OFFSET(next_rip, 0xc8);
VMCB_OFFSET(code, 0xd1);
VMCB_OFFSET(segment[VMCB_TR], 0x490);
VMCB_OFFSET(cpl, 0x4cb);
VMCB_OFFSET(efer, 0x4d0);
VMCB_OFFSET(cr4, 0x548);
VMCB_OFFSET(rip, 0x578);
VMCB_OFFSET(rsp, 0x5d8);
VMCB_OFFSET(rax, 0x5f8);
VMCB_OFFSET(kernel_gs_base, 0x620);
VMCB_OFFSET(cr2, 0x640);
VMCB_OFFSET(g_pat, 0x668);
VMCB_OFFSET(debugctl, 0x670);
_Static_assert(sizeof(struct vmcb) == PAGE_SIZE, "a VMCB is a page");
#undef VMCB_OFFSET
