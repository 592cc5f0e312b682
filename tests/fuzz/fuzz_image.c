/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * arm64's image loaders, with kernels whose headers are damaged: nothing is read outside of
 * the file, and nothing written outside of the guest's RAM.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "arch/bits.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/captured_log.h"
#include "vm/image/image.h"
#include "vm/vm.h"

#define ROUNDS 20000
#define RAM_BASE 0x40000000u
#define RAM_BYTES 0x400000u

static struct vm vm;
static volatile uint8_t sum;

/* --- the guest's memory --- */

static void check(gpa_t to, size_t bytes)
{
    assert_in_range(to.raw, RAM_BASE, RAM_BASE + RAM_BYTES);
    assert_true(bytes <= RAM_BASE + RAM_BYTES - to.raw);
}

static void read_all(const uint8_t *from, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        sum = (uint8_t)(sum + from[i]);
}

status_t vm_write_guest(struct vm *to_vm, gpa_t to, const void *from, size_t bytes)
{
    (void)to_vm;
    check(to, bytes);
    read_all(from, bytes);
    return OK;
}

status_t vm_image_load_region(struct vm *to_vm, gpa_t to, const struct blob *image, size_t span)
{
    assert_true(image->bytes <= span);
    check(to, span);
    return vm_write_guest(to_vm, to, image->data, image->bytes);
}

const char *status_str(status_t status)
{
    return status == OK ? "ok" : "an error";
}

/* --- files --- */

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
    } segment[3];
    char text[64];
};

static const struct elf_file elf = {
    .header = { .ident = "\x7f"
                         "ELF\x02\x01\x01",
                .machine = 183,
                .entry = RAM_BASE + 0x1000,
                .phoff = offsetof(struct elf_file, segment),
                .phentsize = 56,
                .phnum = 3 },
    .segment = { { .type = 1,
                   .offset = offsetof(struct elf_file, text),
                   .paddr = RAM_BASE + 0x1000,
                   .filesz = 64,
                   .memsz = 0x2000 },
                 { .type = 4, .offset = offsetof(struct elf_file, text), .filesz = 20 },
                 { .type = 1, .paddr = RAM_BASE + 0x8000, .memsz = 0x1000 } },
};

static const struct {
    uint32_t code[2];
    uint64_t text_offset, image_size, flags, reserved[3];
    uint32_t magic, pe;
    uint8_t text[100];
} linux_image = { .text_offset = 0x80000, .image_size = 0x3000, .magic = 0x644d5241 };

static const struct blob files[] = {
    { &elf, sizeof(elf) },
    { &linux_image, sizeof(linux_image) },
};

static void one_file(void)
{
    static const enum vm_image_format formats[] = { VM_IMAGE_AUTO, VM_IMAGE_AUTO, VM_IMAGE_ELF,
                                                    VM_IMAGE_LINUX, VM_IMAGE_RAW };
    const struct blob *file = &files[fuzz_below(ARRAY_SIZE(files))];
    const size_t bytes = fuzz_one_in(8) ? 1 + fuzz_below(file->bytes) : file->bytes;
    uint8_t *damaged = fuzz_damaged(file->data, bytes);
    struct hv_reset start;

    vm_config_init(&vm.config);
    strcpy(vm.config.name, "guest");
    vm.config.ram_count = 1;
    vm.config.ram[0] = (struct vm_config_ram){ gpa(RAM_BASE), RAM_BYTES };
    vm.config.kernel = (struct blob){ damaged, bytes };
    vm.config.format = formats[fuzz_below(ARRAY_SIZE(formats))];
    vm.config.has_load = fuzz_one_in(4);
    vm.config.load = gpa(fuzz_one_in(2) ? RAM_BASE + 0x80000 : fuzz_value());
    vm.config.has_entry = fuzz_one_in(8);
    vm.config.entry = gpa(fuzz_value());
    if (fuzz_one_in(2))
        vm.config.initrd = (struct blob){ "an initrd", 9 };
    (void)image_load(&vm, &start);
    free(damaged);
}

static void damaged_kernels_stay_in_their_place(void **state)
{
    (void)state;
    fuzz(ROUNDS, one_file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(damaged_kernels_stay_in_their_place),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
