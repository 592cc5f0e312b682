/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Image loaders: where kernel, device tree and initrd go for each format, and that no header
 * makes them read outside the image or write outside the guest's RAM.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "arch/bits.h"
#include "tests/unit/captured_log.h"
#include "tests/unit/fake_guest_ram.h"
#include "vm/image/image.h"

#define RAM_BASE 0x40000000u
#define RAM_BYTES 0x1000000u

static uint8_t ram[RAM_BYTES];
static uint8_t flash[0x1000];
static struct hv_reset start;
static const char tree[] = "a device tree";
static const char initrd[] = "an initrd";

/* --- the guest's memory, as the loaders see it --- */

uint8_t *guest(gpa_t at, size_t bytes)
{
    if (at.raw < sizeof(flash) && bytes <= sizeof(flash) - at.raw)
        return flash + at.raw;
    assert_in_range(at.raw, RAM_BASE, RAM_BASE + RAM_BYTES);
    assert_true(bytes <= RAM_BASE + RAM_BYTES - at.raw);
    return ram + (at.raw - RAM_BASE);
}

/* --- images --- */

struct linux_header {
    uint32_t code[2];
    uint64_t text_offset, image_size, flags, reserved[3];
    uint32_t magic, pe;
};

struct elf_file {
    struct {
        uint8_t ident[16];
        uint16_t type, machine;
        uint32_t version;
        uint64_t entry, phoff, shoff;
        uint32_t flags;
        uint16_t ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
    } header;
    struct {
        uint32_t type, flags;
        uint64_t offset, vaddr, paddr, filesz, memsz, align;
    } segment[2];
    char text[16];
};

static struct linux_header right_linux(void)
{
    return (
        struct linux_header){ .text_offset = 0x80000, .image_size = 0x300000, .magic = 0x644d5241 };
}

static struct elf_file right_elf(void)
{
    struct elf_file elf = {
        .header = { .ident = "\x7f"
                             "ELF\x02\x01\x01",
                    .machine = 183,
                    .entry = 0xffff000000000010,
                    .phoff = offsetof(struct elf_file, segment),
                    .phentsize = 56,
                    .phnum = 2 },
        .segment = { { .type = 4 },
                     { .type = 1,
                       .offset = offsetof(struct elf_file, text),
                       .vaddr = 0xffff000000000000,
                       .paddr = RAM_BASE + 0x1000,
                       .filesz = 16,
                       .memsz = 0x2000 } },
        .text = "text of the elf",
    };

    return elf;
}

static int set_up(void **state)
{
    (void)state;
    memset(&vm, 0, sizeof(vm));
    memset(ram, 0xaa, sizeof(ram));
    memset(flash, 0xff, sizeof(flash));
    memset(&start, 0xaa, sizeof(start));
    logged[0] = '\0';
    vm_config_init(&vm.config);
    strcpy(vm.config.name, "guest");
    vm.config.ram_count = 1;
    vm.config.ram[0] = (struct vm_config_ram){ gpa(RAM_BASE), RAM_BYTES };
    vm.config.load = gpa(RAM_BASE + 0x80000); /* as the machine's defaults */
    return 0;
}

/* An image that ends where its allocation ends. Freed by unload. */
static void give_kernel(const void *image, size_t bytes)
{
    void *copy = malloc(bytes);

    assert_non_null(copy);
    memcpy(copy, image, bytes);
    vm.config.kernel = (struct blob){ copy, bytes };
}

static status_t load(const void *image, size_t bytes)
{
    status_t status;

    give_kernel(image, bytes);
    status = image_load(&vm, &start);
    free((void *)(uintptr_t)vm.config.kernel.data);
    return status;
}

static void give_tree_and_initrd(void)
{
    vm.fdt = (void *)(uintptr_t)tree;
    vm.fdt_bytes = sizeof(tree);
    vm.config.initrd = (struct blob){ initrd, sizeof(initrd) };
}

static void linux_goes_text_offset_into_ram_with_tree_and_initrd_behind(void **state)
{
    struct linux_header image = right_linux();

    (void)state;
    give_tree_and_initrd();
    assert_int_equal(load(&image, sizeof(image)), OK);
    assert_int_equal(start.entry, RAM_BASE + 0x80000);
    assert_memory_equal(ram + 0x80000, &image, sizeof(image));
    assert_int_equal(ram[0x80000 + sizeof(image)], 0);
    assert_int_equal(ram[0x80000 + 0x2fffff], 0);
    assert_int_equal(start.arg[0], RAM_BASE + 0x380000);
    assert_memory_equal(ram + 0x380000, tree, sizeof(tree));
    assert_memory_equal(ram + 0x380000 + IMAGE_FDT_ROOM, initrd, sizeof(initrd));
    assert_int_equal(start.arg[1] | start.arg[2] | start.arg[3], 0);
}

