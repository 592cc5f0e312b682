/* SPDX-License-Identifier: BSD-2-Clause */
/* What the controllers promise as device models: reset, snapshots, and nothing left behind. */
#include "tests/unit/pc_machine.h"
#include "tests/unit/vdev_record.h"

#include <string.h>

#define RECORD_BYTES 4096
#define ROUNDS 100

static const char *const models[] = { "lapic", "ioapic", "pic", "pit" };
static uint64_t seed = 0x5eed;

/* A guest that uses everything, after a while. */
static void drive(void)
{
    static const uint16_t ports[] = { 0x20, 0x21, 0xa0,  0xa1,  0x40, 0x41,
                                      0x42, 0x43, 0x4d0, 0x4d1, 0x61 };

    for (unsigned i = 0; i < 300; i++) {
        uint64_t value = random_next(&seed);
        unsigned cpu = (unsigned)random_below(&seed, PC_CPUS);
        uint16_t port = ports[random_below(&seed, ARRAY_SIZE(ports))];
        uint32_t line = (uint32_t)random_below(&seed, PC_GSIS);

        switch (value >> 61) {
        case 0:
            apic_write(cpu, (enum vlapic_reg)(value % VLAPIC_REGS), (uint32_t)(value >> 8));
            break;
        case 1: apic_write(cpu, APIC_SVR, 0x1ff); break;
        case 2: entry_write(line, value); break;
        case 3: gsi(line == 2 ? 1 : line, value & 1); break;
        case 4: msr_write(cpu, MSR_X2APIC + (uint32_t)(value % VLAPIC_REGS), value >> 40); break;
        case 5: port_out(port, (uint8_t)value); break;
        case 6: msr_write(cpu, MSR_TSC_DEADLINE, arch_counter() + value % 100000); break;
        default:
            guest[cpu].interrupts = value & 1;
            taken(cpu);
            break;
        }
        if (value % 64 == 0)
            msr_write(cpu, MSR_APIC_BASE,
                      VLAPIC_BASE | (value >> 20 & 0xc00) | (cpu == 0 ? APIC_BASE_BSP : 0));
        counter_to(arch_counter() + random_below(&seed, 2000));
    }
}

static void restore_of_save_is_the_same_for_every_model(void **unused)
{
    uint8_t first[ARRAY_SIZE(models)][RECORD_BYTES], second[RECORD_BYTES];
    size_t bytes[ARRAY_SIZE(models)];

    (void)unused;
    for (unsigned round = 0; round < ROUNDS; round++) {
        uint64_t then;

        pc_start_enabled(PC_CPUS);
        drive();
        then = arch_counter();
        for (size_t i = 0; i < ARRAY_SIZE(models); i++)
            bytes[i] = vdev_save(device(models[i]), first[i], RECORD_BYTES);
        pc_stop();
        pc_start(PC_CPUS);
        fake_counter_set(then + round * 12345); /* later, and nothing is lost */
        for (size_t i = 0; i < ARRAY_SIZE(models); i++) {
            assert_int_equal(vdev_restore(device(models[i]), first[i], bytes[i]), OK);
            assert_int_equal(vdev_save(device(models[i]), second, RECORD_BYTES), bytes[i]);
            assert_memory_equal(first[i], second, bytes[i]);
        }
        drive();
        check_invariants();
        pc_stop();
    }
}

static void truncated_and_longer_records_are_refused(void **unused)
{
    uint8_t record[RECORD_BYTES];

    (void)unused;
    pc_start_enabled(PC_CPUS);
    for (size_t i = 0; i < ARRAY_SIZE(models); i++) {
        size_t bytes = vdev_save(device(models[i]), record, RECORD_BYTES);

        for (size_t n = 0; n < bytes; n++)
            assert_int_equal(vdev_restore(device(models[i]), record, n), ERR_INVALID_ARGS);
        assert_int_equal(vdev_restore(device(models[i]), record, bytes + 1), ERR_INVALID_ARGS);
        assert_int_equal(vdev_restore(device(models[i]), record, bytes), OK);
    }
    pc_stop();
}

static void damaged_records_are_refused_or_harmless(void **unused)
{
    uint8_t record[RECORD_BYTES], again[RECORD_BYTES];

    (void)unused;
    for (unsigned round = 0; round < ROUNDS; round++) {
        const char *name = models[round % ARRAY_SIZE(models)];
        size_t bytes;

        pc_start_enabled(PC_CPUS);
        drive();
        bytes = vdev_save(device(name), record, RECORD_BYTES);
        for (unsigned n = 0; n < 1 + round % 8; n++)
            record[random_below(&seed, bytes)] = (uint8_t)random_next(&seed);
        if (vdev_restore(device(name), record, bytes) == OK) {
            assert_int_equal(vdev_save(device(name), again, RECORD_BYTES), bytes);
            assert_memory_equal(record, again, bytes);
        }
        drive();
        pc_stop();
    }
}

static void random_records_are_refused_or_harmless(void **unused)
{
    uint8_t record[RECORD_BYTES];

    (void)unused;
    for (unsigned round = 0; round < ROUNDS; round++) {
        const char *name = models[round % ARRAY_SIZE(models)];
        size_t bytes;

        pc_start_enabled(PC_CPUS);
        bytes = vdev_save(device(name), record, RECORD_BYTES);
        for (size_t i = 1; i < bytes; i++)
            record[i] = (uint8_t)random_next(&seed);
        vdev_restore(device(name), record, bytes);
        drive();
        pc_stop();
    }
}

static void reset_gives_what_a_new_one_has(void **unused)
{
    uint8_t first[ARRAY_SIZE(models)][RECORD_BYTES], second[RECORD_BYTES];

    (void)unused;
    for (unsigned round = 0; round < ROUNDS; round++) {
        pc_start(PC_CPUS);
        for (size_t i = 0; i < ARRAY_SIZE(models); i++)
            vdev_save(device(models[i]), first[i], RECORD_BYTES);
        for (unsigned id = 0; id < PC_CPUS; id++)
            apic_write(id, APIC_SVR, 0x1ff);
        drive();
        virqchip_reset(&vm);
        for (size_t i = 0; i < ARRAY_SIZE(models); i++) {
            size_t bytes = vdev_save(device(models[i]), second, RECORD_BYTES);

            assert_memory_equal(first[i], second, bytes);
        }
        pc_stop();
    }
}

static void each_has_its_ports_and_registers(void **unused)
{
    (void)unused;
    pc_start(2);
    port_out(0x21, 0xaa);
    assert_int_equal(port_in(0x21), 0xaa);
    assert_int_equal(port_in(0xa1), 0);
    assert_int_equal(mmio_read(0, VIOAPIC_BASE + 0x20, 4), 0);
    for (size_t i = 0; i < ARRAY_SIZE(models); i++)
        assert_non_null(device(models[i]));
    pc_stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(restore_of_save_is_the_same_for_every_model),
        cmocka_unit_test(truncated_and_longer_records_are_refused),
        cmocka_unit_test(damaged_records_are_refused_or_harmless),
        cmocka_unit_test(random_records_are_refused_or_harmless),
        cmocka_unit_test(reset_gives_what_a_new_one_has),
        cmocka_unit_test(each_has_its_ports_and_registers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
