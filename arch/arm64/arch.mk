# SPDX-License-Identifier: BSD-2-Clause
CROSS := aarch64-linux-gnu-
CC := $(CROSS)gcc
OBJCOPY := $(CROSS)objcopy
SYSROOT := build/sysroot/arm64

# No SIMD registers: they are the guest's. ARMv8.0 atomics: what every supported CPU has.
ARCH_CFLAGS := -march=armv8-a -mgeneral-regs-only -mno-outline-atomics -fno-pic -fno-pie \
               -mcmodel=small
ARCH_LIBS := $(SYSROOT)/usr/lib/aarch64-linux-gnu/libfdt.a
ARCH_CFLAGS += $(BOARD_CFLAGS)
