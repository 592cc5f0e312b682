/* SPDX-License-Identifier: BSD-2-Clause */
/* The dispatcher's memory exits: devices, RAM, ROM, nothing, and the guest's own tables. */
#include "tests/unit/vcpu_test.h"

static void a_device_is_read(void **state)
{
    (void)state;
    fake_parts.device->answer = 0x1234;
    FAKE_SCRIPT(vcpu, load(FAKE_DEVICE + 0x18, 4));
    run();
    assert_int_equal(fake_parts.device->reads, 1);
    assert_int_equal(fake_parts.device->access.offset, 0x18);
    assert_int_equal(fake_parts.device->access.size, 4);
    assert_int_equal(fake_parts.device->access.cpu, 0);
    assert_int_equal(vcpu->hv.last_read, 0x1234);
    assert_int_equal(vcpu->hv.pc, FAKE_ENTRY + 4);
    assert_int_equal(vcpu->stats.page_faults, 0);
    assert_int_equal(vcpu->stats.exits[VM_EXIT_MEMORY], 1);
}

static void a_device_is_written(void **state)
{
    (void)state;
    FAKE_SCRIPT(vcpu, store(FAKE_DEVICE + FAKE_DEVICE_SIZE - 8, 8, 0x1122334455667788));
    run();
    assert_int_equal(fake_parts.device->written, 0x1122334455667788);
    assert_int_equal(fake_parts.device->access.offset, FAKE_DEVICE_SIZE - 8);
    assert_int_equal(vcpu->hv.pc, FAKE_ENTRY + 4);
}

static void a_misaligned_access_reaches_the_model_as_bytes(void **state)
{
    (void)state;
    FAKE_SCRIPT(vcpu, store(FAKE_DEVICE + 1, 4, 0xdeadbeef));
    run();
    assert_int_equal(fake_parts.device->writes, 4);
    assert_int_equal(fake_parts.device->bytes >> 32, 0xdeadbeef);
    assert_int_equal(vcpu->hv.pc, FAKE_ENTRY + 4);
}

static void an_access_across_the_devices_end_is_a_bus_fault(void **state)
{
    (void)state;
    FAKE_SCRIPT(vcpu, load(FAKE_DEVICE + FAKE_DEVICE_SIZE - 2, 4));
    run();
    assert_int_equal(vcpu->hv.bus_faults, 1);
    assert_int_equal(vm->state, VM_RUNNING);
}

static void an_undecoded_access_is_emulated(void **state)
{
    (void)state;
    fake_parts.device->answer = UINT64_MAX;
    FAKE_SCRIPT(vcpu, undecoded(load(FAKE_DEVICE, 2)), undecoded(store(FAKE_DEVICE, 4, 7)));
    run();
    assert_int_equal(vcpu->hv.last_read, 0xffff);
    assert_int_equal(fake_parts.device->written, 7);
    assert_int_equal(vcpu->hv.pc, FAKE_ENTRY + 8);
}

static void an_undecoded_access_without_meaning_is_a_bus_fault(void **state)
{
    (void)state;
    FAKE_SCRIPT(vcpu, undecoded(load(FAKE_DEVICE, 0)));
    run();
    assert_int_equal(vcpu->hv.bus_faults, 1);
    assert_int_equal(vm->state, VM_RUNNING);
}

static void memory_is_committed_at_the_first_touch(void **state)
{
    const size_t before = pmm_free_count();
    struct pt_mapping mapping;

    (void)state;
    FAKE_SCRIPT(vcpu, load(FAKE_RAM + 0x200000, 8), load(FAKE_RAM + 0x300000, 8));
    run();
    assert_int_equal(page_table_query(&vm->space.stage2, FAKE_RAM + 0x200000, &mapping), OK);
    assert_int_equal(mapping.level, 2); /* a block: 2 MiB */
    assert_true(pmm_free_count() <= before - 512);
    assert_int_equal(vcpu->stats.page_faults, 2);
    assert_int_equal(vcpu->hv.bus_faults, 0);
    assert_int_equal(vcpu->hv.pc, FAKE_ENTRY); /* tried again */
}

static void hostile_addresses_are_bus_faults(void **state)
{
    static const uint64_t addresses[] = {
        0,
        FAKE_DEVICE - 1,
        FAKE_DEVICE + FAKE_DEVICE_SIZE,
        FAKE_RAM - 8,
        FAKE_RAM + FAKE_RAM_SIZE,
        0xffffffffffff,
        UINT64_MAX,
        UINT64_MAX - 7,
        BIT(63),
        BIT(40),
        BIT(48),
    };
    static struct vm_exit exits[4 * ARRAY_SIZE(addresses)];

    (void)state;
    for (unsigned i = 0; i < ARRAY_SIZE(addresses); i++) {
        exits[4 * i] = load(addresses[i], 8);
        exits[4 * i + 1] = store(addresses[i], 1, 0xff);
        exits[4 * i + 2] = undecoded(load(addresses[i], 8));
        exits[4 * i + 3] = load(addresses[i], 1);
        exits[4 * i + 3].memory.table_walk = true;
        exits[4 * i + 3].memory.decoded = false;
    }
    vcpu->hv.next = exits;
    vcpu->hv.last = exits + ARRAY_SIZE(exits);
    run();
    /* The byte just below the device's first is followed by the device itself. */
    assert_true(vcpu->hv.bus_faults == ARRAY_SIZE(exits));
    assert_int_equal(fake_parts.device->writes, 0);
    assert_int_equal(vm->state, VM_RUNNING);
}

