# SPDX-License-Identifier: BSD-2-Clause
src-x86 += drivers/keyboard/keyboard.c drivers/keyboard/scan_codes.c drivers/keyboard/us_layout.c
