/* SPDX-License-Identifier: BSD-2-Clause */
/* Guest memory for callers outside. */

#include "tests/unit/fake_vm_parts.h"

#include "kernel/pmm.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define END (FAKE_RAM + FAKE_RAM_SIZE)

static struct vm *vm;

static int setup(void **state)
{
    (void)state;
    fake_world_init();
    vm = fake_vm("memory");
    return vm != NULL ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    return vm_destroy(vm) == OK ? 0 : -1;
}

static void what_is_written_is_read(void **state)
{
    uint32_t narrow = 0;
    uint64_t wide = 0;

    (void)state;
    assert_int_equal(vm_write_guest_u64(vm, gpa(END - 8), 0x1122334455667788), OK);
    assert_int_equal(vm_read_guest_u32(vm, gpa(END - 4), &narrow), OK);
    assert_int_equal(narrow, 0x11223344);
    assert_int_equal(vm_write_guest_u32(vm, gpa(END - 8), 1), OK);
    assert_int_equal(vm_read_guest_u64(vm, gpa(END - 8), &wide), OK);
    assert_int_equal(wide, 0x1122334400000001);
}

static void misaligned_words_are_refused(void **state)
{
    uint32_t narrow;
    uint64_t wide;

    (void)state;
    for (unsigned i = 1; i < 8; i++) {
        assert_int_equal(vm_read_guest_u64(vm, gpa(FAKE_RAM + i), &wide), ERR_INVALID_ARGS);
        assert_int_equal(vm_write_guest_u64(vm, gpa(FAKE_RAM + i), 0), ERR_INVALID_ARGS);
        if (i == 4)
            continue;
        assert_int_equal(vm_read_guest_u32(vm, gpa(FAKE_RAM + i), &narrow), ERR_INVALID_ARGS);
        assert_int_equal(vm_write_guest_u32(vm, gpa(FAKE_RAM + i), 0), ERR_INVALID_ARGS);
    }
}

static void what_is_not_memory_is_not_found(void **state)
{
    static const uint64_t places[] = { 0,       FAKE_DEVICE, END, FAKE_RAM - 8, UINT64_MAX & ~7ULL,
                                       BIT(63), BIT(40) };
    uint64_t word = 0;
    uint8_t bytes[32];

    (void)state;
    for (unsigned i = 0; i < ARRAY_SIZE(places); i++) {
        assert_int_equal(vm_read_guest_u64(vm, gpa(places[i]), &word), ERR_NOT_FOUND);
        assert_int_equal(vm_write_guest_u64(vm, gpa(places[i]), word), ERR_NOT_FOUND);
    }
    assert_int_equal(vm_read_guest(vm, gpa(END - 16), bytes, sizeof(bytes)), ERR_NOT_FOUND);
    assert_int_equal(vm_write_guest(vm, gpa(END - 16), bytes, sizeof(bytes)), ERR_NOT_FOUND);
    assert_int_equal(vm_read_guest(vm, gpa(0), bytes, 0), OK); /* nothing of nothing */
}

static void an_image_crosses_regions_and_is_padded_with_zeros(void **state)
{
    static uint8_t image[3 * 4096], back[4 * 4096];
    const struct blob blob = { image, sizeof(image) };
    vmo_t more;
    const struct region region = { .base = gpa(END),
                                   .size = 0x4000,
                                   .kind = REGION_SHARED,
                                   .prot = PT_READ | PT_WRITE,
                                   .vmo = &more,
                                   .offset = 0x1000 };

    (void)state;
    memset(image, 0xa5, sizeof(image));
    assert_int_equal(vmo_init(&more, 0x5000), OK);
    assert_int_equal(vm_map_region(vm, &region), OK);
    assert_int_equal(vm_image_load_region(vm, gpa(END - 0x1000), &blob, sizeof(back)), OK);
    assert_int_equal(vm_image_load_region(vm, gpa(END - 0x1000), &blob, 0x1800), ERR_INVALID_ARGS);
    assert_int_equal(vm_read_guest(vm, gpa(END - 0x1000), back, sizeof(back)), OK);
    assert_memory_equal(back, image, sizeof(image));
    for (unsigned i = sizeof(image); i < sizeof(back); i++)
        assert_int_equal(back[i], 0);
    assert_int_equal(vm_image_load_region(vm, gpa(END + 0x2000), &blob, sizeof(image)),
                     ERR_NOT_FOUND); /* does not fit */
    assert_int_equal(vm_unmap_region(vm, gpa(END)), OK);
    assert_int_equal(vm_unmap_region(vm, gpa(END)), ERR_NOT_FOUND);
    vmo_destroy(&more);
}

static void zeroing_what_was_never_touched_costs_no_memory(void **state)
{
    const struct blob nothing = { NULL, 0 };
    const size_t before = pmm_free_count();

    (void)state;
    assert_int_equal(vm_image_load_region(vm, gpa(FAKE_RAM + SIZE_2M), &nothing, SIZE_2M), OK);
    assert_int_equal(pmm_free_count(), before);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_written_is_read),
        TEST(misaligned_words_are_refused),
        TEST(what_is_not_memory_is_not_found),
        TEST(an_image_crosses_regions_and_is_padded_with_zeros),
        TEST(zeroing_what_was_never_touched_costs_no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
