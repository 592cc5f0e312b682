/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A local APIC's page where hardware answers the guest's reads from it: vectors are copied there,
 * and the hardware's page is put where the guest looks for its APIC.
 *
 * All of a VM's vCPUs see one guest-physical space, but each may be in a mode of its own. So the
 * page is there only while all are in xAPIC mode; otherwise every access exits, and the model
 * asks for the mode of the vCPU that made it.
 */

#include "vm/irqchip/x86/pc_irqchip.h"

/* --- vectors --- */

/* 64 of them, in the two registers that begin at `reg`. */
static void show_word(struct virqchip_cpu *cpu, unsigned reg, uint64_t word)
{
    vlapic_set_reg(cpu, reg, (uint32_t)word);
    vlapic_set_reg(cpu, reg + 1, (uint32_t)(word >> 32));
}

static uint64_t show_set(struct virqchip_cpu *cpu, unsigned reg, const struct vector_set *set)
{
    uint64_t any = 0;

    for (unsigned i = 0; i < ARRAY_SIZE(set->word); i++) {
        const uint64_t word = __atomic_load_n(&set->word[i], __ATOMIC_RELAXED);

        show_word(cpu, reg + 2 * i, word);
        any |= word;
    }
    return any;
}

__attribute__((noinline)) void vlapic_show_all(struct virqchip_cpu *cpu)
{
    __atomic_store_n(&cpu->stale, 0, __ATOMIC_SEQ_CST); /* before what may change is read */
    if (show_set(cpu, APIC_IRR, &cpu->irr) != 0)
        __atomic_fetch_or(&cpu->stale, VLAPIC_STALE_IRR, __ATOMIC_RELAXED);
    show_set(cpu, APIC_TMR, &cpu->tmr);
    show_set(cpu, APIC_ISR, &cpu->isr);
}

void vlapic_show_pending(struct virqchip_cpu *cpu)
{
    if (cpu->shown)
        vlapic_show_all(cpu);
}

void vlapic_show_service(struct virqchip_cpu *cpu, unsigned vector)
{
    const unsigned word = vector / 64;

    show_word(cpu, APIC_ISR + 2 * word, cpu->isr.word[word]);
}

/* Mostly nothing was pending before, and nothing is left. */
__attribute__((noinline)) void vlapic_show_taken(struct virqchip_cpu *cpu, unsigned vector)
{
    _Static_assert(sizeof(cpu->irr.word) == 4 * sizeof(uint64_t), "a loop would take longer");
    const uint64_t pending = READ_ONCE(cpu->irr.word[0]) | READ_ONCE(cpu->irr.word[1]) |
                             READ_ONCE(cpu->irr.word[2]) | READ_ONCE(cpu->irr.word[3]);

    if (likely(pending == 0 && READ_ONCE(cpu->stale) == 0))
        vlapic_show_service(cpu, vector);
    else
        vlapic_show_all(cpu);
}

/* --- the place --- */

static bool all_have_a_page(const struct virqchip *chip)
{
    for (unsigned id = 0; id < chip->cpus; id++)
        if (!vlapic_enabled(&chip->cpu[id]) || vlapic_is_x2(&chip->cpu[id]))
            return false;
    return true;
}

/* Where there is no memory for tables, accesses exit as without the hardware. */
void vlapic_place(struct virqchip *chip)
{
    const gpa_t at = gpa(VLAPIC_BASE);
    paddr_t page;
    bool wanted;

    if (!hv->apic_place(&page))
        return;
    spin_lock(&chip->place_lock);
    wanted = all_have_a_page(chip);
    if (wanted && !chip->placed)
        chip->placed = aspace_cover(&chip->vm->space, at, page) == OK;
    else if (!wanted && chip->placed)
        chip->placed = aspace_uncover(&chip->vm->space, at) != OK;
    spin_unlock(&chip->place_lock);
}
