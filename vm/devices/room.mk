# SPDX-License-Identifier: BSD-2-Clause
src-y += vm/devices/vdev_timer.c vm/devices/debug_console.c vm/devices/flash.c vm/devices/flash_cfi.c vm/devices/fw_cfg.c
src-arm64 += vm/devices/pl011.c vm/devices/pl031.c vm/devices/pl061.c
