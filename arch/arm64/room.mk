# SPDX-License-Identifier: BSD-2-Clause
src-y += arch/arm64/start.S arch/arm64/vectors.S arch/arm64/fp.S
src-y += arch/arm64/boot.c arch/arm64/mmu.c arch/arm64/cpu.c arch/arm64/hv.c arch/arm64/exit.c arch/arm64/report.c
src-y += arch/arm64/sysreg_trap.c arch/arm64/debug.c arch/arm64/idregs.c arch/arm64/inject.c arch/arm64/at.c
src-y += arch/arm64/emulate.c arch/arm64/insn.c arch/arm64/finish.c arch/arm64/fpreg.S arch/arm64/mem.S
src-y += arch/arm64/gich.c arch/arm64/gich_v2.c arch/arm64/gich_v3.c arch/arm64/vtimer.c
