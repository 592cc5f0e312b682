/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A vCPU's registers for reports, and the hypervisor's own exceptions.
 */
#include <arch/cpu.h>
#include <arch/vcpu.h>

#include "arch/arm64/arm64.h"
#include "arch/bits.h"
#include "arch/boot.h"

static const char *const x_names[31] = {
    "x0",  "x1",  "x2",  "x3",  "x4",  "x5",  "x6",  "x7",  "x8",  "x9",  "x10",
    "x11", "x12", "x13", "x14", "x15", "x16", "x17", "x18", "x19", "x20", "x21",
    "x22", "x23", "x24", "x25", "x26", "x27", "x28", "x29", "x30",
};

/* EL1 state is in the CPU while the vCPU is loaded, else in its structure. */
#define EL1(vcpu, name) ((vcpu)->loaded ? sysreg_read(name) : (vcpu)->el1.name)

void arm64_describe(const struct hv_vcpu *vcpu, hv_print print, void *context)
{
    for (unsigned i = 0; i < ARRAY_SIZE(x_names); i++)
        print(context, x_names[i], vcpu->x[i]);
    print(context, "pc", vcpu->pc);
    print(context, "pstate", vcpu->pstate);
    print(context, "esr_el2", vcpu->esr);
    print(context, "sp_el0", EL1(vcpu, sp_el0));
    print(context, "sp_el1", EL1(vcpu, sp_el1));
    print(context, "elr_el1", EL1(vcpu, elr_el1));
    print(context, "spsr_el1", EL1(vcpu, spsr_el1));
    print(context, "esr_el1", EL1(vcpu, esr_el1));
    print(context, "far_el1", EL1(vcpu, far_el1));
    print(context, "vbar_el1", EL1(vcpu, vbar_el1));
    print(context, "sctlr_el1", EL1(vcpu, sctlr_el1));
    print(context, "tcr_el1", EL1(vcpu, tcr_el1));
    print(context, "ttbr0_el1", EL1(vcpu, ttbr0_el1));
    print(context, "ttbr1_el1", EL1(vcpu, ttbr1_el1));
}

/* From vectors.S: an exception at EL2 itself, which is never a guest's doing. */
_Noreturn void arm64_own_exception(unsigned kind, uint64_t esr, uint64_t elr, uint64_t far)
{
    static const char *const kinds[] = { "synchronous exception", "IRQ", "FIQ", "SError" };

    socle_exception(kinds[kind & 3], esr, elr, far);
}
