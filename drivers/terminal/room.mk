# SPDX-License-Identifier: BSD-2-Clause
src-arm64 += drivers/terminal/terminal_arm64.c
src-x86 += drivers/terminal/terminal_x86.c
