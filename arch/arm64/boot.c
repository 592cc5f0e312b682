/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The first C after start.S: still on the boot tables and the boot stack.
 */
#include "arch/boot.h"

#include <arch/cpu.h>
#include <arch/io.h>
#include <arch/layout.h>

#include "arch/arm64/arm64.h"
#include "arch/arm64/regs.h"
#include "arch/bits.h"
#include "arch/image.h"
#include "arch/mem.h"

#define BLOCK_RAM (DESC_VALID | DESC_AP1 | DESC_AF | DESC_SH_INNER | DESC_ATTR_NORMAL | DESC_XN)

#define UARTDR 0x00
#define UARTFR 0x18
#define FR_TXFF BIT(5)

static uint64_t image_pa;

void arm64_boot(uint64_t fdt, uint64_t image)
{
    const struct boot_info boot = {
        .firmware = paddr(fdt),
        .image_start = paddr(image),
        .image_end = paddr(image + (uint64_t)(__image_end - __image_start)),
    };

    image_pa = image;
    socle_main(&boot);
}

uint64_t arm64_image_to_phys(const void *in_image)
{
    return image_pa + (uint64_t)((const char *)in_image - __image_start);
}

/* The L2 table for the 1 GiB around `base`, one of the image's few; NULL: none left. */
static uint64_t *direct_map_l2(uint64_t base)
{
    static unsigned used = 2; /* by start.S, for the device tree */
    uint64_t *const entry = &boot_l1_dm[FIELD_GET(GENMASK(38, 30), base)];

    for (unsigned i = 0; i < used; i++) {
        if ((*entry & GENMASK(47, 12)) == arm64_image_to_phys(boot_l2_dm[i]))
            return boot_l2_dm[i];
    }
    if (used == BOOT_L2_TABLES)
        return NULL;
    asm_mem_zero(boot_l2_dm[used], sizeof(boot_l2_dm[used]));
    *entry = arm64_image_to_phys(boot_l2_dm[used]) | DESC_VALID | DESC_TABLE;
    return boot_l2_dm[used++];
}

status_t arch_boot_map_ram(paddr_t base, uint64_t bytes)
{
    uint64_t at = ALIGN_UP(base.raw, SIZE_2M);
    const uint64_t end = ALIGN_DOWN(base.raw + bytes, SIZE_2M);

    while (at < end) {
        uint64_t *const l1 = &boot_l1_dm[FIELD_GET(GENMASK(38, 30), at)];

        if (*l1 == 0 && IS_ALIGNED(at, SIZE_1G) && end - at >= SIZE_1G) {
            *l1 = at | BLOCK_RAM;
            at += SIZE_1G;
            continue;
        }
        uint64_t *const l2 = direct_map_l2(at);

        if (l2 == NULL)
            return ERR_NO_MEMORY;
        const uint64_t stop = MIN(ALIGN_DOWN(at, SIZE_1G) + SIZE_1G, end);

        for (; at < stop; at += SIZE_2M)
            l2[FIELD_GET(GENMASK(29, 21), at)] = at | BLOCK_RAM;
    }
    dsb(ishst);
    isb();
    return OK;
}

void arch_early_print(const char *text)
{
    volatile char *const uart = (volatile char *)(LAYOUT_DYNAMIC + (EARLY_PL011 & (SIZE_2M - 1)));

    for (; *text != '\0'; text++) {
        while (io_read32(uart + UARTFR) & FR_TXFF)
            cpu_relax();
        io_write32(uart + UARTDR, (uint8_t)*text);
    }
}