static void loading_again_replaces_what_the_guest_changed(void **state)
{
    struct linux_header image = right_linux();

    (void)state;
    give_tree_and_initrd();
    assert_int_equal(load(&image, sizeof(image)), OK);
    memset(ram, 0x55, sizeof(ram));
    assert_int_equal(load(&image, sizeof(image)), OK);
    assert_memory_equal(ram + 0x80000, &image, sizeof(image));
    assert_int_equal(ram[0x80000 + 0x2fffff], 0);
    assert_memory_equal(ram + 0x380000, tree, sizeof(tree));
    assert_memory_equal(ram + 0x380000 + IMAGE_FDT_ROOM, initrd, sizeof(initrd));
}

static void an_old_linux_image_has_the_old_text_offset(void **state)
{
    struct linux_header image = right_linux();

    (void)state;
    image.image_size = 0;
    image.text_offset = 0xdeadbeef;
    assert_int_equal(load(&image, sizeof(image)), OK);
    assert_int_equal(start.entry, RAM_BASE + 0x80000);
}

static void linux_fields_out_of_range_are_refused_by_name(void **state)
{
    struct linux_header image = right_linux();

    (void)state;
    image.text_offset = 0x200000;
    assert_int_equal(load(&image, sizeof(image)), ERR_INVALID_ARGS);
    assert_non_null(strstr(logged, "guest: kernel: Image header: text_offset"));
    image = right_linux();
    image.image_size = UINT64_MAX;
    assert_int_equal(load(&image, sizeof(image)), ERR_NO_MEMORY);
    image.image_size = RAM_BYTES - 0x80000 + 1;
    assert_int_equal(load(&image, sizeof(image)), ERR_NO_MEMORY);
    assert_non_null(strstr(logged, "does not fit"));
    image = right_linux();
    vm.config.has_load = true;
    vm.config.load = gpa(RAM_BASE + 0x1000);
    assert_int_equal(load(&image, sizeof(image)), ERR_INVALID_ARGS);
    assert_non_null(strstr(logged, "load:"));
    vm.config.format = VM_IMAGE_LINUX;
    image.magic = 0;
    assert_int_equal(load(&image, sizeof(image)), ERR_INVALID_ARGS);
}

static void what_does_not_fit_behind_the_kernel_is_refused(void **state)
{
    struct linux_header image = right_linux();

    (void)state;
    give_tree_and_initrd();
    image.image_size = RAM_BYTES - 0x80000;
    assert_int_equal(load(&image, sizeof(image)), ERR_NO_MEMORY);
    assert_non_null(strstr(logged, "device tree: does not fit"));
    image.image_size -= IMAGE_FDT_ROOM;
    assert_int_equal(load(&image, sizeof(image)), ERR_NO_MEMORY);
    assert_non_null(strstr(logged, "initrd: does not fit"));
    image.image_size -= PAGE_SIZE * 4;
    assert_int_equal(load(&image, sizeof(image)), OK);
}

static void elf_segments_go_to_their_physical_addresses(void **state)
{
    struct elf_file elf = right_elf();

    (void)state;
    assert_int_equal(load(&elf, sizeof(elf)), OK);
    assert_int_equal(start.entry, RAM_BASE + 0x1010);
    assert_string_equal((char *)ram + 0x1000, "text of the elf");
    assert_int_equal(ram[0x1010], 0);
    assert_int_equal(ram[0x2fff], 0);
    assert_int_equal(ram[0x3000], 0xaa);
    assert_int_equal(start.arg[0], 0);
}

static void an_elf_entry_outside_every_segment_is_taken_as_it_is(void **state)
{
    struct elf_file elf = right_elf();

    (void)state;
    elf.header.entry = 0x1234;
    assert_int_equal(load(&elf, sizeof(elf)), OK);
    assert_int_equal(start.entry, 0x1234);
}

static void malformed_elf_headers_are_refused_by_field(void **state)
{
    struct elf_file elf;

    (void)state;
#define assert_elf(change, expected, message)                \
    do {                                                     \
        elf = right_elf();                                   \
        change;                                              \
        assert_int_equal(load(&elf, sizeof(elf)), expected); \
        assert_non_null(strstr(logged, message));            \
    } while (0)
    assert_elf(elf.header.ident[4] = 1, ERR_INVALID_ARGS, "ELF64");
    assert_elf(elf.header.machine = 62, ERR_INVALID_ARGS, "e_machine");
    assert_elf(elf.header.phentsize = 55, ERR_INVALID_ARGS, "e_phentsize");
    assert_elf(elf.header.phnum = 3, ERR_INVALID_ARGS, "e_phoff");
    assert_elf(elf.header.phoff = UINT64_MAX - 8, ERR_INVALID_ARGS, "e_phoff");
    assert_elf(elf.header.phnum = 1, ERR_INVALID_ARGS, "PT_LOAD");
    assert_elf(elf.segment[1].filesz = 0x3000, ERR_INVALID_ARGS, "p_filesz");
    assert_elf(elf.segment[1].offset = UINT64_MAX, ERR_INVALID_ARGS, "p_offset");
    assert_elf(elf.segment[1].filesz = 17, ERR_INVALID_ARGS, "p_offset");
    assert_elf(elf.segment[1].paddr = UINT64_MAX, ERR_NO_MEMORY, "does not fit");
    assert_elf(elf.segment[1].memsz = UINT64_MAX, ERR_NO_MEMORY, "does not fit");
    assert_elf(vm.config.has_load = true, ERR_INVALID_ARGS, "leave out 'load'");
}

