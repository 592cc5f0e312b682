# SPDX-License-Identifier: BSD-2-Clause
src-y += vm/devices/vdev_timer.c vm/devices/debug_console.c vm/devices/flash.c vm/devices/flash_cfi.c vm/devices/fw_cfg.c
src-arm64 += vm/devices/pl011.c vm/devices/pl031.c vm/devices/pl061.c
src-x86 += vm/devices/uart16550.c vm/devices/i8042.c vm/devices/i8042_keyboard.c vm/devices/i8042_keys.c
src-x86 += vm/devices/cmos.c vm/devices/cmos_registers.c vm/devices/cmos_time.c vm/devices/cmos_memory.c
src-x86 += vm/devices/ide.c vm/devices/ide_ata.c vm/devices/vga_text.c vm/devices/vga_screen.c
src-x86 += vm/devices/pci_host.c vm/devices/acpi_pm.c vm/devices/pc_reset.c vm/devices/debug_exit.c
