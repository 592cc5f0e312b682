# SPDX-License-Identifier: BSD-2-Clause
#
# The memory subsystem. $(unit-memory) is what most tests of the portable rooms stand on.

unit-memory = kernel/pmm.c kernel/pmm_system.c kernel/bootmem.c kernel/status.c tests/unit/fake_panic.c \
              arch/fake/fake_ram.c arch/fake/fake_mem.c arch/fake/fake_cpu.c

unit-bootmem = kernel/bootmem.c kernel/status.c
unit-pmm = $(unit-memory)
unit-pmm_random = $(unit-memory)
unit-libs-pmm_random := -lpthread
unit-pmm_system = $(unit-memory)
unit-vmo = kernel/vmo.c $(unit-memory)
unit-page_fault = kernel/page_fault.c kernel/vmo.c $(unit-memory)
unit-pagetable = kernel/pagetable.c kernel/pagetable_walk.c arch/fake/fake_mmu.c $(unit-memory)
unit-tag = kernel/tag.c arch/fake/fake_mmu.c tests/unit/fake_panic.c
unit-string = arch/fake/fake_mem.c
