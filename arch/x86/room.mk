# SPDX-License-Identifier: BSD-2-Clause
src-y += $(addprefix arch/x86/,start.S vectors.S mem.S boot.c cpu.c tables.c features.c interrupts.c \
           mmu.c tlb.c lapic.c timer.c hv.c guest.c cpuid.c cpuid_shown.c msr.c control.c xsave.c \
           exception.c exits.c)
