# SPDX-License-Identifier: BSD-2-Clause
# QEMU's generic ARM64 board.
ARCH := arm64

# The UART to complain on before the device tree is read.
BOARD_CFLAGS := -DEARLY_PL011=0x09000000
