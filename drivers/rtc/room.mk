# SPDX-License-Identifier: BSD-2-Clause
src-arm64 += drivers/rtc/rtc.c
