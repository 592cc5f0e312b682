/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Machine virt with a GIC of either version, whose guest makes exits at random (world.h) and
 * takes its interrupts at random, too.
 */
#include <arch/gich.h>
#include <arch/ipi.h>
#include <arch/smccc.h>
#include <arch/vcpu.h>
#include <arch/vtimer.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "arch/timer.h"
#include "kernel/irq.h"
#include "kernel/percpu.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/guest.h"
#include "tests/fuzz/world.h"
#include "vm/exit.h"
#include "vm/irqchip/irqchip.h"
#include "vm/machine/machine_virt.h"

#define ROUNDS 150
#define EXITS 1500

#define PSCI_FIRST 0x84000000u
#define ALL_OF_IT 0xffffffffu

/* --- the host's interrupt controller: what of the timers is active on each CPU --- */

static uint32_t active[WORLD_CPUS];

static void activate(uint32_t irq)
{
    active[this_cpu()->id] |= 1u << irq;
}

static void deactivate(uint32_t irq)
{
    active[this_cpu()->id] &= ~(1u << irq);
}

static uint32_t take(uint32_t irq)
{
    activate(irq);
    return irq;
}

static uint32_t pending(void)
{
    const uint32_t waiting = ~active[this_cpu()->id];

    if (waiting >> VTIMER_IRQ & 1 && arch_vtimer_asserted(VTIMER_IRQ))
        return take(VTIMER_IRQ);
    if (waiting >> PTIMER_IRQ & 1 && arch_vtimer_asserted(PTIMER_IRQ))
        return take(PTIMER_IRQ);
    return fake_misr() != 0 ? take(gich.maintenance_irq) : IRQ_NONE;
}

static const struct world_ops host = {
    .switch_to = fake_select_cpu,
    .pending = pending,
    .activate = activate,
    .deactivate = deactivate,
};

/* --- the guest --- */

gpa_t guest_address(void)
{
    static const uint32_t registers[] = { 0x000, 0x080, 0x084, 0x104, 0x184, 0x204, 0x284, 0x304,
                                          0x384, 0x420, 0x820, 0xc08, 0xf00, 0xf10, 0xf20 };
    const struct virt_slot *slot = &virt_map[fuzz_below(VIRT_PARTS)];

    switch (fuzz_below(6)) {
    case 0: return gpa(VIRT_RAM_BASE + fuzz_below(5 << 20));
    case 1: return gpa(fuzz_value());
    case 2: return gpa(slot->base + fuzz_below(slot->size + 16));
    case 3:
        return gpa(virt_map[VIRT_GICD].base +
                   (fuzz_one_in(2) ? 0x6000 + 8 * fuzz_below(1024) : 4 * fuzz_below(1024)));
    case 4:
        return gpa(virt_map[VIRT_GICR].base + 0x10000 * fuzz_below(9) +
                   registers[fuzz_below(ARRAY_SIZE(registers))]);
    default: return gpa(slot->base + 4 * fuzz_below(0x40));
    }
}

/* What a flash takes for a command, or anything. */
uint64_t guest_written(void)
{
    static const uint8_t commands[] = { 0x10, 0x20, 0x40, 0x50, 0x60, 0x70,
                                        0x90, 0x98, 0xd0, 0xe8, 0xff, 0x01 };

    return fuzz_one_in(3) ? commands[fuzz_below(sizeof(commands))] : fuzz_value();
}

static struct vm_exit memory(void)
{
    struct vm_exit exit = guest_memory_exit();

    exit.memory.external = !exit.memory.decoded && fuzz_one_in(16);
    return exit;
}

/* SYSTEM_OFF and its kin are 8 and 9. */
static struct vm_exit call(struct hv_vcpu *vcpu)
{
    for (unsigned i = 0; i < 4; i++)
        vcpu->x[i] = fuzz_value();
    vcpu->x[0] = (fuzz_one_in(8) ? fuzz_next() : PSCI_FIRST + fuzz_below(0x60)) |
                 (fuzz_one_in(2) ? SMCCC_64 : 0);
    if ((vcpu->x[0] & ~0x40000001ULL) == PSCI_FIRST + 8 && !fuzz_one_in(8))
        vcpu->x[0] -= 5;
    if (fuzz_one_in(2)) { /* CPU_ON with arguments that it likes */
        vcpu->x[0] = PSCI_FIRST + SMCCC_64 + 3;
        vcpu->x[1] = fuzz_below(5);
        vcpu->x[2] = VIRT_RAM_BASE + 4 * fuzz_below(1000);
    }
    return (struct vm_exit){ .reason = VM_EXIT_HYPERCALL, .hypercall.smc = fuzz_one_in(2) };
}

static struct vm_exit message(void)
{
    struct vm_exit exit = { .reason = VM_EXIT_IPI };

    exit.ipi.kind = (uint8_t)fuzz_below(3);
    exit.ipi.value =
        fuzz_one_in(4) ? fuzz_next() : fuzz_below(16) << 24 | fuzz_below(32) | fuzz_below(2) << 40;
    return exit;
}

