# SPDX-License-Identifier: BSD-2-Clause
src-x86 += drivers/keyboard/us_layout.c
