/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The arm64 Linux `Image` (Documentation/arch/arm64/booting.rst). It goes text_offset past a
 * multiple of 2 MiB, as low in RAM as possible; image_size counts its bss.
 */

#include "arch/bits.h"
#include "kernel/lib/string.h"
#include "vm/image/image_format.h"

#define MAGIC 0x644d5241u        /* "ARM\x64" */
#define OLD_TEXT_OFFSET 0x80000u /* before Linux 3.17, which also leaves image_size 0 */

struct linux_header {
    uint32_t code[2];
    uint64_t text_offset;
    uint64_t image_size;
    uint64_t flags; /* byte order, page size: the guest's own affair */
    uint64_t reserved[3];
    uint32_t magic;
    uint32_t pe_header;
};

_Static_assert(offsetof(struct linux_header, magic) == 0x38, "as documented");

static bool linux_matches(const struct blob *kernel)
{
    struct linux_header header;

    if (kernel->bytes < sizeof(header))
        return false;
    memcpy(&header, kernel->data, sizeof(header));
    return header.magic == MAGIC;
}

static status_t linux_place(const struct vm_config *config, struct image_place *out)
{
    struct linux_header header;
    uint64_t offset, base, size;
    status_t status;

    if (!linux_matches(&config->kernel))
        return image_reject(config, "kernel", "not an arm64 Image: no magic at offset 0x38");
    memcpy(&header, config->kernel.data, sizeof(header));
    offset = header.image_size != 0 ? header.text_offset : OLD_TEXT_OFFSET;
    if (offset >= SIZE_2M)
        return image_reject(config, "kernel", "Image header: text_offset is not below 2 MiB");
    base = ALIGN_UP(config->ram[0].base.raw, SIZE_2M) + offset;
    if (config->has_load)
        base = config->load.raw;
    if (base % SIZE_2M != offset)
        return image_reject(config, "load", "not Image's text_offset past a multiple of 2 MiB");
    size = MAX(header.image_size, (uint64_t)config->kernel.bytes);
    status = image_check_fit(config, "kernel", base, size);
    if (status == OK)
        *out = (struct image_place){ gpa(base), gpa(base + size), gpa(base), 0 };
    return status;
}

const struct image_format image_linux = {
    .matches = linux_matches,
    .place = linux_place,
    .load = image_load_flat,
};