/* The distributor forwards, its own interrupts and SPIs are on, and timers' with them. */
static void set_up_gic(struct vcpu *vcpu)
{
    const uint64_t gicd = virt_map[VIRT_GICD].base, gicr = virt_map[VIRT_GICR].base + 0x10000;
    const struct {
        uint64_t address;
        uint32_t value;
    } writes[] = {
        { gicd, 3 },
        { gicd + 0x100, ALL_OF_IT },
        { gicd + 0x104, ALL_OF_IT },
        { gicr + 0x100, ALL_OF_IT },
        { gicr + 0x80, ALL_OF_IT },
    };

    for (unsigned i = 0; i < ARRAY_SIZE(writes); i++) {
        struct vm_exit exit = { .reason = VM_EXIT_MEMORY };

        exit.memory.gpa = gpa(writes[i].address);
        exit.memory.value = writes[i].value;
        exit.memory.access = VM_ACCESS_WRITE;
        exit.memory.size = 4;
        exit.memory.decoded = true;
        (void)exit_memory(vcpu, &exit);
    }
    fake_guest_interface(true, true, 0xff, false);
}

/* Its CPU interface and its timers, which it has without exits. */
void guest_act(struct hv_vcpu *vcpu)
{
    struct vtimer_regs *timers = fake_vtimer_regs();

    if (vcpu->runs++ == 0)
        set_up_gic(container_of(vcpu, struct vcpu, hv));
    switch (fuzz_below(8)) {
    case 0: fake_guest_eoi((uint32_t)fuzz_below(48)); break;
    case 1: fake_guest_dir((uint32_t)fuzz_below(48)); break;
    case 2:
        fake_guest_interface(!fuzz_one_in(4), !fuzz_one_in(4), (uint8_t)(fuzz_next() | 0x80),
                             fuzz_one_in(8));
        break;
    case 3:
        timers->cntv_cval = arch_counter() + (fuzz_next() >> 40);
        timers->cntv_ctl = (uint32_t)fuzz_below(4);
        break;
    case 4:
        timers->cntp_cval = fuzz_one_in(4) ? fuzz_value() : arch_counter() + (fuzz_next() >> 40);
        timers->cntp_ctl = (uint32_t)fuzz_below(4);
        break;
    default: break;
    }
    if (fuzz_one_in(2)) {
        const uint32_t iar = fake_guest_ack();

        if (iar < FAKE_SPURIOUS && !fuzz_one_in(8))
            fake_guest_eoi(iar);
    }
}

struct vm_exit guest_exit(struct hv_vcpu *vcpu)
{
    static const uint8_t others[] = { VM_EXIT_IRQ, VM_EXIT_IRQ, VM_EXIT_HALT, VM_EXIT_YIELD };

    switch (fuzz_below(8)) {
    case 0:
    case 1:
    case 2: return memory();
    case 3: return call(vcpu);
    case 4: return message();
    case 5:
        if (fuzz_one_in(128))
            return (struct vm_exit){ .reason = VM_EXIT_FATAL, .fatal.what = "chance" };
        return memory();
    default: return (struct vm_exit){ .reason = others[fuzz_below(ARRAY_SIZE(others))] };
    }
}

/* --- the backend --- */

static void vcpu_reset(struct hv_vcpu *vcpu, const struct hv_reset *reset)
{
    assert_false(vcpu->loaded);
    vcpu->reset = *reset;
    vcpu->pc = reset->entry;
    vcpu->runs = 0;
}

static void finish_read(struct hv_vcpu *vcpu, const struct vm_exit *exit, uint64_t value)
{
    (void)exit;
    vcpu->last_read = value;
}

static status_t emulate(struct hv_vcpu *vcpu, const struct vm_exit *exit, const struct hv_bus *bus)
{
    status_t status = OK;

    (void)vcpu;
    (void)exit;
    for (uint64_t n = fuzz_below(6); n > 0 && status == OK; n--) {
        const unsigned size = 1u << fuzz_below(4);
        uint64_t value = fuzz_value();

        status = fuzz_one_in(2) ? bus->read(bus->context, guest_address(), size, &value)
                                : bus->write(bus->context, guest_address(), size, value);
    }
    return fuzz_one_in(32) ? ERR_UNSUPPORTED : status;
}

static uint64_t pc(const struct hv_vcpu *vcpu)
{
    return vcpu->pc;
}

static void describe(const struct hv_vcpu *vcpu, hv_print print, void *context)
{
    print(context, "pc", vcpu->pc);
}

static const struct hv_ops ops = {
    .vcpu_reset = vcpu_reset,
    .finish_read = finish_read,
    .emulate = emulate,
    .pc = pc,
    .frame_pointer = pc,
    .describe = describe,
    GUEST_OPS,
};
const struct hv_ops *hv = &ops;

/* --- rounds --- */

static struct vm_config config(void)
{
    static const char image[] = "firmware, or a kernel";
    struct vm_config out = guest_config("virt");

    *(fuzz_one_in(2) ? &out.kernel : &out.firmware) = (struct blob){ image, sizeof(image) };
    return out;
}

static void one_life(void)
{
    fake_gich_init(2 + (unsigned)fuzz_below(2), 1 + (unsigned)fuzz_below(GICH_MAX_LRS));
    fake_select_cpu(this_cpu()->id);
    memset(active, 0, sizeof(active));
    world_live(config, EXITS);
}

static void a_virt_survives_its_guest_and_its_management(void **state)
{
    (void)state;
    fake_gich_init(3, 4);
    world_make(&host);
    fake_deactivate_physical = deactivate;
    assert_int_equal(virqchip_host_init(), OK);
    fuzz(ROUNDS, one_life);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_virt_survives_its_guest_and_its_management),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
