/* SPDX-License-Identifier: BSD-2-Clause */
/* Making and unmaking a VM: what is refused, and that nothing leaks; its devices, its interrupts.
 */

#include "tests/unit/fake_arena.h"
#include "tests/unit/fake_vm_parts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void a_thousand_vms_leave_no_page_behind(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 1000; i++) {
        struct vm *vm = fake_vm_running("again");
        uint64_t word = 1;

        assert_int_equal(vm_write_guest(vm, gpa(FAKE_RAM + 8 * i), &word, sizeof(word)), OK);
        fake_vm_end(vm);
        assert_int_equal(pmm_free_count(), fake_free_before);
    }
}

/* Takes memory until `pages` are left, in one run as far as that goes. */
static unsigned hoard(paddr_t *pages, unsigned left)
{
    unsigned taken = 0;

    while (pmm_alloc(0, VM_PAGE_WIRED, &pages[taken]) == OK)
        taken++;
    assert_true(taken >= left);
    while (left-- != 0)
        pmm_free(pages[--taken]);
    return taken;
}

static void creation_fails_cleanly_at_every_page(void **state)
{
    static paddr_t pages[FAKE_ARENA_PAGES];
    const struct vm_config config = fake_config("poor");
    status_t status = ERR_NO_MEMORY;
    unsigned left = 0, failures = 0;

    (void)state;
    for (; status != OK; left++) {
        const unsigned taken = hoard(pages, left);
        struct vm *vm = NULL;

        assert_int_equal(pmm_free_count(), left);
        status = vm_create(&config, &vm);
        if (status == OK) {
            assert_int_equal(vm_destroy(vm), OK);
        } else {
            assert_int_equal(status, ERR_NO_MEMORY);
            assert_null(vm_first());
            failures++;
        }
        assert_int_equal(pmm_free_count(), left);
        for (unsigned i = 0; i < taken; i++)
            pmm_free(pages[i]);
        assert_int_equal(pmm_free_count(), fake_free_before);
    }
    assert_true(failures > 10);
}

static void creation_undoes_a_machine_or_image_that_fails(void **state)
{
    const struct vm_config config = fake_config("bad");
    struct vm *vm;

    (void)state;
    fake_parts.build_status = ERR_UNSUPPORTED;
    assert_int_equal(vm_create(&config, &vm), ERR_UNSUPPORTED);
    assert_int_equal(pmm_free_count(), fake_free_before);
    fake_parts.build_status = OK;
    fake_parts.image_status = ERR_INVALID_ARGS;
    assert_int_equal(vm_create(&config, &vm), ERR_INVALID_ARGS);
    assert_non_null(strstr(fake_log, "bad: not created: its images"));
}

static void a_wrong_configuration_is_refused(void **state)
{
    struct vm_config config = fake_config("wrong");
    struct vm *vm;

    (void)state;
    config.cpus = 0;
    assert_int_equal(vm_create(&config, &vm), ERR_INVALID_ARGS);
    config = fake_config("wrong");
    config.cpus = VM_MAX_VCPUS + 1;
    assert_int_equal(vm_create(&config, &vm), ERR_INVALID_ARGS);
    config = fake_config("wrong");
    strcpy(config.machine, "toaster");
    assert_int_equal(vm_create(&config, &vm), ERR_NOT_FOUND);
    assert_non_null(strstr(fake_log, "toaster"));
    config = fake_config("wrong");
    memset(config.name, 'x', sizeof(config.name)); /* does not end */
    config.ram[0].base = gpa(UINT64_MAX - 4095);
    assert_int_equal(vm_create(&config, &vm), ERR_INVALID_ARGS);
    assert_int_equal(vm_create(NULL, &vm), ERR_INVALID_ARGS);
    config = fake_config("wrong");
    config.ram[0].base = gpa(FAKE_DEVICE & ~(SIZE_2M - 1)); /* under the device */
    config.ram[0].size = 16 << 20;
    assert_int_equal(vm_create(&config, &vm), ERR_ALREADY_EXISTS);
}

static void names_are_unique_and_ids_reused(void **state)
{
    struct vm *first = fake_vm("one"), *second = fake_vm("two"), *third;
    const struct vm_config config = fake_config("one");

    (void)state;
    assert_int_equal(vm_create(&config, &third), ERR_ALREADY_EXISTS);
    assert_int_equal(first->id, 0);
    assert_int_equal(second->id, 1);
    assert_ptr_equal(vm_first(), first);
    assert_ptr_equal(vm_find("two"), second);
    fake_vm_end(first);
    third = fake_vm("three");
    assert_int_equal(third->id, 0);
    assert_ptr_equal(vm_first(), second);
    assert_ptr_equal(second->next, third);
    fake_vm_end(second);
    fake_vm_end(third);
}

