/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest that writes anything to its GIC of any shape; snapshots, damaged ones, too. */
#include <stdlib.h>
#include <string.h>

#include "tests/unit/random.h"
#include "tests/unit/vdev_record.h"
#include "tests/unit/vgic_machine.h"

#define RECORD_BYTES 16384

static const struct {
    unsigned version, lrs, cpus;
} shapes[] = { { 3, 4, 4 }, { 3, 16, 1 }, { 3, 1, 2 }, { 2, 4, 4 }, { 2, 4, 1 }, { 2, 2, 2 } };

static uint64_t any_value(uint64_t *seed)
{
    uint64_t value = random_next(seed);

    return random_below(seed, 3) == 0 ? BIT(value % 64) : value;
}

/* Something that a guest, a device or the scheduler may do at any time. */
static void act(uint64_t *seed, unsigned cpus)
{
    unsigned cpu = (unsigned)random_below(seed, cpus);
    unsigned size = 1u << random_below(seed, 4);
    uint32_t offset = (uint32_t)random_below(seed, random_below(seed, 4) ? 0x1000 : 0x10000);

    on(cpu);
    offset &= random_below(seed, 8) ? ~(size - 1) : ~0u;
    switch (random_below(seed, 14)) {
    case 0:
    case 1: gicd_write(offset, size, any_value(seed)); break;
    case 2: gicd_read(offset, size); break;
    case 3:
        gicr_write((unsigned)random_below(seed, cpus + 1), SGI_FRAME + offset, size,
                   any_value(seed));
        break;
    case 4: gicr_write(cpu, offset, size, any_value(seed)); break;
    case 5: gicr_read((unsigned)random_below(seed, cpus + 1), SGI_FRAME + offset, size); break;
    case 6: set_line(32 + (uint32_t)random_below(seed, VGIC_SPIS), random_below(seed, 2)); break;
    case 7: inject((uint32_t)random_below(seed, VGIC_INTIDS)); break;
    case 8: send_sgi1r(any_value(seed)); break;
    case 9:
    case 10: eoi(ack()); break;
    case 11: eoi((uint32_t)random_below(seed, 1024)); break;
    case 12: dir((uint32_t)random_below(seed, 1024)); break;
    default:
        fake_guest_interface(random_below(seed, 4), random_below(seed, 4),
                             (uint8_t)random_next(seed) | 0x80, random_below(seed, 4) == 0);
        break;
    }
}

static void move(uint64_t *seed, unsigned cpus)
{
    unsigned cpu = (unsigned)random_below(seed, cpus);
    struct vtimer_regs *regs;

    on(cpu);
    if (random_below(seed, 16) == 0) {
        if (interface_of(cpu)->loaded)
            put(cpu);
        if (random_below(seed, 8) == 0)
            virqchip_reset_vcpu(&vm.vcpus[cpu]);
        load(cpu);
    }
    regs = fake_vtimer_regs();
    regs->cntv_ctl = (uint32_t)random_below(seed, 4);
    regs->cntp_ctl = (uint32_t)random_below(seed, 4);
    regs->cntv_cval =
        random_below(seed, 4) ? arch_counter() + random_below(seed, 100) : random_next(seed);
    counter_to(arch_counter() + random_below(seed, 50));
}

static void a_guest_that_writes_anything_breaks_nothing(void **state)
{
    uint64_t seed = 0x50c1e;

    (void)state;
    for (unsigned i = 0; i < ARRAY_SIZE(shapes); i++) {
        machine_start(shapes[i].version, shapes[i].lrs, shapes[i].cpus);
        for (unsigned n = 0; n < 30000; n++) {
            act(&seed, shapes[i].cpus);
            if (n % 8 == 0)
                move(&seed, shapes[i].cpus);
            check_invariants();
        }
        machine_stop();
    }
}

/* All lines low, nothing active, everything enabled and for vCPU 0. */
static void make_sane(unsigned version, unsigned cpus)
{
    for (unsigned cpu = 0; cpu < cpus; cpu++) {
        on(cpu);
        *fake_vtimer_regs() = (struct vtimer_regs){ 0 };
        fake_guest_interface(true, true, 0xff, false);
        for (unsigned n = 0; n < 64; n++)
            eoi(FAKE_SPURIOUS);
        if (version == 3) {
            gicr_write(cpu, SGI_FRAME + ICACTIVER, 4, ~0u);
            gicr_write(cpu, SGI_FRAME + ISENABLER, 4, ~0u);
        } else {
            gicd_write(ICACTIVER, 4, ~0u);
            gicd_write(ISENABLER, 4, ~0u);
        }
    }
    on(0);
    for (uint32_t word = 1; word < VGIC_INTIDS / 32; word++) {
        gicd_write(ICACTIVER + 4 * word, 4, ~0u);
        gicd_write(ISENABLER + 4 * word, 4, ~0u);
    }
    for (uint32_t intid = 32; intid < VGIC_INTIDS; intid++) {
        set_line(intid, false);
        gicd_write((version == 3 ? IROUTER + 8 * intid : ITARGETSR + intid), version == 3 ? 4 : 1,
                   version == 3 ? 0 : 1);
    }
    gicd_write(0, 4, 3);
}

/* Takes all there is on the selected CPU. */
static void drain(void)
{
    unsigned taken = 0;

    for (uint32_t iar = ack(); iar != FAKE_SPURIOUS; iar = ack()) {
        assert_true((iar & 0x3ff) < VGIC_INTIDS);
        eoi(iar);
        assert_true(taken++ < 2 * VGIC_INTIDS + 16 * 8);
    }
}

