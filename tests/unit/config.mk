# SPDX-License-Identifier: BSD-2-Clause
# Configuration, bundle, images, machines, the guests' device tree.
unit-config := vm/config/config.c
unit-bundle := vm/config/bundle.c vm/config/bundle_vm.c vm/config/config.c
unit-libs-bundle := -lfdt
unit-image := vm/image/image.c vm/image/images_arm64.c vm/image/elf.c vm/image/image_linux.c vm/image/image_elf.c vm/image/image_raw.c \
              vm/config/config.c tests/unit/fake_guest_ram.c
unit-guestfdt := vm/firmware/guest_fdt.c vm/firmware/guest_fdt_patch.c vm/firmware/fdt_writer.c \
                 vm/machine/machine_virt_map.c vm/config/config.c kernel/lib/format.c
unit-flags-guestfdt := -Iarch/fake/include -Iarch/arm64/include
unit-libs-guestfdt := -lfdt
unit-machine = vm/machine/machine.c vm/machine/machines_arm64.c vm/machine/machine_virt.c vm/machine/machine_virt_map.c \
                vm/machine/machine_bare.c vm/machine/virt_flash.c vm/image/image.c vm/image/images_arm64.c vm/image/elf.c vm/image/image_linux.c vm/image/image_elf.c \
                vm/image/image_raw.c vm/config/config.c vm/console.c vm/state.c kernel/status.c \
                kernel/lib/format.c vm/firmware/guest_fdt.c vm/firmware/guest_fdt_create.c \
                vm/firmware/guest_fdt_patch.c vm/firmware/fdt_writer.c \
                $(vdev-models) $(vdev-memory) $(vdev-timer)
unit-flags-machine := -Iarch/fake/include -Iarch/arm64/include
unit-libs-machine := -lfdt
