/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A configuration's device tree, damaged, on its way to the guest: what comes out is a sound
 * tree within the room that it has, or nothing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <libfdt.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "tests/unit/captured_log.h"
#include "vm/firmware/guest_fdt.h"

#define ROUNDS 20000

static struct vm_config config;
static struct image_plan plan;
static uint8_t right[IMAGE_FDT_ROOM] __attribute__((aligned(8)));

static void one_tree(void)
{
    const size_t bytes = fdt_totalsize(right);
    const size_t room = fuzz_one_in(4) ? 64 + fuzz_below(2 * bytes) : IMAGE_FDT_ROOM;
    uint8_t *damaged = fuzz_damaged(right, bytes);
    uint8_t *buffer = malloc(room);

    assert_non_null(buffer);
    if (fuzz_one_in(2)) /* else hardly one gets past the header's */
        memcpy(damaged, right, sizeof(struct fdt_header));
    config.fdt = (struct blob){ damaged, fuzz_one_in(8) ? fuzz_below(bytes + 1) : bytes };
    if (guest_fdt_patch(&config, &plan, buffer, room) == OK) {
        assert_true(fdt_totalsize(buffer) <= room);
        assert_int_equal(fdt_check_full(buffer, room), 0);
    }
    free(buffer);
    free(damaged);
}

static void damaged_trees_are_refused_or_sound(void **state)
{
    const struct guest_fdt_facts facts = { .gic_version = 3 };

    (void)state;
    vm_config_init(&config);
    strcpy(config.name, "guest");
    strcpy(config.cmdline, "quiet");
    config.cpus = 2;
    config.ram_count = 1;
    config.ram[0] = (struct vm_config_ram){ gpa(0x40000000), 0x10000000 };
    config.initrd = (struct blob){ "initrd", 7 };
    assert_int_equal(guest_fdt_generate(&config, &plan, &facts, right, sizeof(right)), OK);
    fuzz(ROUNDS, one_tree);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(damaged_trees_are_refused_or_sound),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
