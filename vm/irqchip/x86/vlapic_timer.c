/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The local APIC's timer (SDM 3A 11.5.4), on one of the hypervisor's.
 *
 *     one-shot, periodic  counts down at X86_GUEST_CRYSTAL_HZ through the divider
 *     TSC deadline        expires when the guest's TSC has reached it
 *
 *     from      initial   initial
 *     |---------|---------|-----> ticks; a periodic one expires at each mark, and all marks
 *     start                       are reckoned from `start`, so that it does not drift
 *
 * Marks that passed unnoticed count as one, and two are at least so far apart for the
 * hypervisor as the rates below say, whatever the guest asks for: its share of the CPU does not
 * pay for them.
 */

#include "kernel/percpu.h"
#include "vm/irqchip/x86/ticks.h"
#include "vm/irqchip/x86/vlapic.h"

#define LVT_MODE GENMASK(18, 17)
#define HEARD_HZ 20000u
#define UNHEARD_HZ 1000u /* masked, or the last interrupt is still to be taken */

enum timer_mode { ONE_SHOT, PERIODIC, DEADLINE };

static enum timer_mode mode(const struct virqchip_cpu *cpu)
{
    return (enum timer_mode)FIELD_GET(LVT_MODE, cpu->timer.lvt);
}

/* Bits 0, 1 and 3: 0 is 2, ..., 6 is 128, 7 is 1. */
static unsigned divide_shift(const struct virqchip_cpu *cpu)
{
    uint32_t tdcr = cpu->timer.divide;

    return ((tdcr & 3) + (tdcr >> 1 & 4) + 1) & 7;
}

/* Ticks of the divided clock since `start`, and when that many will have passed. */
static uint64_t elapsed(const struct virqchip_cpu *cpu, uint64_t now)
{
    return ticks_down(now - cpu->timer.start, X86_GUEST_CRYSTAL_HZ, arch_counter_hz()) >>
           divide_shift(cpu);
}

static uint64_t time_of(const struct virqchip_cpu *cpu, uint64_t ticks)
{
    return cpu->timer.start +
           ticks_up(ticks << divide_shift(cpu), arch_counter_hz(), X86_GUEST_CRYSTAL_HZ);
}

uint32_t vlapic_timer_count(const struct virqchip_cpu *cpu)
{
    uint32_t initial = cpu->timer.initial;
    uint64_t passed;

    if (!cpu->timer.running || mode(cpu) == DEADLINE)
        return 0;
    passed = elapsed(cpu, arch_counter());
    if (passed < cpu->timer.from)
        return cpu->timer.from - (uint32_t)passed;
    if (mode(cpu) != PERIODIC || initial == 0)
        return 0;
    return initial - (uint32_t)((passed - cpu->timer.from) % initial);
}

static void disarm(struct virqchip_cpu *cpu)
{
    if (cpu->timer.expected != 0 && timer_cancel(&cpu->timer.timer))
        cpu->timer.expected--;
}

static void arm(struct virqchip_cpu *cpu, uint64_t when)
{
    disarm(cpu);
    cpu->timer.expected++;
    timer_arm(&cpu->timer.timer, when);
}

static bool is_heard(const struct virqchip_cpu *cpu)
{
    uint32_t lvt = cpu->timer.lvt;
    unsigned vector = (unsigned)FIELD_GET(APIC_VECTOR, lvt);

    return !(lvt & APIC_MASKED) && vector >= APIC_FIRST_VECTOR &&
           !vector_set_has(&cpu->irr, vector);
}

/* The first mark that is at least a minimal period after now. */
static uint64_t next_mark(const struct virqchip_cpu *cpu, uint64_t now)
{
    uint64_t least = arch_counter_hz() / (is_heard(cpu) ? HEARD_HZ : UNHEARD_HZ);
    uint64_t passed = elapsed(cpu, now + least);
    uint64_t since, initial = cpu->timer.initial;

    if (passed < cpu->timer.from)
        return time_of(cpu, cpu->timer.from);
    since = passed - cpu->timer.from;
    return time_of(cpu, cpu->timer.from + (since / initial + 1) * initial);
}

/* Host's counter when the guest's TSC will be at the deadline; a past one is now. */
static uint64_t host_deadline(const struct virqchip_cpu *cpu)
{
    uint64_t now = arch_counter();
    uint64_t guest_now = now + cpu->vcpu->hv.tsc_offset;

    if (cpu->timer.deadline <= guest_now)
        return now;
    return cpu->timer.deadline - guest_now < TIMER_NEVER - now
               ? now + (cpu->timer.deadline - guest_now)
               : TIMER_NEVER - 1;
}

/* For a new start: when the timer expires. */
static void arm_first(struct virqchip_cpu *cpu)
{
    if (mode(cpu) == DEADLINE)
        arm(cpu, host_deadline(cpu));
    else
        arm(cpu, time_of(cpu, cpu->timer.from));
}

