/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Structure offsets for assembly, put into the compiler's output as text that the Makefile
 * turns into asm_offsets.h.
 */
#include <arch/vcpu.h>

#include "arch/bits.h"
#include "arch/x86/x86.h"

#define ASM_OFFSET(name, type, member) \
    __asm__ volatile("// ASM_OFFSET " #name " %c0" : : "i"(offsetof(type, member)))

void asm_offsets(void);

void asm_offsets(void)
{
    ASM_OFFSET(VCPU_GPR, struct hv_vcpu, gpr);
    ASM_OFFSET(VCPU_CR2, struct hv_vcpu, cr2);
    ASM_OFFSET(CPU_ARRIVED, struct x86_cpu, arrived);
    ASM_OFFSET(CPU_START_ROOT, struct x86_cpu_start, root);
    ASM_OFFSET(CPU_START_STACK, struct x86_cpu_start, stack_top);
}
