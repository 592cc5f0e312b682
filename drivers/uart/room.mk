# SPDX-License-Identifier: BSD-2-Clause
src-y += drivers/uart/uart.c
src-arm64 += drivers/uart/pl011.c drivers/uart/kinds_arm64.c
src-x86 += drivers/uart/uart16550.c drivers/uart/kinds_x86.c
