# SPDX-License-Identifier: BSD-2-Clause
# Machine pc: its tables, its kernels, its disks.
unit-acpi := vm/firmware/acpi.c vm/firmware/acpi_dsdt.c vm/firmware/acpi_aml.c vm/firmware/e820.c
pc-images := vm/image/image.c vm/image/elf.c vm/image/image_x86.c vm/image/image_elf.c vm/image/image_raw.c vm/image/image_bzimage.c \
             vm/image/image_pvh.c vm/image/image_multiboot.c vm/image/image_flat.c vm/image/image_boot_sector.c \
             vm/firmware/e820.c vm/config/config.c
unit-image_x86 := $(pc-images) tests/unit/fake_guest_ram.c
unit-machine_pc = vm/machine/machine.c vm/machine/machines_x86.c vm/machine/machine_pc.c vm/machine/machine_bare.c vm/ram_disk.c \
                  $(pc-images) vm/firmware/acpi.c vm/firmware/acpi_dsdt.c \
                  vm/firmware/acpi_aml.c vm/console.c vm/state.c kernel/status.c \
                  $(pc-machine-models) $(vdev-memory) $(vdev-timer)
unit-ram_disk := vm/ram_disk.c kernel/status.c $(vdev-memory)
pc-machine-models := $(addprefix vm/devices/,debug_console.c uart16550.c i8042.c i8042_keyboard.c \
                       i8042_keys.c cmos.c cmos_registers.c cmos_time.c cmos_memory.c ide.c ide_ata.c \
                       vga_text.c vga_screen.c pci_host.c acpi_pm.c pc_reset.c debug_exit.c) \
                     drivers/keyboard/us_layout.c
