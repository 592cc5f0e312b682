/* SPDX-License-Identifier: BSD-2-Clause */
/* arm64: the kernels that there are. */

#include "vm/image/elf.h"
#include "vm/image/image_format.h"

const struct image_kind image_kinds[] = {
    { VM_IMAGE_LINUX, &image_linux },
    { VM_IMAGE_ELF, &image_elf },
    { VM_IMAGE_RAW, &image_raw },
    { 0 },
};

const char *elf_check_machine(bool is64, uint16_t machine)
{
    if (!is64)
        return "ELF header: ei_class is not ELF64";
    return machine == EM_AARCH64 ? NULL : "ELF header: e_machine is not AArch64";
}

const struct image_format image_elf = {
    .matches = elf_matches,
    .place = image_elf_place,
    .load = image_elf_load,
};
