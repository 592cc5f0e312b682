# SPDX-License-Identifier: BSD-2-Clause
vdev-base := vm/state.c vm/console.c tests/unit/fake_wired.c tests/unit/fake_panic.c
vdev-timer := vm/devices/vdev_timer.c kernel/timer.c arch/fake/fake_timer.c arch/fake/fake_cpu.c
vdev-memory := kernel/pmm.c kernel/pmm_system.c kernel/vmo.c kernel/bootmem.c arch/fake/fake_ram.c arch/fake/fake_mem.c \
               tests/unit/fake_panic.c
vdev-models := $(addprefix vm/devices/,debug_console.c pl011.c pl031.c pl061.c flash.c flash_cfi.c fw_cfg.c)

unit-state := vm/state.c
unit-console := vm/console.c tests/unit/fake_wired.c
unit-debug_console := vm/devices/debug_console.c $(vdev-base)
unit-pl011 := vm/devices/pl011.c $(vdev-base)
unit-pl031 := vm/devices/pl031.c vm/state.c tests/unit/fake_wired.c $(vdev-timer)
unit-pl061 := vm/devices/pl061.c vm/state.c tests/unit/fake_wired.c tests/unit/fake_panic.c $(vdev-timer)
unit-flash := vm/devices/flash.c vm/devices/flash_cfi.c vm/state.c $(vdev-memory)
unit-fw_cfg := vm/devices/fw_cfg.c vm/state.c tests/unit/fake_wired.c
unit-vdev_timer := $(vdev-timer)
unit-vdev_roundtrip = $(vdev-models) $(pc-devices) tests/unit/fake_ram_disk.c vm/state.c vm/console.c \
                       $(vdev-memory) $(vdev-timer)
