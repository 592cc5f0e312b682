# SPDX-License-Identifier: BSD-2-Clause
# Configuration, bundle, images, machines, the guests' device tree.
unit-bundle := vm/bundle.c vm/bundle_vm.c vm/config.c
unit-libs-bundle := -lfdt
unit-image := vm/image.c vm/images_arm64.c vm/elf.c vm/image_linux.c vm/image_elf.c vm/image_raw.c \
              vm/config.c
unit-guestfdt := vm/firmware/guest_fdt.c vm/firmware/guest_fdt_patch.c vm/firmware/fdt_writer.c \
                 vm/machine_virt_map.c vm/config.c kernel/lib/format.c
unit-flags-guestfdt := -Iarch/fake/include -Iarch/arm64/include
unit-libs-guestfdt := -lfdt
unit-machine = vm/machine.c vm/machines_arm64.c vm/machine_virt.c vm/machine_virt_map.c \
                vm/machine_bare.c vm/virt_flash.c vm/image.c vm/images_arm64.c vm/elf.c vm/image_linux.c vm/image_elf.c \
                vm/image_raw.c vm/config.c vm/console.c vm/state.c kernel/status.c \
                kernel/lib/format.c vm/firmware/guest_fdt.c vm/firmware/guest_fdt_create.c \
                vm/firmware/guest_fdt_patch.c vm/firmware/fdt_writer.c \
                $(vdev-models) $(vdev-memory) $(vdev-timer)
unit-flags-machine := -Iarch/fake/include -Iarch/arm64/include
unit-libs-machine := -lfdt
