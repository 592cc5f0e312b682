/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Structure offsets for assembly, put into the compiler's output as text that the Makefile
 * turns into asm_offsets.h.
 */
#include <arch/vcpu.h>

#include "arch/arm64/arm64.h"
#include "arch/bits.h"

#define ASM_OFFSET(name, type, member) \
    __asm__ volatile("// ASM_OFFSET " #name " %0" : : "i"(offsetof(type, member)))

/* Saved and restored in pairs. */
_Static_assert(offsetof(struct hv_vcpu, pc) == offsetof(struct hv_vcpu, x[31]), "x30, PC");
_Static_assert(offsetof(struct hv_vcpu, esr) == offsetof(struct hv_vcpu, pstate) + 8,
               "PSTATE, ESR");

void asm_offsets(void);

void asm_offsets(void)
{
    ASM_OFFSET(VCPU_X, struct hv_vcpu, x);
    ASM_OFFSET(VCPU_PC, struct hv_vcpu, pc);
    ASM_OFFSET(VCPU_PSTATE, struct hv_vcpu, pstate);
    ASM_OFFSET(CPU_START_ROOT, struct cpu_start, root);
    ASM_OFFSET(CPU_START_PERCPU, struct cpu_start, percpu);
    ASM_OFFSET(CPU_START_STACK, struct cpu_start, stack_top);
    ASM_OFFSET(CPU_START_MAIN, struct cpu_start, main);
    ASM_OFFSET(FP_FPCR, struct hv_fp, fpcr);
}
