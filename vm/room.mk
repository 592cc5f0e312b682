# SPDX-License-Identifier: BSD-2-Clause
src-y += vm/config.c vm/bundle.c vm/bundle_vm.c
src-y += vm/image.c vm/image_linux.c vm/image_elf.c vm/image_raw.c
src-y += vm/machine.c
src-arm64 += vm/machines_arm64.c vm/machine_bare.c vm/machine_virt.c vm/machine_virt_map.c vm/virt_flash.c
src-y += vm/main.c vm/vm.c vm/vm_list.c vm/vm_parts.c vm/vm_end.c vm/vcpu.c vm/aspace.c vm/aspace_copy.c vm/guest_memory.c
src-y += vm/exit.c vm/exit_memory.c vm/state.c vm/console.c vm/report.c vm/stats.c vm/entropy.c
src-arm64 += vm/smccc.c vm/psci.c vm/trng.c
