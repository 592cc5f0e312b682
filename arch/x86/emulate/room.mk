# SPDX-License-Identifier: BSD-2-Clause
src-y += $(addprefix arch/x86/emulate/,insn.c insn_table.c insn_xmm.c walk.c emulate.c memory.c data.c \
           stack.c string.c watch.c wide.c alu.c xmm.c mmio.c)
