/* SPDX-License-Identifier: BSD-2-Clause */
/* The GIC's registers at every width; a guest that writes anything; snapshots. */

#include <stdlib.h>
#include <string.h>

#include "tests/unit/random.h"
#include "tests/unit/vgic_machine.h"
#include "vm/state.h"

#define RECORD_BYTES 16384

static const struct {
    unsigned version, lrs, cpus;
} shapes[] = { { 3, 4, 4 }, { 3, 16, 1 }, { 3, 1, 2 }, { 2, 4, 4 }, { 2, 4, 1 }, { 2, 2, 2 } };

static size_t save(uint8_t *record)
{
    struct state_writer out;

    state_writer_init(&out, record, RECORD_BYTES);
    vm.devices->ops->save(vm.devices, &out);
    assert_int_equal(state_writer_status(&out), OK);
    return out.bytes;
}

static status_t restore(const uint8_t *record, size_t bytes)
{
    struct state_reader in;

    state_reader_init(&in, record, bytes);
    return vm.devices->ops->restore(vm.devices, &in);
}

static void a_v3_distributor_identifies_itself(void **state)
{
    (void)state;
    assert_int_equal(gicd_read(0x0, 4), 0x53);           /* DS, ARE, both groups */
    assert_int_equal(gicd_read(0x4, 4) & 0x1f, 8);       /* 288 interrupts */
    assert_int_equal(gicd_read(0x4, 4) >> 19 & 0x1f, 9); /* of 10 bits */
    assert_int_equal(gicd_read(0x4, 4) >> 10 & 1, 0);    /* one security state */
    assert_int_equal(gicd_read(0xffe8, 4), 0x3b);
    assert_int_equal(gicd_read(0xfffc, 4), 0xb1);
    assert_int_equal(gicd_read(0x8, 4) & 0xfff, 0x43b);
    assert_int_equal(gicd_read(0xc, 4), 0);
    gicd_write(0x4, 4, ~0u);
    gicd_write(0x0, 4, ~0u);
    assert_int_equal(gicd_read(0x0, 4), 0x53);
}

static void redistributors_identify_themselves(void **state)
{
    (void)state;
    assert_int_equal(gicr_read(0, 0x8, 8), 0);
    assert_true(gicr_read(1, 0x8, 8) == (BIT(32) | BIT(8) | BIT(4)));
    assert_int_equal(gicr_read(1, 0x8, 4), BIT(8) | BIT(4));
    assert_int_equal(gicr_read(1, 0xc, 4), 1);
    assert_int_equal(gicr_read(1, 0xffe8, 4), 0x3b);
    assert_int_equal(gicr_read(2, 0x8, 8), 0); /* past the last */
    assert_int_equal(gicr_read(0, 0x14, 4), 6);
    gicr_write(0, 0x14, 4, 0);
    assert_int_equal(gicr_read(0, 0x14, 4), 0);
    gicr_write(0, 0x14, 4, ~0u);
    assert_int_equal(gicr_read(0, 0x14, 4), 6);
    for (uint32_t offset = 0x40; offset < 0x100; offset += 8) {
        gicr_write(0, offset, 8, ~0ull);
        assert_int_equal(gicr_read(0, offset, 8), 0);
    }
}

static void a_v3_distributor_has_no_private_interrupts(void **state)
{
    static const uint32_t words[] = { IGROUPR, ISENABLER, ISPENDR, ISACTIVER, IPRIORITYR, ITARGETSR,
                                      ICFGR,   ICFGR + 4, IROUTER, 0xf00,     0xf10 };

    (void)state;
    for (unsigned i = 0; i < ARRAY_SIZE(words); i++) {
        gicd_write(words[i], 4, ~0u);
        assert_int_equal(gicd_read(words[i], 4), 0);
    }
}

static void priorities_are_accessed_by_byte_halfword_and_word(void **state)
{
    (void)state;
    gicd_write(IPRIORITYR + 40, 4, 0xffb07f21);
    assert_int_equal(gicd_read(IPRIORITYR + 40, 4), 0xf8b07820);
    assert_int_equal(gicd_read(IPRIORITYR + 42, 2), 0xf8b0);
    assert_int_equal(gicd_read(IPRIORITYR + 41, 1), 0x78);
    gicd_write(IPRIORITYR + 41, 1, 0xffff08);
    gicd_write(IPRIORITYR + 42, 2, 0x1018);
    assert_int_equal(gicd_read(IPRIORITYR + 40, 4), 0x10180820);
    assert_int_equal(gicd_read(IPRIORITYR + 41, 2), 0); /* misaligned */
    assert_int_equal(gicd_read(IPRIORITYR + 40, 8), 0); /* not at this width */
    gicr_write(1, SGI_FRAME + IPRIORITYR + 27, 1, 0xa7);
    assert_int_equal(gicr_read(1, SGI_FRAME + IPRIORITYR + 24, 4), 0xa0000000);
    assert_int_equal(gicr_read(0, SGI_FRAME + IPRIORITYR + 24, 4), 0);
}

static void routes_are_written_whole_or_in_halves(void **state)
{
    (void)state;
    gicd_write(IROUTER + 8 * 40, 8, ~0ull);
    assert_int_equal(gicd_read(IROUTER + 8 * 40, 8), 0xffffff); /* no Aff3, no 1 of N */
    gicd_write(IROUTER + 8 * 40, 4, 1);
    gicd_write(IROUTER + 8 * 40 + 4, 4, ~0u);
    assert_int_equal(gicd_read(IROUTER + 8 * 40, 8), 1);
    assert_int_equal(gicd_read(IROUTER + 8 * 40, 4), 1);
    assert_int_equal(gicd_read(IROUTER + 8 * 40 + 4, 4), 0);
    gicd_write(IROUTER + 8 * VGIC_INTIDS, 8, 1);
    assert_int_equal(gicd_read(IROUTER + 8 * VGIC_INTIDS, 8), 0);
}

