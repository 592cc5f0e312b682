# SPDX-License-Identifier: BSD-2-Clause
CROSS := x86_64-linux-gnu-
CC := $(CROSS)gcc
OBJCOPY := $(CROSS)objcopy
SYSROOT := build/sysroot/x86

# No SIMD registers: they are the guest's. No red zone: interrupts use the same stack.
ARCH_CFLAGS := -m64 -march=x86-64 -mgeneral-regs-only -mno-red-zone -mcmodel=kernel -fno-pic \
               -fno-pie -fcf-protection=none
ARCH_LIBS := $(SYSROOT)/usr/lib/x86_64-linux-gnu/libfdt.a
ARCH_CFLAGS += $(BOARD_CFLAGS)
