# SPDX-License-Identifier: BSD-2-Clause
src-y += kernel/bootmem.c kernel/pmm.c kernel/pmm_system.c kernel/vmo.c kernel/page_fault.c
src-y += kernel/pagetable.c kernel/pagetable_walk.c kernel/tag.c
src-y += kernel/sched.c kernel/run_queue.c kernel/timer.c kernel/irq.c kernel/smp.c kernel/percpu.c
src-y += kernel/hypspace.c kernel/memory.c
src-y += kernel/log.c kernel/panic.c kernel/status.c
src-y += kernel/lib/format.c
src-y += kernel/lib/string.c kernel/lib/stack_protector.c
