/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A boot sector: 512 bytes at 0x7c00, entered as a BIOS does, in real mode with 0x80 (the
 * first hard disk) in dl. There is no BIOS to call: a few instructions of ours set that up.
 */

#include "kernel/lib/string.h"
#include "vm/image/image_x86.h"
#include "vm/vm.h"

#define SECTOR_BYTES 512u
#define SIGNATURE_OFFSET 510u
#define SIGNATURE 0xaa55u
#define LOAD 0x7c00u

static bool boot_sector_matches(const struct blob *kernel)
{
    uint16_t signature;

    if (kernel->bytes != SECTOR_BYTES)
        return false;
    memcpy(&signature, (const uint8_t *)kernel->data + SIGNATURE_OFFSET, sizeof(signature));
    return signature == SIGNATURE;
}

static status_t boot_sector_place(const struct vm_config *config, struct image_place *out)
{
    if (config->kernel.bytes != SECTOR_BYTES)
        return image_reject(config, "kernel", "not a boot sector: not 512 bytes");
    if (!boot_sector_matches(&config->kernel))
        return image_reject(config, "kernel", "not a boot sector: no 0x55 0xaa at its end");
    if (config->has_load || config->has_entry)
        return image_reject(config, "kernel",
                            "a boot sector goes to 0x7c00: leave out 'load' "
                            "and 'entry'");
    if (config->initrd.data != NULL)
        return image_reject(config, "initrd", "a boot sector is told of none");
    *out = (struct image_place){ gpa(LOAD), gpa(LOAD + SECTOR_BYTES), gpa(LOW_STARTER), 0 };
    return image_check_fit(config, "kernel", 0, LOAD + SECTOR_BYTES);
}

static status_t boot_sector_start(struct vm *vm, const struct image_plan *plan,
                                  struct hv_reset *start)
{
    static const uint8_t starter[] = {
        0x31, 0xc0,                   /* xor ax, ax      */
        0x8e, 0xd8,                   /* mov ds, ax      */
        0x8e, 0xc0,                   /* mov es, ax      */
        0x8e, 0xd0,                   /* mov ss, ax      */
        0xbc, 0x00, 0x7c,             /* mov sp, 0x7c00  */
        0xb2, 0x80,                   /* mov dl, 0x80    */
        0xea, 0x00, 0x7c, 0x00, 0x00, /* jmp 0x0:0x7c00  */
    };

    start->mode = HV_MODE_RESET;
    start->entry = plan->entry.raw;
    return vm_write_guest(vm, gpa(LOW_STARTER), starter, sizeof(starter));
}

const struct image_format image_boot_sector = {
    .matches = boot_sector_matches,
    .place = boot_sector_place,
    .load = image_load_flat,
    .start = boot_sector_start,
};
