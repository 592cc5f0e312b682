# SPDX-License-Identifier: BSD-2-Clause
src-arm64 += drivers/power/power.c
src-x86 += drivers/power/power_pc.c
