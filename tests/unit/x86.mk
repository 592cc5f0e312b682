# SPDX-License-Identifier: BSD-2-Clause
#
# Decoding, arithmetic, page-table walks, emulation. x86_insn compares with binutils'
# disassembler; x86_native with the CPU that runs the test, which is to be an x86-64.

x86_flags := -Iarch/x86/include
x86_emulator := arch/x86/emulate.c arch/x86/emulate_memory.c arch/x86/emulate_data.c \
                arch/x86/emulate_wide.c arch/x86/emulate_stack.c arch/x86/emulate_string.c arch/x86/alu.c \
                arch/x86/insn.c arch/x86/insn_table.c arch/x86/insn_xmm.c arch/x86/walk.c tests/unit/x86_fake_guest.c

unit-x86_insn := arch/x86/insn.c arch/x86/insn_table.c arch/x86/insn_xmm.c
unit-flags-x86_insn := $(x86_flags)
unit-x86_walk := arch/x86/walk.c tests/unit/x86_fake_guest.c
unit-flags-x86_walk := $(x86_flags)
unit-x86_emulate := $(x86_emulator)
unit-flags-x86_emulate := $(x86_flags)
unit-x86_segment := $(x86_emulator)
unit-flags-x86_segment := $(x86_flags)
unit-x86_string := $(x86_emulator)
unit-flags-x86_string := $(x86_flags)
unit-x86_wide := $(x86_emulator)
unit-flags-x86_wide := $(x86_flags)
unit-x86_native := $(x86_emulator)
unit-flags-x86_native := $(x86_flags)
