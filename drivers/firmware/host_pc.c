/* SPDX-License-Identifier: BSD-2-Clause */
/* x86: what the boot loader tells (Multiboot) and the firmware (ACPI). */

#include <arch/layout.h>
#include <arch/start.h>
#include <arch/vectors.h>

#include "arch/bits.h"
#include "drivers/firmware/acpi.h"
#include "drivers/firmware/multiboot.h"

#define COM1_PORT 0x3f8
#define COM1_PORTS 8
#define COM1_ISA_IRQ 4
#define KEYBOARD_ISA_IRQ 1

#define START_PAGE_END 0x9f000 /* many a BIOS uses what is above without saying so */

static const uint8_t *boot_memory(uint64_t base, uint64_t bytes)
{
    if (base > BOOT_MAPPED_BYTES || bytes > BOOT_MAPPED_BYTES - base)
        return NULL;
    return phys_to_virt(paddr(base));
}

static bool in_a_bank(const struct host_info *info, struct host_range range)
{
    for (unsigned i = 0; i < info->bank_count; i++) {
        const uint64_t offset = range.base.raw - info->banks[i].base.raw;

        if (offset < info->banks[i].bytes && range.bytes <= info->banks[i].bytes - offset)
            return true;
    }
    return false;
}

/* The highest page of the low memory that the bundle is not in; page 0 is the BIOS's. */
static void choose_start_page(const struct host_range *low, const struct host_range *bundle)
{
    const uint64_t first = MAX(ALIGN_UP(low->base.raw, PAGE_SIZE), PAGE_SIZE);
    uint64_t end = ALIGN_DOWN(MIN(low->base.raw + low->bytes, START_PAGE_END), PAGE_SIZE);

    if (bundle->base.raw < end && bundle->base.raw + bundle->bytes > end - PAGE_SIZE)
        end = ALIGN_DOWN(bundle->base.raw, PAGE_SIZE);
    if (end >= first + PAGE_SIZE)
        x86_set_start_page(paddr(end - PAGE_SIZE));
}

static uint32_t isa_irq(const struct host_info *info, unsigned irq)
{
    return VECTOR_GSI_BASE + info->pc.isa[irq].gsi;
}

static void add_terminals(struct host_info *out)
{
    out->uart = (struct host_uart){
        .kind = HOST_UART_16550,
        .ports = true,
        .regs = { paddr(COM1_PORT), COM1_PORTS },
        .irq = isa_irq(out, COM1_ISA_IRQ),
    };
    out->keyboard_irq = isa_irq(out, KEYBOARD_ISA_IRQ);
}

status_t host_info_read(const struct boot_info *boot, struct host_info *out, const char **why)
{
    static struct multiboot_facts facts;
    status_t status;

    *out = (struct host_info){ .bootargs = "" };
    status = multiboot_read(boot_memory, boot->magic, boot->firmware.raw, out, &facts, why);
    if (status != OK)
        return status;
    status = acpi_read(boot_memory, facts.rsdp != 0 ? facts.rsdp : acpi_find_rsdp(boot_memory), out,
                       why);
    if (status != OK)
        return status;
    *why = "Multiboot: the bundle lies in memory that cannot be used: too many pieces of it";
    if (out->initrd.bytes != 0 && !in_a_bank(out, out->initrd))
        return ERR_INVALID_ARGS;
    choose_start_page(&facts.low, &out->initrd);
    add_terminals(out);
    out->timer.hypervisor = VECTOR_TIMER;
    return OK;
}
