/* SPDX-License-Identifier: BSD-2-Clause */
#include "arch/arm64/at.h"

#include <arch/cpu.h>

uint64_t arm64_at(enum arm64_at kind, uint64_t va)
{
    uint64_t guest_par = sysreg_read(par_el1);
    uint64_t par;

    switch (kind) {
    case AT_EL1_READ: __asm__ volatile("at s1e1r, %0" : : "r"(va) : "memory"); break;
    case AT_EL1_WRITE: __asm__ volatile("at s1e1w, %0" : : "r"(va) : "memory"); break;
    case AT_EL0_READ: __asm__ volatile("at s1e0r, %0" : : "r"(va) : "memory"); break;
    case AT_EL0_WRITE: __asm__ volatile("at s1e0w, %0" : : "r"(va) : "memory"); break;
    }
    isb();
    par = sysreg_read(par_el1);
    sysreg_write(par_el1, guest_par);
    return par;
}
