# SPDX-License-Identifier: BSD-2-Clause
fake-cpu := arch/fake/fake_cpu.c arch/fake/fake_smp.c arch/fake/fake_timer.c
unit-log := kernel/log.c kernel/lib/format.c
unit-timer := kernel/timer.c kernel/percpu.c tests/unit/fake_panic.c $(fake-cpu)
unit-libs-timer := -lpthread
unit-irq := kernel/irq.c kernel/log.c kernel/lib/format.c tests/unit/fake_panic.c
unit-sched := kernel/sched.c kernel/run_queue.c kernel/timer.c kernel/percpu.c kernel/irq.c kernel/log.c \
              kernel/lib/format.c tests/unit/fake_panic.c $(fake-cpu)
unit-libs-sched := -lpthread
unit-sched_share := $(unit-sched)
unit-smp := kernel/smp.c kernel/irq.c kernel/timer.c kernel/percpu.c kernel/log.c kernel/lib/format.c \
            tests/unit/fake_panic.c arch/fake/fake_cpu.c
unit-libs-smp := -lpthread
unit-bootargs := drivers/firmware/bootargs.c
unit-hostfdt := drivers/firmware/fdt.c drivers/firmware/fdt_nodes.c drivers/firmware/fdt_read.c
unit-libs-hostfdt := -lfdt
unit-panic := kernel/panic.c kernel/log.c kernel/lib/format.c
