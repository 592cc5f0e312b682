/* SPDX-License-Identifier: BSD-2-Clause */
/* What holds of a GIC's model and of the list registers, whatever its guest did. */
#include "tests/unit/vgic_machine.h"

static void check_list_registers(unsigned id)
{
    struct virqchip_cpu *cpu = interface_of(id);
    bool seen[1024] = { false };

    for (unsigned n = 0; n < gich.lrs; n++) {
        uint64_t lr = gich.ops->read_lr(n);
        unsigned intid = (unsigned)FIELD_GET(LR_VINTID, lr);

        if (!(cpu->used >> n & 1)) {
            assert_false(lr & LR_STATE);
            continue;
        }
        assert_true(intid < VGIC_INTIDS);
        assert_false(seen[intid]);
        seen[intid] = true;
        assert_true(vgic_bank(cpu, intid)->listed >> intid % 32 & 1);
        assert_false((lr & LR_HW) && (lr & LR_STATE) == LR_STATE);
    }
}

static void check_bank(const struct vgic_bank *bank)
{
    assert_int_equal(bank->moved & ~bank->listed, 0);
    assert_int_equal(bank->forced & ~bank->listed, 0);
    for (unsigned i = 0; i < 32; i++)
        assert_int_equal(bank->priority[i] & 7, 0);
}

void check_invariants(void)
{
    unsigned selected = fake_selected_cpu();

    for (unsigned id = 0; id < vm.config.cpus; id++) {
        struct virqchip_cpu *cpu = interface_of(id);

        on(id);
        assert_int_equal(cpu->lock.held, 0);
        check_bank(&cpu->bank);
        if (cpu->loaded)
            check_list_registers(id);
        else
            assert_int_equal(cpu->bank.listed, 0);
        assert_int_equal(cpu->hw & ~VGIC_TIMERS, 0);
        for (unsigned irq = 26; irq < 32; irq++)
            assert_true(!physical_active[id][irq] || (cpu->hw >> irq & 1));
    }
    assert_int_equal(vm.irqchip->lock.held, 0);
    for (unsigned word = 0; word < VGIC_SPI_BANKS; word++) {
        check_bank(&vm.irqchip->spi[word].bank);
        for (unsigned i = 0; i < 32; i++)
            assert_true(vm.irqchip->spi[word].owner[i] < vm.config.cpus);
    }
    on(selected);
}
