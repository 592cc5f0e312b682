# SPDX-License-Identifier: BSD-2-Clause
#
# A PC's interrupt controllers, driven as a guest drives them (pc_machine.c).

pc-irqchip := $(wildcard vm/irqchip/x86/*.c) vm/devices/vdev_timer.c vm/state.c \
              arch/fake/fake_timer.c arch/fake/fake_cpu.c tests/unit/fake_panic.c \
              tests/unit/fake_wired.c tests/unit/fake_timers.c tests/unit/pc_machine.c \
              tests/unit/pc_cpu.c
pc-flags := -Itests/unit/x86_fake_cpu -Iarch/x86/include

unit-vlapic := $(pc-irqchip)
unit-flags-vlapic := $(pc-flags)
unit-vlapic_delivery := $(pc-irqchip)
unit-flags-vlapic_delivery := $(pc-flags)
unit-vlapic_priority := $(pc-irqchip)
unit-flags-vlapic_priority := $(pc-flags)
unit-vlapic_page := $(pc-irqchip)
unit-flags-vlapic_page := $(pc-flags)
unit-vlapic_timer := $(pc-irqchip)
unit-flags-vlapic_timer := $(pc-flags)
unit-vioapic := $(pc-irqchip)
unit-flags-vioapic := $(pc-flags)
unit-vpic := $(pc-irqchip)
unit-flags-vpic := $(pc-flags)
unit-vpit := $(pc-irqchip)
unit-flags-vpit := $(pc-flags)
unit-exit_x86 := vm/exit.c vm/exit_x86.c vm/pio.c $(pc-irqchip)
unit-flags-exit_x86 := $(pc-flags)
unit-pc_irqchip := $(pc-irqchip)
unit-flags-pc_irqchip := $(pc-flags)