static void expired(struct virqchip_cpu *cpu)
{
    if (mode(cpu) == PERIODIC) {
        arm(cpu, next_mark(cpu, arch_counter()));
    } else {
        cpu->timer.running = false;
        cpu->timer.deadline = 0;
    }
    vlapic_fire_lvt(cpu, APIC_LVT_TIMER);
}

static void fire(struct timer *timer)
{
    struct virqchip_cpu *cpu = container_of(timer, struct virqchip_cpu, timer.timer);

    spin_lock(&cpu->lock);
    cpu->timer.expected--;
    if (cpu->timer.running && cpu->timer.expected == 0) {
        /* The guest may have turned its TSC back meanwhile. */
        if (mode(cpu) == DEADLINE && host_deadline(cpu) > arch_counter())
            arm_first(cpu);
        else
            expired(cpu);
    }
    spin_unlock(&cpu->lock);
}

void vlapic_timer_init(struct virqchip_cpu *cpu)
{
    cpu->timer.timer.fire = fire;
}

void vlapic_timer_stop(struct virqchip_cpu *cpu)
{
    disarm(cpu);
    cpu->timer.running = false;
    cpu->timer.from = 0;
    cpu->timer.start = 0;
    cpu->timer.deadline = 0;
}

void vlapic_timer_adopt(struct virqchip_cpu *cpu)
{
    vlapic_timer_stop(cpu);
    cpu->timer.lvt = vlapic_reg(cpu, APIC_LVT_TIMER);
    cpu->timer.initial = vlapic_reg(cpu, APIC_TMICT);
    cpu->timer.divide = vlapic_reg(cpu, APIC_TDCR);
}

static void start(struct virqchip_cpu *cpu, uint32_t count)
{
    vlapic_timer_stop(cpu);
    if (count == 0)
        return;
    cpu->timer.running = true;
    cpu->timer.from = count;
    cpu->timer.start = arch_counter();
    arm_first(cpu);
}

void vlapic_timer_set_deadline(struct virqchip_cpu *cpu, uint64_t deadline)
{
    if (mode(cpu) != DEADLINE)
        return;
    vlapic_timer_stop(cpu);
    if (deadline == 0)
        return;
    cpu->timer.running = true;
    cpu->timer.deadline = deadline;
    if (host_deadline(cpu) <= arch_counter())
        expired(cpu);
    else
        arm_first(cpu);
}

/* Periodic or once is decided when it expires; to and from the deadline it stops. */
static __attribute__((noinline)) void write_lvt(struct virqchip_cpu *cpu, uint32_t value)
{
    enum timer_mode before = mode(cpu);

    cpu->timer.lvt = value;
    if ((before == DEADLINE) != (mode(cpu) == DEADLINE))
        vlapic_timer_stop(cpu);
}

/* What is left goes on at the new rate. */
static __attribute__((noinline)) void write_divider(struct virqchip_cpu *cpu, uint32_t value)
{
    uint32_t left = vlapic_timer_count(cpu);
    bool counts = cpu->timer.running && mode(cpu) != DEADLINE;

    cpu->timer.divide = value;
    if (counts)
        start(cpu, MAX(left, 1u));
}

/* In the page is what it has become, whatever hardware has written there. */
void vlapic_timer_write(struct virqchip_cpu *cpu, enum vlapic_reg reg, uint32_t value)
{
    if (reg == APIC_LVT_TIMER) {
        write_lvt(cpu, value);
    } else if (reg == APIC_TDCR) {
        write_divider(cpu, value);
    } else if (mode(cpu) != DEADLINE) {
        cpu->timer.initial = value;
        start(cpu, value);
    } else {
        value = cpu->timer.initial;
    }
    vlapic_set_reg(cpu, reg, value);
}

uint32_t vlapic_timer_left(const struct virqchip_cpu *cpu)
{
    if (!cpu->timer.running || mode(cpu) == DEADLINE)
        return 0;
    return MAX(vlapic_timer_count(cpu), 1u);
}

bool vlapic_timer_restore(struct virqchip_cpu *cpu, uint32_t left, uint64_t deadline)
{
    vlapic_timer_adopt(cpu);
    if (mode(cpu) == DEADLINE ? left != 0 : deadline != 0 || left > cpu->timer.initial)
        return false;
    start(cpu, left);
    if (deadline != 0) {
        cpu->timer.running = true;
        cpu->timer.deadline = deadline;
        arm_first(cpu);
    }
    return true;
}

void vlapic_timer_load(struct virqchip_cpu *cpu)
{
    struct timer *timer = &cpu->timer.timer;
    struct cpu *armed_on = __atomic_load_n(&timer->cpu, __ATOMIC_RELAXED);

    if (likely(armed_on == NULL || armed_on == this_cpu()))
        return;
    spin_lock(&cpu->lock);
    if (cpu->timer.running)
        arm(cpu, timer->deadline);
    spin_unlock(&cpu->lock);
}
