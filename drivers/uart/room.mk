# SPDX-License-Identifier: BSD-2-Clause
src-y += drivers/uart/uart.c
src-arm64 += drivers/uart/pl011.c
