# SPDX-License-Identifier: BSD-2-Clause
#
# Tests of arm64 code. What is C runs on the host, with system registers that are memory
# (arm64_fake/); assembly runs as a user program under QEMU's user emulation.

arm64_fake := -Itests/unit/arm64_fake -Iarch/arm64/include

unit-insn := arch/arm64/insn.c
unit-flags-insn := $(arm64_fake)
unit-idregs := arch/arm64/idregs.c arch/arm64/sysreg_trap.c arch/arm64/debug.c \
               arch/arm64/inject.c arch/arm64/finish.c tests/unit/arm64_fake/sysreg.c
unit-flags-idregs := $(arm64_fake)
unit-exit_arm64 := arch/arm64/exit.c arch/arm64/sysreg_trap.c arch/arm64/debug.c \
                   arch/arm64/idregs.c arch/arm64/inject.c arch/arm64/finish.c \
                   tests/unit/arm64_fake/sysreg.c
unit-flags-exit_arm64 := $(arm64_fake)
unit-emulate := arch/arm64/emulate.c arch/arm64/insn.c arch/arm64/inject.c arch/arm64/finish.c \
                tests/unit/arm64_fake/sysreg.c
unit-flags-emulate := $(arm64_fake)
unit-emulate_pages := $(unit-emulate)
unit-flags-emulate_pages := $(arm64_fake)
unit-finish := $(unit-emulate)
unit-flags-finish := $(arm64_fake)

UNIT_ARM64_CC := aarch64-linux-gnu-gcc -std=gnu17 -O1 -g -static -mgeneral-regs-only
UNIT_ARM64_RUN := qemu-aarch64-static

unit: unit-asm_mem unit-fpreg
.PHONY: unit-asm_mem unit-fpreg

# 64-byte lines and ZVA blocks as most CPUs have, then larger ones.
unit-asm_mem: $(UNIT_OUT)/arm64/asm_mem
	$(Q)$(UNIT_ARM64_RUN) -cpu cortex-a53 $<
	$(Q)$(UNIT_ARM64_RUN) -cpu max $<

unit-fpreg: $(UNIT_OUT)/arm64/fpreg
	$(Q)$(UNIT_ARM64_RUN) $<

$(UNIT_OUT)/arm64/asm_mem: tests/unit/arm64/asm_mem.c arch/arm64/mem.S arch/mem.h
$(UNIT_OUT)/arm64/fpreg: tests/unit/arm64/fpreg.c arch/arm64/fpreg.S arch/arm64/fpreg.h
$(UNIT_OUT)/arm64/%: tests/unit/arm64/%.c
	@mkdir -p $(@D)
	$(Q)$(UNIT_ARM64_CC) $(WARNINGS) -I. $(filter-out %.h,$^) -o $@
