/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest CPU's state as decoding, emulation and policy see it, whichever backend holds it.
 * The vCPU is loaded on the calling CPU.
 */
#pragma once

#include <arch/vcpu.h>

#include "arch/bits.h"
#include "arch/hv.h"

enum x86_segment { SEG_ES, SEG_CS, SEG_SS, SEG_DS, SEG_FS, SEG_GS, SEG_LDTR, SEG_TR, SEG_COUNT };

struct x86_segment_state {
    uint64_t base;
    uint32_t limit;
    uint16_t selector;
    uint16_t
        attributes; /* as in a descriptor: type 0-3, S 4, DPL 5-6, P 7, AVL 8, L 9, DB 10, G 11 */
};

enum x86_register {
    REG_RIP,
    REG_RFLAGS,
    REG_RSP,
    REG_CR0,
    REG_CR3,
    REG_CR4,
    REG_EFER,
    REG_DR7,
    REG_CPL,
    REG_CR2,
    REG_DR6,
    REG_PAT,
    REG_TSC_OFFSET,
    REG_COUNT,
};

/* Control registers and EFER, APM 2 3.1 and SDM 3A 2.5. */
#define CR0_PE BIT(0)
#define CR0_MP BIT(1)
#define CR0_EM BIT(2)
#define CR0_TS BIT(3)
#define CR0_ET BIT(4)
#define CR0_NE BIT(5)
#define CR0_WP BIT(16)
#define CR0_AM BIT(18)
#define CR0_NW BIT(29)
#define CR0_CD BIT(30)
#define CR0_PG BIT(31)

#define CR4_VME BIT(0)
#define CR4_PVI BIT(1)
#define CR4_TSD BIT(2)
#define CR4_DE BIT(3)
#define CR4_PSE BIT(4)
#define CR4_PAE BIT(5)
#define CR4_MCE BIT(6)
#define CR4_PGE BIT(7)
#define CR4_PCE BIT(8)
#define CR4_OSFXSR BIT(9)
#define CR4_OSXMMEXCPT BIT(10)
#define CR4_UMIP BIT(11)
#define CR4_VMXE BIT(13)
#define CR4_FSGSBASE BIT(16)
#define CR4_PCIDE BIT(17)
#define CR4_OSXSAVE BIT(18)
#define CR4_SMEP BIT(20)
#define CR4_SMAP BIT(21)

#define EFER_SCE BIT(0)
#define EFER_LME BIT(8)
#define EFER_LMA BIT(10)
#define EFER_NXE BIT(11)
#define EFER_SVME BIT(12)
#define EFER_FFXSR BIT(14)

#define RFLAGS_CF BIT(0)
#define RFLAGS_FIXED BIT(1) /* reads as 1 */
#define RFLAGS_PF BIT(2)
#define RFLAGS_AF BIT(4)
#define RFLAGS_ZF BIT(6)
#define RFLAGS_SF BIT(7)
#define RFLAGS_TF BIT(8)
#define RFLAGS_IF BIT(9)
#define RFLAGS_DF BIT(10)
#define RFLAGS_OF BIT(11)
#define RFLAGS_IOPL GENMASK(13, 12)
#define RFLAGS_RF BIT(16)
#define RFLAGS_VM BIT(17)
#define RFLAGS_AC BIT(18)

/* What svm/ and vmx/ each provide. Values are the guest's: EFER without SVME, CR4 without VMXE. */
struct x86_guest_ops {
    uint64_t (*get)(const struct hv_vcpu *vcpu, enum x86_register which);
    /* No rule is checked (arch/x86/control.h does); what a change makes stale is flushed. */
    void (*set)(struct hv_vcpu *vcpu, enum x86_register which, uint64_t value);
    struct x86_segment_state (*segment)(const struct hv_vcpu *vcpu, enum x86_segment which);
    void (*set_segment)(struct hv_vcpu *vcpu, enum x86_segment which,
                        const struct x86_segment_state *state);
    /* At the next entry; error_code < 0: this vector has none. */
    void (*inject_exception)(struct hv_vcpu *vcpu, uint8_t vector, int64_t error_code);
    /*
     * Clears what STI, MOV SS and single-stepping leave pending after an emulated instruction,
     * which met these breakpoints (bits 3 to 0 of DR6): if any, the guest takes its trap.
     */
    void (*retired)(struct hv_vcpu *vcpu, uint64_t met);
    /* Did the last exit interrupt the delivery of an event, not an instruction? */
    bool (*delivering)(const struct hv_vcpu *vcpu);
};

extern const struct x86_guest_ops *x86_guest; /* of the backend that arch_hv_select chose */

/* The page fault that the guest takes: CR2 and #PF. error: P W U RSV I bits, SDM 3A 4.7. */
void x86_inject_page_fault(struct hv_vcpu *vcpu, uint64_t address, uint32_t error);

/*
 * guest.c: the guest's memory through its second-stage tables as they are now, RAM only.
 * ERR_NOT_FOUND: something of it is not mapped (not yet committed, a device, nothing).
 */
status_t x86_guest_read(struct hv_vcpu *vcpu, gpa_t address, void *to, size_t bytes);

/*
 * Where in the direct map. NULL: not RAM that is mapped. `left`: bytes from there to the end
 * of its leaf.
 */
const void *x86_guest_find(const struct hv_vcpu *vcpu, gpa_t address, uint64_t *left);

/*
 * Up to 15 bytes of code at RIP. `got` is fewer where the next page cannot be read.
 * ERR_NOT_FOUND: not even the first.
 */
status_t x86_guest_fetch(struct hv_vcpu *vcpu, uint8_t *to, size_t *got);

/* hv_ops.pc of both backends: RIP as a linear address, for code whose segment has a base. */
uint64_t x86_guest_pc(const struct hv_vcpu *vcpu);

/* hv_ops.translate of both backends. */
status_t x86_guest_translate(struct hv_vcpu *vcpu, uint64_t gva, uint8_t access, gpa_t *out);

/* The instruction at RIP. insn_decode's errors, and ERR_NOT_FOUND: it cannot be read. */
struct insn;
status_t x86_guest_decode(struct hv_vcpu *vcpu, struct insn *out);

/* RIP + length, as wide as the code's mode has it. */
uint64_t x86_guest_next(const struct hv_vcpu *vcpu, unsigned length);

/*
 * Moves RIP past the instruction that exited, `plain` bytes long unless it has prefixes; for
 * backends that the hardware does not tell its length.
 */
void x86_guest_skip(struct hv_vcpu *vcpu, unsigned plain);

/*
 * What x86_guest_skip remembers of RIPs where the instruction was plain, in
 * vcpu->plain_at[rip % 8], so that a backend can look before it calls. The code is not read
 * again: where the same instruction comes with a prefix later, at the same RIP, the guest goes
 * on inside of it.
 */
static inline uint64_t x86_plain_key(uint64_t rip, unsigned plain)
{
    return rip ^ (uint64_t)plain << 52; /* not canonical, so nobody else's */
}

/* hv_ops.inject_bus_fault of both backends: a PC's bus gives ones and swallows writes. */
void x86_open_bus(struct hv_vcpu *vcpu, const struct vm_exit *exit);

/* hv_ops.describe of both backends. */
void x86_guest_describe(const struct hv_vcpu *vcpu, hv_print print, void *context);
