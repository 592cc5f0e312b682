# SPDX-License-Identifier: BSD-2-Clause
src-y += vm/config/config.c vm/config/bundle.c vm/config/bundle_vm.c vm/ram_disk.c
src-y += vm/image/image.c vm/image/elf.c vm/image/image_elf.c vm/image/image_raw.c
src-arm64 += vm/image/images_arm64.c vm/image/image_linux.c
src-x86 += vm/image/image_x86.c vm/image/image_bzimage.c vm/image/image_pvh.c vm/image/image_multiboot.c vm/image/image_flat.c
src-x86 += vm/image/image_boot_sector.c
src-y += vm/machine/machine.c vm/machine/machine_bare.c
src-arm64 += vm/machine/machines_arm64.c vm/machine/machine_virt.c vm/machine/machine_virt_map.c vm/machine/virt_flash.c
src-x86 += vm/machine/machines_x86.c vm/machine/machine_pc.c
src-y += vm/main.c vm/vm.c vm/vm_list.c vm/vm_parts.c vm/vm_end.c vm/vcpu.c vm/aspace.c vm/aspace_copy.c vm/guest_memory.c
src-y += vm/pio.c vm/ports.c vm/exit.c vm/exit_memory.c vm/state.c vm/console.c vm/report.c vm/stats.c vm/hypercall/entropy.c
src-arm64 += vm/exit_arm64.c vm/hypercall/smccc.c vm/hypercall/psci.c vm/hypercall/trng.c
src-x86 += vm/exit_x86.c