static struct vm_exit walk(struct vm_exit exit, bool permission)
{
    exit.memory.decoded = false;
    exit.memory.table_walk = true;
    exit.memory.permission = permission;
    return exit;
}

/* The MMU does not walk there, so mapping it would be for nothing, again and again. */
static void a_table_walk_in_a_mapped_device_is_a_bus_fault(void **state)
{
    const struct region gicc = { .base = gpa(0x8010000),
                                 .size = PAGE_SIZE,
                                 .kind = REGION_IDENTITY,
                                 .prot = PT_READ | PT_WRITE | PT_DEVICE,
                                 .host = paddr(0x8040000) };

    (void)state;
    assert_int_equal(vm_map_region(vm, &gicc), OK);
    FAKE_SCRIPT(vcpu, walk(load(0x8010008, 8), false), load(0x8010000, 4),
                walk(load(0x8010ff8, 8), true), walk(fetch(0x8010000), true));
    run();
    assert_int_equal(vcpu->hv.bus_faults, 3);
    assert_int_equal(vcpu->stats.page_faults, 1);
    assert_int_equal(vm->state, VM_RUNNING);
}

/* Hardware that updates access flags finds a table that it may read but not write. */
static void a_table_walk_that_would_write_rom_is_a_bus_fault(void **state)
{
    const uint64_t table = FAKE_RAM + 0x2000;

    (void)state;
    FAKE_SCRIPT(vcpu, walk(load(table, 8), false), walk(load(table, 8), true),
                walk(fetch(table), true));
    vm->space.regions[1].kind = REGION_ROM;
    run();
    vm->space.regions[1].kind = REGION_ALLOCATED;
    assert_int_equal(vcpu->hv.bus_faults, 2);
    assert_int_equal(vcpu->stats.page_faults, 1);
    assert_int_equal(vm->state, VM_RUNNING);
}

/* Also for an instruction: its tables need not be executable. */
static void a_table_walk_reads_memory(void **state)
{
    struct pt_mapping mapping;

    (void)state;
    FAKE_SCRIPT(vcpu, walk(fetch(FAKE_RAM + 0x200000), false));
    vm->space.regions[1].prot = PT_READ | PT_WRITE;
    run();
    assert_int_equal(page_table_query(&vm->space.stage2, FAKE_RAM + 0x200000, &mapping), OK);
    assert_int_equal(vcpu->hv.bus_faults, 0);
}

static void an_external_abort_is_handed_to_the_guest(void **state)
{
    struct vm_exit exit = load(0, 0);

    (void)state;
    exit.memory.external = true;
    FAKE_SCRIPT(vcpu, exit);
    run();
    assert_int_equal(vcpu->hv.bus_faults, 1);
    assert_int_equal(vm->strays, 0);
}

static void a_read_only_region_is_not_written(void **state)
{
    (void)state;
    vm->space.regions[1].prot = PT_READ;
    FAKE_SCRIPT(vcpu, load(FAKE_RAM, 4), store(FAKE_RAM, 4, 1));
    run();
    assert_int_equal(vcpu->hv.bus_faults, 1);
}

static void a_rom_reads_as_memory_and_writes_to_its_model(void **state)
{
    vmo_t rom;
    const struct region region = { .base = gpa(0x100000),
                                   .size = 0x4000,
                                   .kind = REGION_ROM,
                                   .prot = PT_READ | PT_EXEC,
                                   .vmo = &rom,
                                   .dev = &fake_parts.device->dev };
    struct pt_mapping mapping;

    (void)state;
    assert_int_equal(vmo_init(&rom, region.size), OK);
    assert_int_equal(vm_map_region(vm, &region), OK);
    FAKE_SCRIPT(vcpu, load(0x100000, 4), store(0x101004, 4, 0x98),
                undecoded(store(0x101008, 2, 5)));
    run();
    assert_int_equal(page_table_query(&vm->space.stage2, 0x100000, &mapping), OK);
    assert_int_equal(mapping.prot & PT_WRITE, 0);
    assert_int_equal(fake_parts.device->writes, 2);
    assert_int_equal(fake_parts.device->access.offset, 0x1008);
    aspace_rom_trap_reads(&vm->space, region.base, true);
    assert_int_equal(page_table_query(&vm->space.stage2, 0x100000, &mapping), ERR_NOT_FOUND);
    FAKE_SCRIPT(vcpu, load(0x100010, 4), fetch(0x100010));
    run();
    assert_int_equal(fake_parts.device->reads, 1);
    assert_int_equal(vm->state, VM_CRASHED); /* code was not to be had there */
    assert_int_equal(vm_unmap_region(vm, region.base), OK);
    vmo_destroy(&rom);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_device_is_read),
        TEST(a_device_is_written),
        TEST(a_misaligned_access_reaches_the_model_as_bytes),
        TEST(an_access_across_the_devices_end_is_a_bus_fault),
        TEST(an_undecoded_access_is_emulated),
        TEST(an_undecoded_access_without_meaning_is_a_bus_fault),
        TEST(memory_is_committed_at_the_first_touch),
        TEST(hostile_addresses_are_bus_faults),
        TEST(a_table_walk_in_a_mapped_device_is_a_bus_fault),
        TEST(a_table_walk_that_would_write_rom_is_a_bus_fault),
        TEST(a_table_walk_reads_memory),
        TEST(an_external_abort_is_handed_to_the_guest),
        TEST(a_read_only_region_is_not_written),
        TEST(a_rom_reads_as_memory_and_writes_to_its_model),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
