# SPDX-License-Identifier: BSD-2-Clause
# A PC: QEMU's q35 with SVM, Bochs with VMX, and what is like them.
ARCH := x86

# The UART to complain on before there is a log: COM1.
BOARD_CFLAGS := -DEARLY_UART=0x3f8
