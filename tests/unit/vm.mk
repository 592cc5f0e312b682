# SPDX-License-Identifier: BSD-2-Clause
#
# The core of vm/, over the real kernel/ and a fake machine (fake_vm_parts.c).

vm-kernel := kernel/pagetable.c kernel/pagetable_walk.c kernel/tag.c kernel/vmo.c kernel/pmm.c kernel/pmm_system.c \
             kernel/bootmem.c kernel/sched.c kernel/run_queue.c kernel/timer.c kernel/irq.c kernel/percpu.c \
             kernel/log.c kernel/lib/format.c kernel/status.c tests/unit/fake_panic.c \
             $(addprefix arch/fake/fake_,ram.c mem.c mmu.c cpu.c smp.c timer.c hv.c)
vm-core := $(addprefix vm/,vm.c pio.c vm_list.c vm_parts.c vm_end.c vcpu.c aspace.c aspace_copy.c \
             guest_memory.c exit.c exit_arm64.c exit_memory.c report.c stats.c) vm/config/config.c \
           tests/unit/fake_vm_parts.c $(vm-kernel)

unit-aspace := vm/aspace.c vm/aspace_copy.c $(vm-kernel)
unit-vm := tests/unit/fake_hypercall.c $(vm-core)
unit-vm_end := tests/unit/fake_hypercall.c $(vm-core)
unit-vm_calls := tests/unit/fake_hypercall.c $(vm-core)
unit-libs-vm_calls := -lpthread
unit-vcpu := tests/unit/fake_hypercall.c $(vm-core)
unit-vcpu_memory := $(unit-vcpu)
unit-vcpu_off := tests/unit/fake_hypercall.c $(vm-core)
unit-guest_memory := tests/unit/fake_hypercall.c $(vm-core)
unit-psci := vm/hypercall/smccc.c vm/hypercall/psci.c vm/hypercall/trng.c vm/hypercall/entropy.c $(vm-core)
