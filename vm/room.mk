# SPDX-License-Identifier: BSD-2-Clause
src-y += vm/config.c vm/bundle.c vm/bundle_vm.c vm/ram_disk.c
src-y += vm/image.c vm/elf.c vm/image_elf.c vm/image_raw.c
src-arm64 += vm/images_arm64.c vm/image_linux.c
src-x86 += vm/image_x86.c vm/image_bzimage.c vm/image_pvh.c vm/image_multiboot.c vm/image_flat.c
src-x86 += vm/image_boot_sector.c
src-y += vm/machine.c vm/machine_bare.c
src-arm64 += vm/machines_arm64.c vm/machine_virt.c vm/machine_virt_map.c vm/virt_flash.c
src-x86 += vm/machines_x86.c vm/machine_pc.c
src-y += vm/main.c vm/vm.c vm/vm_list.c vm/vm_parts.c vm/vm_end.c vm/vcpu.c vm/aspace.c vm/aspace_copy.c vm/guest_memory.c
src-y += vm/pio.c vm/ports.c vm/exit.c vm/exit_memory.c vm/state.c vm/console.c vm/report.c vm/stats.c vm/entropy.c
src-arm64 += vm/exit_arm64.c vm/smccc.c vm/psci.c vm/trng.c
src-x86 += vm/exit_x86.c