static void bit_registers_are_words_only(void **state)
{
    (void)state;
    gicd_write(ISENABLER + 4, 1, 0xff);
    gicd_write(ISENABLER + 4, 2, 0xffff);
    gicd_write(ISENABLER, 8, ~0ull);
    assert_int_equal(gicd_read(ISENABLER + 4, 4), 0);
    gicd_write(ISENABLER + 4, 4, 0x105);
    gicd_write(ICENABLER + 4, 4, 0x4);
    assert_int_equal(gicd_read(ISENABLER + 4, 4), 0x101);
    assert_int_equal(gicd_read(ICENABLER + 4, 4), 0x101);
    assert_int_equal(gicd_read(ICENABLER + 4, 2), 0);
    gicd_write(ISENABLER + VGIC_INTIDS / 8, 4, ~0u);
    assert_int_equal(gicd_read(ISENABLER + VGIC_INTIDS / 8, 4), 0);
}

static void configuration_is_fixed_for_sgis_and_timers(void **state)
{
    (void)state;
    assert_int_equal(gicr_read(0, SGI_FRAME + ICFGR, 4), 0xaaaaaaaa);
    gicr_write(0, SGI_FRAME + ICFGR, 4, 0);
    assert_int_equal(gicr_read(0, SGI_FRAME + ICFGR, 4), 0xaaaaaaaa);
    gicr_write(0, SGI_FRAME + ICFGR + 4, 4, ~0u);
    assert_int_equal(gicr_read(0, SGI_FRAME + ICFGR + 4, 4), 0x8a2aaaaa);
    gicd_write(ICFGR + 8, 4, 0xdeadbeef);
    assert_int_equal(gicd_read(ICFGR + 8, 4), 0xdeadbeef & 0xaaaaaaaa);
}

static void a_v2_distributor_identifies_itself(void **state)
{
    (void)state;
    assert_int_equal(gicd_read(0x0, 4), 3);
    assert_int_equal(gicd_read(0x4, 4), 8 | 1 << 5);
    assert_int_equal(gicd_read(0xfe8, 4), 0x2b);
    assert_int_equal(gicd_read(0xffc, 4), 0xb1);
    assert_int_equal(gicd_read(0x1004, 4), 0);
    assert_int_equal(gicd_read(0xffe8, 4), 0);
}

static void v2_targets_are_banked_and_masked(void **state)
{
    (void)state;
    assert_int_equal(gicd_read(ITARGETSR, 4), 0x01010101);
    gicd_write(ITARGETSR, 4, 0);
    on(1);
    assert_int_equal(gicd_read(ITARGETSR + 28, 4), 0x02020202);
    gicd_write(ITARGETSR + 40, 4, 0xff020300);
    assert_int_equal(gicd_read(ITARGETSR + 40, 4), 0x03020300);
    gicd_write(ITARGETSR + 42, 2, 0x0101);
    gicd_write(ITARGETSR + 41, 1, 0x02);
    assert_int_equal(gicd_read(ITARGETSR + 40, 4), 0x01010200);
}

static void v2_private_interrupts_are_banked(void **state)
{
    (void)state;
    gicd_write(ISENABLER, 4, BIT(27));
    assert_int_equal(gicd_read(ISENABLER, 4), 0xffff | BIT(27));
    on(1);
    assert_int_equal(gicd_read(ISENABLER, 4), 0xffff);
    gicd_write(IPRIORITYR + 3, 1, 0x88);
    on(0);
    assert_int_equal(gicd_read(IPRIORITYR + 3, 1), 0);
}

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
    return save(record);
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
        assert_int_equal(restore(before, bytes), OK);
        assert_int_equal(save(after), bytes);
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
            assert_int_equal(restore(bad, random_below(&seed, bytes)), ERR_INVALID_ARGS);
            restore(bad, bytes);
            for (unsigned cpu = 0; cpu < shapes[i].cpus; cpu++)
                load(cpu);
            check_invariants();
            machine_stop();
        }
    }
}

#define v3(test) cmocka_unit_test_setup_teardown(test, machine_setup_v3, machine_teardown)
#define v2(test) cmocka_unit_test_setup_teardown(test, machine_setup_v2, machine_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        v3(a_v3_distributor_identifies_itself),
        v3(redistributors_identify_themselves),
        v3(a_v3_distributor_has_no_private_interrupts),
        v3(priorities_are_accessed_by_byte_halfword_and_word),
        v3(routes_are_written_whole_or_in_halves),
        v3(bit_registers_are_words_only),
        v3(configuration_is_fixed_for_sgis_and_timers),
        v2(a_v2_distributor_identifies_itself),
        v2(v2_targets_are_banked_and_masked),
        v2(v2_private_interrupts_are_banked),
        cmocka_unit_test(a_guest_that_writes_anything_breaks_nothing),
        cmocka_unit_test(after_any_chaos_all_that_is_pending_is_delivered),
        cmocka_unit_test(every_offset_takes_every_width),
        cmocka_unit_test(restore_of_save_is_the_same),
        cmocka_unit_test(damaged_records_are_refused_and_harmless),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
