/* SPDX-License-Identifier: BSD-2-Clause */
/* The memory map: RAM but for what is reserved, and that. */

#include "vm/firmware/e820.h"

#include "arch/bits.h"
#include "vm/machine/machine_pc.h"

static const struct e820_entry reserved[E820_RESERVED_MAX] = {
    { PC_ROM_BASE, PC_ROM_END - PC_ROM_BASE, E820_RESERVED },
    { PC_ECAM_BASE, PC_ECAM_BYTES, E820_RESERVED },
};

/* Insertion keeps the order; there are few. */
static void insert(struct e820_entry *entries, unsigned *count, uint64_t base, uint64_t end,
                   uint32_t type)
{
    unsigned at = (*count)++;

    for (; at > 0 && entries[at - 1].base > base; at--)
        entries[at] = entries[at - 1];
    entries[at] = (struct e820_entry){ base, end - base, type };
}

/* [base, end) without what is reserved, which lies in the order of addresses. */
static void insert_ram(struct e820_entry *entries, unsigned *count, uint64_t base, uint64_t end)
{
    for (unsigned i = 0; i < E820_RESERVED_MAX && base < end; i++) {
        const uint64_t from = reserved[i].base, to = from + reserved[i].size;

        if (end <= from || base >= to)
            continue;
        if (base < from)
            insert(entries, count, base, from, E820_RAM);
        base = to;
    }
    if (base < end)
        insert(entries, count, base, end, E820_RAM);
}

unsigned e820_make(const struct vm_config *config, struct e820_entry out[E820_MAX])
{
    unsigned count = 0;

    for (unsigned i = 0; pc_is(config) && i < E820_RESERVED_MAX; i++)
        insert(out, &count, reserved[i].base, reserved[i].base + reserved[i].size, E820_RESERVED);
    for (unsigned i = 0; i < config->ram_count; i++) {
        const uint64_t base = config->ram[i].base.raw, end = base + config->ram[i].size;

        if (pc_is(config))
            insert_ram(out, &count, base, end);
        else
            insert(out, &count, base, end, E820_RAM);
    }
    return count;
}