static void after_any_chaos_all_that_is_pending_is_delivered(void **state)
{
    uint64_t seed = 4711;

    (void)state;
    for (unsigned round = 0; round < 60; round++) {
        unsigned i = round % ARRAY_SIZE(shapes);

        machine_start(shapes[i].version, shapes[i].lrs, shapes[i].cpus);
        for (unsigned n = 0; n < 500; n++) {
            act(&seed, shapes[i].cpus);
            move(&seed, shapes[i].cpus);
        }
        make_sane(shapes[i].version, shapes[i].cpus);
        for (unsigned cpu = 0; cpu < shapes[i].cpus; cpu++) {
            on(cpu);
            drain();
        }
        on(0);
        for (uint32_t intid = 32; intid < VGIC_INTIDS; intid++)
            gicd_write(ISPENDR + intid / 32 * 4, 4, 1u << intid % 32);
        drain();
        for (uint32_t word = 0; word < VGIC_INTIDS / 32; word++) {
            assert_int_equal(gicd_read(ISPENDR + 4 * word, 4), 0);
            assert_int_equal(gicd_read(ISACTIVER + 4 * word, 4), 0);
        }
        for (unsigned cpu = 0; cpu < shapes[i].cpus; cpu++) {
            put(cpu);
            assert_int_equal(interface_of(cpu)->bank.active, 0);
            assert_int_equal(interface_of(cpu)->bank.latch, 0);
        }
        machine_stop();
    }
}

static void every_offset_takes_every_width(void **state)
{
    (void)state;
    for (unsigned i = 0; i < ARRAY_SIZE(shapes); i++) {
        uint64_t seed = i;

        machine_start(shapes[i].version, shapes[i].lrs, shapes[i].cpus);
        for (uint32_t offset = 0; offset < 0x10000; offset++) {
            for (unsigned size = 1; size <= 8; size *= 2) {
                struct vdev_access access = { .offset = offset, .size = (uint8_t)size };

                vm.devices->ops->write(vm.devices, access, random_next(&seed));
                vm.devices->ops->read(vm.devices, access);
                for (access.range = 1; access.offset < 5 * VGIC_GICR_BYTES;
                     access.offset += 0x10000) {
                    vm.devices->ops->write(vm.devices, access, random_next(&seed));
                    vm.devices->ops->read(vm.devices, access);
                }
            }
            if (offset % 64 == 0)
                settle();
        }
        settle();
        check_invariants();
        machine_stop();
    }
}

/* A record of whatever has come about in a while of acting at random. */
static size_t random_record(unsigned shape, uint8_t *record)
{
    uint64_t seed = shape + 7;

    machine_start(shapes[shape].version, shapes[shape].lrs, shapes[shape].cpus);
    for (unsigned n = 0; n < 2000; n++) {
        act(&seed, shapes[shape].cpus);
        move(&seed, shapes[shape].cpus);
    }
    for (unsigned cpu = 0; cpu < shapes[shape].cpus; cpu++)
        put(cpu);
    return vdev_save(vm.devices, record, RECORD_BYTES);
}

static void restore_of_save_is_the_same(void **state)
{
    static uint8_t before[RECORD_BYTES], after[RECORD_BYTES];

    (void)state;
    for (unsigned i = 0; i < ARRAY_SIZE(shapes); i++) {
        size_t bytes = random_record(i, before);
        uint64_t now = arch_counter();

        machine_stop();
        machine_create(shapes[i].version, shapes[i].lrs, shapes[i].cpus);
        fake_counter_set(now);
        assert_int_equal(vdev_restore(vm.devices, before, bytes), OK);
        assert_int_equal(vdev_save(vm.devices, after, RECORD_BYTES), bytes);
        assert_memory_equal(before, after, bytes);
        for (unsigned cpu = 0; cpu < shapes[i].cpus; cpu++)
            load(cpu);
        check_invariants();
        machine_stop();
    }
}

static void damaged_records_are_refused_and_harmless(void **state)
{
    static uint8_t good[RECORD_BYTES], bad[RECORD_BYTES];
    uint64_t seed = 99;

    (void)state;
    for (unsigned i = 0; i < ARRAY_SIZE(shapes); i++) {
        size_t bytes = random_record(i, good);

        machine_stop();
        for (unsigned n = 0; n < 200; n++) {
            machine_create(shapes[i].version, shapes[i].lrs, shapes[i].cpus);
            memcpy(bad, good, bytes);
            for (unsigned k = 0; k < 20; k++)
                bad[random_below(&seed, bytes)] = (uint8_t)random_next(&seed);
            assert_int_equal(vdev_restore(vm.devices, bad, random_below(&seed, bytes)),
                             ERR_INVALID_ARGS);
            vdev_restore(vm.devices, bad, bytes);
            for (unsigned cpu = 0; cpu < shapes[i].cpus; cpu++)
                load(cpu);
            check_invariants();
            machine_stop();
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_guest_that_writes_anything_breaks_nothing),
        cmocka_unit_test(after_any_chaos_all_that_is_pending_is_delivered),
        cmocka_unit_test(every_offset_takes_every_width),
        cmocka_unit_test(restore_of_save_is_the_same),
        cmocka_unit_test(damaged_records_are_refused_and_harmless),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
