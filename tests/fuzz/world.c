/* SPDX-License-Identifier: BSD-2-Clause */
/* See world.h. */
#include "tests/fuzz/world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "arch/fake/fake.h"
#include "arch/mmu.h"
#include "drivers/rtc/rtc.h"
#include "kernel/bootmem.h"
#include "kernel/irq.h"
#include "kernel/log.h"
#include "kernel/panic.h"
#include "kernel/percpu.h"
#include "kernel/pmm.h"
#include "tests/fuzz/fuzz.h"

#define ARENA_BYTES ((size_t)64 << 20)
#define REST_TURNS 100000
#define SPINS 1000000
#define STORM 100 /* host interrupts in a row */

#define VMS 2

unsigned world_exits_left;

static const struct world_ops *arch;
static struct cpu *cpus[WORLD_CPUS];
static bool in_guest[WORLD_CPUS];
static struct vm *vms[VMS];
static struct vm_config (*make_config)(void);

uint32_t rtc_now(void)
{
    return 1700000000;
}

void fuzz_spins(void)
{
    static unsigned spins;

    if (++spins == SPINS)
        panic("a lock, or what else is waited for, never comes");
}

static void swallow(const char *text, unsigned length)
{
    (void)text;
    (void)length;
}

/* --- management --- */

static void start(unsigned n)
{
    static const char *const names[VMS] = { "one", "two" };
    struct vm_config config = make_config();

    strcpy(config.name, names[n]);
    assert_int_equal(vm_create(&config, &vms[n]), OK);
    assert_int_equal(vm_boot(vms[n]), OK);
}

static void manage(struct sched_work *work)
{
    static const uint8_t keys[] = { 'k', '\r', '\n', 0x1d, '1', 0x1d, 'n' };
    const unsigned n = (unsigned)fuzz_below(VMS);
    struct vm *const vm = vms[n];

    (void)work;
    if (world_exits_left == 0)
        return;
    switch (fuzz_below(10)) {
    case 0: (void)vm_pause(vm); break;
    case 1:
    case 2:
    case 3: (void)vm_resume(vm); break;
    case 4: (void)vm_restart(vm); break;
    case 5: (void)vm_shutdown(vm, (unsigned)fuzz_below(100)); break;
    case 6: (void)vm_inject_interrupt(vm, fuzz_below(16), (uint32_t)fuzz_below(40)); break;
    case 7: (void)vm_write_guest_u64(vm, gpa(8 * fuzz_below(1 << 20)), fuzz_value()); break;
    case 8:
        if (vm_destroy(vm) == OK)
            start(n);
        break;
    default: console_typed(keys, (unsigned)(1 + fuzz_below(sizeof(keys)))); break;
    }
}

static struct sched_work management = { .run = manage };

/* --- host CPUs --- */

static void pass_time(void)
{
    fake_counter_set(arch_counter() + (fuzz_next() >> 34 >> fuzz_below(30)));
}

/* Time passes between interrupts. A CPU that has one after the other does nothing else. */
static uint32_t ack(void)
{
    static unsigned in_a_row;
    uint32_t irq = IRQ_NONE;

    timer_interrupt();
    if (arch->pending != NULL)
        irq = arch->pending();
    in_a_row = irq == IRQ_NONE ? 0 : in_a_row + 1;
    if (in_a_row == STORM)
        panic("interrupt %u comes again and again", irq);
    if (irq != IRQ_NONE)
        return irq;
    pass_time();
    if (fuzz_one_in(8))
        (void)sched_post(cpus[fuzz_below(WORLD_CPUS)], &management);
    return IRQ_NONE;
}

static void send_ipi(unsigned cpu)
{
    assert_true(cpu < WORLD_CPUS);
}

static void no_interrupt(uint32_t irq)
{
    (void)irq;
}

static void enable(uint32_t irq, bool edge)
{
    (void)irq;
    (void)edge;
}

static struct irqchip chip = {
    .name = "fuzz",
    .ack = ack,
    .activate = no_interrupt,
    .deactivate = no_interrupt,
    .enable = enable,
    .disable = no_interrupt,
    .send_ipi = send_ipi,
    .ipi = 0,
};

static void switch_to(struct cpu *cpu)
{
    arch_set_this_cpu(cpu);
    if (arch->switch_to != NULL)
        arch->switch_to(cpu->id);
}

static void turn_of(unsigned id)
{
    struct cpu *const before = this_cpu();

    switch_to(cpus[id]);
    irq_dispatch();
    (void)sched_turn();
    switch_to(before);
}

void world_between_exits(void)
{
    const unsigned here = this_cpu()->id;

    in_guest[here] = true;
    for (unsigned id = 0; id < WORLD_CPUS; id++)
        if (!in_guest[id] && fuzz_one_in(2))
            turn_of(id);
    in_guest[here] = false;
}

void world_check_locks(void)
{
    for (unsigned n = 0; n < VMS; n++) {
        const struct vm *vm = vms[n];

        assert_int_equal(vm->lock.held | vm->space.stage2.lock.held | vm->space.guard, 0);
        for (const struct vdev *dev = vm->devices; dev != NULL; dev = dev->next)
            assert_int_equal(dev->lock.held, 0);
    }
    for (unsigned id = 0; id < WORLD_CPUS; id++)
        assert_int_equal(cpus[id]->sched.lock.held | cpus[id]->timers.lock.held, 0);
}

/* --- lives --- */

static bool is_at_rest(const struct vm *vm)
{
    return vm->state == VM_STOPPED || vm->state == VM_CRASHED;
}

static void come_to_rest(struct vm *vm)
{
    for (unsigned turns = 0; !is_at_rest(vm) || vm_destroy(vm) != OK; turns++) {
        if (turns == REST_TURNS)
            panic("it does not come to rest: %s", vm_state_name(vm->state));
        pass_time();
        turn_of(turns % WORLD_CPUS);
        if (vm->end == VM_END_NONE && !vm->busy && !is_at_rest(vm))
            (void)vm_stop(vm);
    }
}

void world_live(struct vm_config (*config)(void), unsigned exits)
{
    const size_t free_before = pmm_free_count();

    make_config = config;
    world_exits_left = exits;
    for (unsigned n = 0; n < VMS; n++)
        start(n);
    for (unsigned turns = 0; world_exits_left != 0 && turns < exits; turns++)
        turn_of((unsigned)fuzz_below(WORLD_CPUS));
    world_exits_left = 0;
    for (unsigned n = 0; n < VMS; n++)
        come_to_rest(vms[n]);
    assert_int_equal(pmm_free_count(), free_before);
}

void world_make(const struct world_ops *ops)
{
    static uint8_t pages[2 << 20] __attribute__((aligned(4096)));
    static pmm_arena_t arena;

    arch = ops;
    if (ops->activate != NULL)
        chip.activate = ops->activate;
    if (ops->deactivate != NULL)
        chip.deactivate = ops->deactivate;
    fake_ram_init();
    bootmem_add(pages, sizeof(pages));
    assert_int_equal(pmm_arena_init(&arena, paddr(FAKE_RAM_BASE), ARENA_BYTES), OK);
    pmm_add_arena(&arena);
    for (unsigned id = 0; id < WORLD_CPUS; id++) {
        cpus[id] = cpu_new(id);
        cpu_set_online(cpus[id]);
    }
    irq_set_chip(&chip);
    console_init(swallow);
    log_set_sink(swallow);
    switch_to(cpus[0]);
}