static void a_stale_pointer_is_refused(void **state)
{
    const struct region region = { .base = gpa(0x1000), .size = 0x1000, .kind = REGION_RESERVED };
    struct vm *vm = fake_vm("gone");
    uint8_t byte = 0;

    (void)state;
    fake_vm_end(vm);
    assert_int_equal(vm_boot(vm), ERR_NOT_FOUND);
    assert_int_equal(vm_destroy(vm), ERR_NOT_FOUND);
    assert_int_equal(vm_shutdown(vm, 1), ERR_NOT_FOUND);
    assert_int_equal(vm_read_guest(vm, gpa(FAKE_RAM), &byte, 1), ERR_NOT_FOUND);
    assert_int_equal(vm_inject_interrupt(vm, 1, 1), ERR_NOT_FOUND);
    assert_int_equal(vm_map_region(vm, &region), ERR_NOT_FOUND);
    assert_int_equal(vm_unmap_region(vm, region.base), ERR_NOT_FOUND);
}

static void no_cpu_of_the_affinity_online_refuses_the_boot(void **state)
{
    struct vm_config config = fake_config("elsewhere");
    struct vm *vm;

    (void)state;
    config.affinity = BIT(5);
    assert_int_equal(vm_create(&config, &vm), OK);
    assert_int_equal(vm_boot(vm), ERR_NOT_FOUND);
    assert_int_equal(vm->state, VM_CREATED);
    assert_int_equal(vm->active, 0);
    assert_int_equal(vm_destroy(vm), OK);
}

static void prefault_commits_all_of_the_ram(void **state)
{
    struct vm_config config = fake_config("ahead");
    struct vm *vm;

    (void)state;
    config.prefault = true;
    assert_int_equal(vm_create(&config, &vm), OK);
    assert_int_equal(vm->ram[0].stats.committed_pages, FAKE_RAM_SIZE / PAGE_SIZE);
    assert_int_equal(vm->ram[0].stats.committed_blocks, FAKE_RAM_SIZE / SIZE_2M);
    fake_vm_end(vm);
}

/* A PC's begins at 1 MiB, or in the middle of that. */
static void blocks_back_ram_that_begins_between_them(void **state)
{
    struct vm_config config = fake_config("between");
    struct vm *vm;

    (void)state;
    config.prefault = true;
    config.ram[0].base = gpa(FAKE_RAM - SIZE_2M / 2);
    assert_int_equal(vm_create(&config, &vm), OK);
    assert_int_equal(vm->ram[0].stats.committed_pages, FAKE_RAM_SIZE / PAGE_SIZE);
    assert_int_equal(vm->ram[0].stats.committed_blocks, FAKE_RAM_SIZE / SIZE_2M - 1);
    assert_int_equal(vm_destroy(vm), OK);
}

/* --- devices, interrupts --- */

static void a_device_may_have_several_ranges(void **state)
{
    struct vm *vm = fake_vm("ranges");
    struct vdev *dev = vm_devices(vm);

    (void)state;
    assert_ptr_equal(dev, &fake_parts.device->dev);
    assert_int_equal(vm_attach_device(vm, dev, gpa(0x9100000), 0x100), OK);
    assert_ptr_equal(vm_devices(vm), dev);
    assert_null(dev->next);
    assert_int_equal(aspace_find(&vm->space, gpa(FAKE_DEVICE))->dev_range, 0);
    assert_int_equal(aspace_find(&vm->space, gpa(0x91000ff))->dev_range, 1);
    assert_int_equal(vm_attach_device(vm, dev, gpa(0x91000ff), 1), ERR_ALREADY_EXISTS);
    fake_vm_end(vm);
}

static void interrupts_of_vcpus_it_has_not_are_refused(void **state)
{
    struct vm *vm = fake_vm_running("one");

    (void)state;
    assert_int_equal(vm_inject_interrupt(vm, 1, 27), OK);
    assert_int_equal(vm_inject_interrupt(vm, 2, 27), ERR_NOT_FOUND);
    assert_int_equal(vm_inject_interrupt(vm, BIT(63), 27), ERR_NOT_FOUND);
    assert_int_equal(vm_inject_interrupt(vm, 1, 5000), ERR_INVALID_ARGS);
    assert_int_equal(fake_parts.injects, 2);
    fake_vm_end(vm);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fake_world_setup, fake_world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_thousand_vms_leave_no_page_behind),
        TEST(creation_fails_cleanly_at_every_page),
        TEST(creation_undoes_a_machine_or_image_that_fails),
        TEST(a_wrong_configuration_is_refused),
        TEST(names_are_unique_and_ids_reused),
        TEST(a_stale_pointer_is_refused),
        TEST(no_cpu_of_the_affinity_online_refuses_the_boot),
        TEST(prefault_commits_all_of_the_ram),
        TEST(blocks_back_ram_that_begins_between_them),
        TEST(a_device_may_have_several_ranges),
        TEST(interrupts_of_vcpus_it_has_not_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
