/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The first C after start.S: still on the boot tables and the boot stack.
 */
#include "arch/boot.h"

#include <arch/cpu.h>
#include <arch/io.h>
#include <arch/layout.h>
#include <arch/start.h>

#include "arch/bits.h"
#include "arch/image.h"
#include "arch/mem.h"
#include "arch/x86/x86.h"

#define IMAGE_PHYS SIZE_2M /* linker/x86.lds.S */

#define ENTRY_TABLE (BIT(0) | BIT(1))
#define ENTRY_BLOCK (ENTRY_TABLE | BIT(5) | BIT(6) | BIT(7) | BIT(63)) /* RW, no execution */
#define ENTRY_ADDRESS GENMASK(51, 12)

#define BOOT_L2_USED 4 /* by start.S, for the low 4 GiB */
#define BOOT_L2_TABLES 8
#define BOOT_L3_REACH (512 * SIZE_1G)

#define UART_LSR 5
#define LSR_THRE BIT(5)

_Noreturn void x86_boot(uint32_t magic, uint32_t info)
{
    const struct boot_info boot = {
        .firmware = paddr(info),
        .magic = magic,
        .image_start = paddr(IMAGE_PHYS),
        .image_end = x86_image_to_phys(__image_end),
    };

    x86_tables_init(0);
    x86_features_init();
    x86_mmu_init();
    socle_main(&boot);
}

paddr_t x86_image_to_phys(const void *in_image)
{
    return paddr(IMAGE_PHYS + (uint64_t)((const char *)in_image - __image_start));
}

/* The L2 table for the 1 GiB of entry `l3`, one of the image's few; NULL: none left. */
static uint64_t *direct_map_l2(uint64_t *l3)
{
    static unsigned used = BOOT_L2_USED;

    for (unsigned i = 0; i < used; i++) {
        if ((*l3 & ENTRY_ADDRESS) == x86_image_to_phys(boot_l2_dm[i]).raw)
            return boot_l2_dm[i];
    }
    if (used == BOOT_L2_TABLES)
        return NULL;
    *l3 = x86_image_to_phys(boot_l2_dm[used]).raw | ENTRY_TABLE;
    return boot_l2_dm[used++];
}

status_t arch_boot_map_ram(paddr_t base, uint64_t bytes)
{
    uint64_t at = MAX(ALIGN_UP(base.raw, SIZE_2M), BOOT_MAPPED_BYTES);
    const uint64_t end = ALIGN_DOWN(base.raw + bytes, SIZE_2M);

    while (at < end) {
        uint64_t *const l3 = &boot_l3_dm[at / SIZE_1G % 512];

        if (at >= BOOT_L3_REACH)
            return ERR_NO_MEMORY;
        if (x86_has_1g_pages() && *l3 == 0 && IS_ALIGNED(at, SIZE_1G) && end - at >= SIZE_1G) {
            *l3 = at | ENTRY_BLOCK;
            at += SIZE_1G;
            continue;
        }
        uint64_t *const l2 = direct_map_l2(l3);

        if (l2 == NULL)
            return ERR_NO_MEMORY;
        l2[at / SIZE_2M % 512] = at | ENTRY_BLOCK;
        at += SIZE_2M;
    }
    return OK;
}

void x86_set_start_page(paddr_t page)
{
    asm_mem_copy(phys_to_virt(page), trampoline_start, (size_t)(trampoline_end - trampoline_start));
    x86_start_page = (uint8_t)(page.raw >> PAGE_SHIFT);
}

void arch_early_print(const char *text)
{
    for (; *text != '\0'; text++) {
        while (!(port_read8(EARLY_UART + UART_LSR) & LSR_THRE))
            cpu_relax();
        port_write8(EARLY_UART, (uint8_t)*text);
    }
}
