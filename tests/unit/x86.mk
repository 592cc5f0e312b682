# SPDX-License-Identifier: BSD-2-Clause
#
# Decoding, arithmetic, page-table walks, emulation. x86_insn_length compares with binutils'
# disassembler; x86_native with the CPU that runs the test, which is to be an x86-64.

x86_flags := -Iarch/x86/include
x86_decoder := $(addprefix arch/x86/emulate/,insn.c insn_table.c insn_xmm.c)
x86_emulator := $(addprefix arch/x86/emulate/,emulate.c memory.c data.c stack.c string.c watch.c wide.c \
                  alu.c walk.c) \
                $(x86_decoder) tests/unit/x86_fake_guest.c

unit-x86_insn := $(x86_decoder)
unit-flags-x86_insn := $(x86_flags)
unit-x86_insn_length := $(x86_decoder)
unit-flags-x86_insn_length := $(x86_flags)
unit-x86_walk := arch/x86/emulate/walk.c tests/unit/x86_fake_guest.c
unit-flags-x86_walk := $(x86_flags)
unit-x86_emulate := $(x86_emulator)
unit-flags-x86_emulate := $(x86_flags)
unit-x86_segment := $(x86_emulator)
unit-flags-x86_segment := $(x86_flags)
unit-x86_string := $(x86_emulator)
unit-flags-x86_string := $(x86_flags)
unit-x86_watch := $(x86_emulator)
unit-flags-x86_watch := $(x86_flags)
unit-x86_wide := $(x86_emulator)
unit-flags-x86_wide := $(x86_flags)
unit-x86_native := $(x86_emulator)
unit-flags-x86_native := $(x86_flags)