/* Whatever a header says: no access outside image and RAM (the sanitizer and guest() watch). */
static void damaged_headers_are_survived(void **state)
{
    unsigned seed = 4711;

    (void)state;
    for (unsigned round = 0; round < 20000; round++) {
        struct elf_file elf = right_elf();
        struct linux_header image = right_linux();
        bool is_elf = round % 2;
        uint8_t *bytes = is_elf ? (uint8_t *)&elf : (uint8_t *)&image;
        size_t size = is_elf ? sizeof(elf) : sizeof(image);

        elf.segment[1].memsz = 32; /* quick */
        image.image_size = 128;
        for (unsigned damage = 0; damage <= round % 4; damage++) {
            seed = seed * 1103515245 + 12345;
            size_t at = (seed >> 8) % size;
            seed = seed * 1103515245 + 12345;
            bytes[at] = (uint8_t)(seed >> 16);
        }
        (void)load(bytes, size - (seed >> 24) % 3 * 20);
    }
}

static void a_raw_kernel_starts_at_its_first_byte_or_at_entry(void **state)
{
    (void)state;
    assert_int_equal(load("raw", 4), OK);
    assert_int_equal(start.entry, RAM_BASE + 0x80000);
    assert_string_equal((char *)ram + 0x80000, "raw");
    vm.config.has_entry = true;
    vm.config.entry = gpa(0x44);
    assert_int_equal(load("raw", 4), OK);
    assert_int_equal(start.entry, 0x44);
    vm.config.load = gpa(RAM_BASE + RAM_BYTES - 3);
    assert_int_equal(load("raw", 4), ERR_NO_MEMORY);
}

static void a_firmware_lies_in_flash_with_the_tree_at_the_start_of_ram(void **state)
{
    (void)state;
    give_tree_and_initrd();
    vm.config.initrd = (struct blob){ 0 };
    vm.config.firmware = (struct blob){ "firmware", 9 };
    assert_int_equal(image_load(&vm, &start), OK);
    assert_string_equal((char *)flash, "firmware");
    assert_string_equal((char *)ram, tree);
    assert_int_equal(start.entry, 0);
    assert_int_equal(start.arg[0], RAM_BASE);
}

static void nothing_to_start_is_an_error(void **state)
{
    (void)state;
    assert_int_equal(image_load(&vm, &start), ERR_NOT_FOUND);
    assert_non_null(strstr(logged, "guest: kernel:"));
}

static void a_device_tree_never_crosses_2_mib(void **state)
{
    struct image_plan plan;

    (void)state;
    vm.config.kernel = (struct blob){ "raw", 4 };
    vm.config.load = gpa(RAM_BASE + 0x1ff000);
    vm.config.fdt = (struct blob){ tree, 0x50000 };
    assert_int_equal(image_plan(&vm.config, false, &plan), OK);
    assert_int_equal(plan.fdt_room, 0x80000);
    assert_int_equal(plan.fdt.raw, RAM_BASE + 0x200000);
    vm.config.fdt.bytes = IMAGE_FDT_MAX;
    assert_int_equal(image_plan(&vm.config, false, &plan), ERR_INVALID_ARGS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(linux_goes_text_offset_into_ram_with_tree_and_initrd_behind, set_up),
        cmocka_unit_test_setup(loading_again_replaces_what_the_guest_changed, set_up),
        cmocka_unit_test_setup(an_old_linux_image_has_the_old_text_offset, set_up),
        cmocka_unit_test_setup(linux_fields_out_of_range_are_refused_by_name, set_up),
        cmocka_unit_test_setup(what_does_not_fit_behind_the_kernel_is_refused, set_up),
        cmocka_unit_test_setup(elf_segments_go_to_their_physical_addresses, set_up),
        cmocka_unit_test_setup(an_elf_entry_outside_every_segment_is_taken_as_it_is, set_up),
        cmocka_unit_test_setup(malformed_elf_headers_are_refused_by_field, set_up),
        cmocka_unit_test_setup(damaged_headers_are_survived, set_up),
        cmocka_unit_test_setup(a_raw_kernel_starts_at_its_first_byte_or_at_entry, set_up),
        cmocka_unit_test_setup(a_firmware_lies_in_flash_with_the_tree_at_the_start_of_ram, set_up),
        cmocka_unit_test_setup(nothing_to_start_is_an_error, set_up),
        cmocka_unit_test_setup(a_device_tree_never_crosses_2_mib, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
