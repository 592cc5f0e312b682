# SPDX-License-Identifier: BSD-2-Clause
vgic-sources := $(wildcard vm/irqchip/*.c) vm/state.c arch/fake/fake_gich.c arch/fake/fake_vtimer.c \
                arch/fake/fake_timer.c arch/fake/fake_cpu.c tests/unit/fake_panic.c \
                tests/unit/fake_wired.c tests/unit/fake_timers.c tests/unit/vgic_machine.c \
                tests/unit/vgic_invariants.c
unit-vgic := $(vgic-sources)
unit-vgic_cpus := $(vgic-sources)
unit-vgic_regs := $(vgic-sources)
unit-vgic_hostile := $(vgic-sources)
unit-vgic_v2 := $(vgic-sources)
unit-vtimer := $(vgic-sources)
