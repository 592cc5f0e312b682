# SPDX-License-Identifier: BSD-2-Clause
src-y += arch/x86/start.S arch/x86/vectors.S arch/x86/mem.S
src-y += arch/x86/boot.c arch/x86/cpu.c arch/x86/tables.c arch/x86/features.c arch/x86/interrupts.c
src-y += arch/x86/mmu.c arch/x86/tlb.c arch/x86/lapic.c arch/x86/timer.c
src-y += arch/x86/hv.c arch/x86/guest.c arch/x86/mmio.c arch/x86/cpuid.c arch/x86/cpuid_shown.c
src-y += arch/x86/msr.c arch/x86/control.c arch/x86/xsave.c arch/x86/exception.c
src-y += arch/x86/insn.c arch/x86/insn_table.c arch/x86/insn_xmm.c arch/x86/alu.c arch/x86/walk.c
src-y += arch/x86/emulate.c arch/x86/emulate_memory.c arch/x86/emulate_data.c arch/x86/emulate_stack.c arch/x86/emulate_string.c
src-y += arch/x86/emulate_wide.c arch/x86/xmm.c
src-y += arch/x86/svm/svm.c arch/x86/svm/exit.c arch/x86/svm/event.c arch/x86/svm/registers.c arch/x86/svm/finish.c arch/x86/svm/run.S
src-y += arch/x86/exits.c
src-y += arch/x86/vmx/vmx.c arch/x86/vmx/state.c arch/x86/vmx/exit.c arch/x86/vmx/event.c arch/x86/vmx/registers.c arch/x86/vmx/finish.c arch/x86/vmx/capability.c arch/x86/vmx/failure.c arch/x86/vmx/run.S
