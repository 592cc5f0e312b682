# SPDX-License-Identifier: BSD-2-Clause
# A PC's device models and its port space.
pc-devices := $(addprefix vm/devices/,uart16550.c i8042.c i8042_keyboard.c i8042_keys.c cmos.c \
                cmos_registers.c cmos_time.c cmos_memory.c ide.c ide_ata.c vga_text.c vga_screen.c \
                pci_host.c acpi_pm.c pc_reset.c debug_exit.c) drivers/keyboard/us_layout.c

unit-pio := vm/pio.c
unit-ports = vm/ports.c tests/unit/fake_hypercall.c $(vm-core)
unit-uart16550 := vm/devices/uart16550.c $(vdev-base)
unit-i8042 := $(addprefix vm/devices/,i8042.c i8042_keyboard.c i8042_keys.c) drivers/keyboard/us_layout.c $(vdev-base) $(vdev-timer)
unit-cmos := $(addprefix vm/devices/,cmos.c cmos_registers.c cmos_time.c cmos_memory.c) \
             $(vdev-base) $(vdev-timer)
unit-ide := vm/devices/ide.c vm/devices/ide_ata.c tests/unit/fake_ram_disk.c $(vdev-base)
unit-vga_text := vm/devices/vga_text.c vm/devices/vga_screen.c $(vdev-base) $(vdev-timer)
unit-pci_host := vm/devices/pci_host.c $(vdev-base)
unit-acpi_pm := $(addprefix vm/devices/,acpi_pm.c pc_reset.c debug_exit.c) $(vdev-base) $(vdev-timer)
