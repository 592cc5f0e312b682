# SPDX-License-Identifier: BSD-2-Clause
src-y += drivers/rtc/rtc.c
src-arm64 += drivers/rtc/pl031.c
src-x86 += drivers/rtc/cmos.c
