/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The loaders of a PC's kernels: what each boot protocol finds in registers and low memory,
 * which field of a wrong header is named, and that no image makes them read outside it or
 * write outside the guest's RAM.
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
#include "tests/unit/random.h"
#include "vm/firmware/e820.h"
#include "vm/image/image_x86.h"
#include "vm/machine/machine_pc.h"

#define RAM_BYTES 0x1000000u

static uint8_t ram[RAM_BYTES];
static struct hv_reset start;
static const char initrd[] = "an initrd";

/* --- the guest's memory, as the loaders see it --- */

uint8_t *guest(gpa_t at, size_t bytes)
{
    assert_true(vm_config_has_ram(&vm.config, at, bytes));
    assert_true(at.raw + bytes <= RAM_BYTES);
    return ram + at.raw;
}

static uint64_t number(uint64_t at, unsigned bytes)
{
    uint64_t value = 0;

    memcpy(&value, ram + at, bytes);
    return value;
}

static int set_up(void **state)
{
    (void)state;
    memset(&vm, 0, sizeof(vm));
    memset(ram, 0, sizeof(ram));
    memset(&start, 0xaa, sizeof(start));
    logged[0] = '\0';
    vm_config_init(&vm.config);
    strcpy(vm.config.name, "guest");
    strcpy(vm.config.machine, "pc");
    strcpy(vm.config.cmdline, "console=ttyS0");
    vm.config.ram_count = 2; /* as the machine's defaults */
    vm.config.ram[0] = (struct vm_config_ram){ gpa(0), PC_LOW_RAM_END };
    vm.config.ram[1] = (struct vm_config_ram){ gpa(PC_ROM_BASE), RAM_BYTES - PC_ROM_BASE };
    vm.config.load = gpa(0x100000);
    vm.config.initrd = (struct blob){ initrd, sizeof(initrd) };
    return 0;
}

/* An image that ends where its allocation ends. */
static status_t load(const void *image, size_t bytes)
{
    void *copy = malloc(bytes);
    status_t status;

    assert_non_null(copy);
    memcpy(copy, image, bytes);
    vm.config.kernel = (struct blob){ copy, bytes };
    status = image_load(&vm, &start);
    free(copy);
    return status;
}

/* One thing changed in an image that is otherwise right. */
#define assert_refused(right, change, expected, message)               \
    do {                                                               \
        __typeof__(right()) image_ = right();                          \
        __typeof__(image_) *image = &image_;                           \
        (void)set_up(NULL);                                            \
        change;                                                        \
        assert_int_equal(load(image, sizeof(*image)), expected);       \
        if (strstr(logged, message) == NULL)                           \
            fail_msg("'%s' is not what \"%s\" says", message, logged); \
    } while (0)

/* --- bzImage --- */

#define SETUP_BYTES 0x400u

struct bzimage {
    uint8_t code[0x1f1];
    uint8_t setup_sects;
    uint16_t root_flags;
    uint32_t syssize;
    uint16_t ram_size, vid_mode, root_dev, boot_flag;
    uint8_t jump[2];
    uint32_t header;
    uint16_t version;
    uint8_t unused[8];
    uint8_t type_of_loader, loadflags;
    uint16_t setup_move_size;
    uint32_t code32_start, ramdisk_image, ramdisk_size, bootsect_kludge;
    uint32_t heap;
    uint32_t cmd_line_ptr, initrd_addr_max, kernel_alignment;
    uint8_t relocatable_kernel, min_alignment;
    uint16_t xloadflags;
    uint32_t cmdline_size, subarch;
    uint64_t subarch_data, payload, setup_data, pref_address;
    uint32_t init_size, handover_offset, kernel_info_offset;
    uint8_t rest[SETUP_BYTES - 0x26c];
    char kernel[0x280];
} __attribute__((packed));

_Static_assert(offsetof(struct bzimage, kernel) == SETUP_BYTES, "two sectors");

static struct bzimage right_bzimage(void)
{
    struct bzimage image = {
        .setup_sects = 1,
        .syssize = 0x28,
        .boot_flag = 0xaa55,
        .jump = { 0xeb, 0x6a },
        .header = 0x53726448,
        .version = 0x20f,
        .loadflags = 0x81,
        .initrd_addr_max = 0x7fffffff,
        .kernel_alignment = 0x200000,
        .relocatable_kernel = 1,
        .xloadflags = 1,
        .cmdline_size = 2047,
        .pref_address = 0x400000,
        .init_size = 0x300000,
        .kernel = "the kernel",
    };

    return image;
}

static void a_bzimage_starts_by_the_64_bit_protocol(void **state)
{
    struct bzimage image = right_bzimage();

    (void)state;
    assert_int_equal(load(&image, sizeof(image)), OK);
    assert_int_equal(start.mode, HV_MODE_LONG);
    assert_int_equal(start.entry, 0x400200);
    assert_int_equal(start.arg[2], LOW_BOOT_PARAMS);
    assert_string_equal((char *)ram + 0x400000, "the kernel");
    assert_string_equal((char *)ram + 0x700000, initrd);
    assert_string_equal((char *)ram + number(LOW_BOOT_PARAMS + 0x228, 4), "console=ttyS0");
    assert_int_equal(number(LOW_BOOT_PARAMS + 0x218, 4), 0x700000);
    assert_int_equal(number(LOW_BOOT_PARAMS + 0x21c, 4), sizeof(initrd));
    assert_int_equal(number(LOW_BOOT_PARAMS + 0x210, 1), 0xff);
    assert_int_equal(number(LOW_BOOT_PARAMS + 0x211, 1), 0x01);
    assert_int_equal(number(LOW_BOOT_PARAMS + 0x070, 8), PC_ACPI_BASE);
    assert_int_equal(number(LOW_BOOT_PARAMS + 0x1ef, 1), 0);
    assert_int_equal(number(LOW_BOOT_PARAMS + 0x1e8, 1), 4);
    assert_int_equal(number(LOW_BOOT_PARAMS + 0x2d0 + 20, 8), PC_ROM_BASE);
    assert_int_equal(number(LOW_BOOT_PARAMS + 0x2d0 + 36, 4), E820_RESERVED);
}

static void its_first_4_gib_are_mapped_one_to_one(void **state)
{
    static const uint64_t addresses[] = { 0, 0x7000, 0x400200, 0xffffff, 0x40000000, 0xffffffff };
    struct bzimage image = right_bzimage();

    (void)state;
    assert_int_equal(load(&image, sizeof(image)), OK);
    for (size_t i = 0; i < ARRAY_SIZE(addresses); i++) {
        const uint64_t at = addresses[i];
        const uint64_t pml4e = number(start.cr3 + (at >> 39) * 8, 8);
        const uint64_t pdpte = number((pml4e & ~0xfffull) + (at >> 30) % 512 * 8, 8);
        const uint64_t pde = number((pdpte & ~0xfffull) + (at >> 21) % 512 * 8, 8);

        assert_int_equal(pml4e & 0x83, 0x3);
        assert_int_equal(pdpte & 0x83, 0x3);
        assert_int_equal(pde, ALIGN_DOWN(at, SIZE_2M) | 0x83);
    }
    assert_int_equal(number(start.cr3 + 8, 8), 0);
    assert_int_equal(number(start.cr3 + PAGE_SIZE + 4 * 8, 8), 0);
    assert_int_equal(number(LOW_GDT + 0x10, 8), 0xaf9b000000ffff);
    assert_int_equal(number(LOW_GDT + 0x18, 8), 0xcf93000000ffff);
}

static void a_bzimage_goes_lower_where_its_wish_is_not_ram(void **state)
{
    struct bzimage image = right_bzimage();

    (void)state;
    image.pref_address = 0x1000000;
    assert_int_equal(load(&image, sizeof(image)), OK);
    assert_int_equal(start.entry, 0x200200);
    vm.config.has_load = true;
    vm.config.load = gpa(0x600000);
    assert_int_equal(load(&image, sizeof(image)), OK);
    assert_int_equal(start.entry, 0x600200);
}

static void wrong_bzimages_are_refused_by_field(void **state)
{
    (void)state;
#define assert_bzimage(change, message) \
    assert_refused(right_bzimage, change, ERR_INVALID_ARGS, message)
    assert_bzimage(image->boot_flag = 0, "boot_flag");
    assert_bzimage(image->version = 0x20b, "version");
    assert_bzimage(image->loadflags = 0, "loadflags");
    assert_bzimage(image->xloadflags = 0, "xloadflags");
    assert_bzimage(image->setup_sects = 200, "setup_sects");
    assert_bzimage(image->setup_sects = 0, "setup_sects");
    assert_bzimage(image->syssize = 0x29, "syssize");
    assert_bzimage(image->syssize = UINT32_MAX, "syssize");
    assert_bzimage(image->kernel_alignment = 0, "kernel_alignment");
    assert_bzimage(image->kernel_alignment = 0x300000, "kernel_alignment");
    assert_bzimage(image->pref_address = 0, "pref_address");
    assert_bzimage(image->pref_address = UINT64_MAX, "pref_address");
    assert_bzimage(image->init_size = 0, "init_size");
    assert_bzimage(image->cmdline_size = 3, "cmdline_size");
    assert_bzimage(image->initrd_addr_max = 0x500000, "initrd:");
    assert_bzimage(
        {
            vm.config.has_load = true;
            vm.config.load = gpa(0x450000);
        },
        "guest: load:");
    assert_bzimage(
        {
            vm.config.has_load = true;
            vm.config.load = gpa(0x600000);
            image->relocatable_kernel = 0;
        },
        "not relocatable");
    assert_bzimage(
        {
            vm.config.format = VM_IMAGE_BZIMAGE;
            image->header = 0;
        },
        "HdrS");
    assert_bzimage(vm.config.format = VM_IMAGE_LINUX, "guest: format:");
    assert_refused(right_bzimage, image->init_size = 0xe00001, ERR_NO_MEMORY, "does not fit");
    assert_refused(right_bzimage, vm.config.ram[0].size = 0xf000, ERR_NO_MEMORY,
                   "boot parameters: does not fit");
}

/* --- ELF --- */

struct elf32 {
    uint8_t ident[16];
    uint16_t type, machine;
    uint32_t version, entry, phoff, shoff, flags;
    uint16_t ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
    struct {
        uint32_t type, offset, vaddr, paddr, filesz, memsz, flags, align;
    } segment[2];
    uint32_t multiboot[3];
    struct {
        uint32_t namesz, descsz, type;
        char name[4];
        uint32_t entry;
    } note;
    char text[16];
};

static struct elf32 right_elf32(void)
{
    struct elf32 elf = {
        .ident = "\x7f"
                 "ELF\x01\x01\x01",
        .machine = 3,
        .entry = 0x100004,
        .phoff = offsetof(struct elf32, segment),
        .phentsize = 32,
        .phnum = 2,
        .segment = { { .type = 1,
                       .offset = offsetof(struct elf32, text),
                       .vaddr = 0x100000,
                       .paddr = 0x200000,
                       .filesz = 16,
                       .memsz = 0x1000 },
                     { .type = 4,
                       .offset = offsetof(struct elf32, note),
                       .filesz = sizeof(elf.note),
                       .memsz = sizeof(elf.note),
                       .align = 4 } },
        .text = "text of the elf",
    };

    return elf;
}

static struct elf32 right_pvh(void)
{
    struct elf32 elf = right_elf32();

    elf.note.namesz = 4;
    elf.note.descsz = 4;
    elf.note.type = 18;
    memcpy(elf.note.name, "Xen", 4);
    elf.note.entry = 0x200008;
    return elf;
}

static struct elf32 right_multiboot(void)
{
    struct elf32 elf = right_elf32();

    elf.multiboot[0] = 0x1badb002;
    elf.multiboot[1] = 3;
    elf.multiboot[2] = -(0x1badb002u + 3);
    return elf;
}

static void a_pvh_kernel_starts_at_its_note_with_start_info(void **state)
{
    struct elf32 elf = right_pvh();

    (void)state;
    assert_int_equal(load(&elf, sizeof(elf)), OK);
    assert_int_equal(start.mode, HV_MODE_PROTECTED);
    assert_int_equal(start.entry, 0x200008);
    assert_int_equal(start.arg[1], LOW_INFO);
    assert_string_equal((char *)ram + 0x200000, "text of the elf");
    assert_int_equal(number(LOW_INFO, 4), 0x336ec578);
    assert_int_equal(number(LOW_INFO + 4, 4), 1);
    assert_int_equal(number(LOW_INFO + 12, 4), 1);
    assert_string_equal((char *)ram + number(number(LOW_INFO + 16, 8), 8), initrd);
    assert_string_equal((char *)ram + number(LOW_INFO + 24, 8), "console=ttyS0");
    assert_int_equal(number(LOW_INFO + 32, 8), PC_ACPI_BASE);
    assert_int_equal(number(LOW_INFO + 48, 4), 4);
    assert_int_equal(number(number(LOW_INFO + 40, 8) + 24, 8), PC_ROM_BASE);
}

static void a_multiboot_kernel_starts_with_its_information(void **state)
{
    struct elf32 elf = right_multiboot();

    (void)state;
    assert_int_equal(load(&elf, sizeof(elf)), OK);
    assert_int_equal(start.mode, HV_MODE_PROTECTED);
    assert_int_equal(start.entry, 0x200004); /* the segment is linked 1 MiB lower */
    assert_int_equal(start.arg[0], 0x2badb002);
    assert_int_equal(start.arg[1], LOW_INFO);
    assert_int_equal(number(LOW_INFO, 4), 0x24d);
    assert_int_equal(number(LOW_INFO + 4, 4), 640);
    assert_int_equal(number(LOW_INFO + 8, 4), 15 * 1024);
    assert_string_equal((char *)ram + number(LOW_INFO + 16, 4), "console=ttyS0");
    assert_int_equal(number(LOW_INFO + 20, 4), 1);
    assert_string_equal((char *)ram + number(number(LOW_INFO + 24, 4), 4), initrd);
    assert_int_equal(number(LOW_INFO + 44, 4), 4 * 24);
    assert_int_equal(number(number(LOW_INFO + 48, 4), 4), 20);
    assert_string_equal((char *)ram + number(LOW_INFO + 64, 4), "Socle");
}

static void a_plain_elf_starts_in_the_mode_that_it_is_made_for(void **state)
{
    struct elf32 elf = right_elf32();
    struct {
        uint8_t ident[16];
        uint16_t type, machine;
        uint32_t version;
        uint64_t entry, phoff, shoff;
        uint32_t flags;
        uint16_t ehsize, phentsize, phnum, rest[3];
        uint32_t p_type, p_flags;
        uint64_t p_offset, p_vaddr, p_paddr, p_filesz, p_memsz, p_align;
    } wide = {
        .ident = "\x7f"
                 "ELF\x02\x01\x01",
        .machine = 62,
        .entry = 0x200000,
        .phoff = 64,
        .phentsize = 56,
        .phnum = 1,
        .p_type = 1,
        .p_vaddr = 0x200000,
        .p_paddr = 0x200000,
        .p_memsz = 0x1000,
    };

    (void)state;
    assert_int_equal(load(&elf, sizeof(elf)), OK);
    assert_int_equal(start.mode, HV_MODE_PROTECTED);
    assert_int_equal(start.entry, 0x200004);
    assert_int_equal(load(&wide, sizeof(wide)), OK);
    assert_int_equal(start.mode, HV_MODE_LONG);
    assert_int_equal(start.entry, 0x200000);
    assert_int_equal(start.arg[2], LOW_INFO);
    wide.machine = 183;
    assert_int_equal(load(&wide, sizeof(wide)), ERR_INVALID_ARGS);
    assert_non_null(strstr(logged, "e_machine"));
}

static void wrong_elf_files_are_refused_by_field(void **state)
{
    (void)state;
#define assert_elf(right, change, expected, message) \
    assert_refused(right, change, expected, message)
    assert_elf(right_pvh, image->note.entry = 0x300000, ERR_INVALID_ARGS, "PHYS32_ENTRY");
    assert_elf(right_elf32, vm.config.format = VM_IMAGE_PVH, ERR_INVALID_ARGS, "PHYS32_ENTRY");
    assert_elf(right_pvh, image->segment[0].paddr = 0x8000, ERR_INVALID_ARGS, "below 0x10000");
    assert_elf(right_pvh, image->segment[0].paddr = 0xe0000, ERR_INVALID_ARGS, "0xa0000");
    assert_elf(right_pvh, image->segment[0].paddr = RAM_BYTES, ERR_NO_MEMORY, "does not fit");
    assert_elf(right_pvh, image->segment[0].filesz = 0x1001, ERR_INVALID_ARGS, "p_filesz");
    assert_elf(right_pvh, image->phentsize = 56, ERR_INVALID_ARGS, "e_phentsize");
    assert_elf(right_elf32, vm.config.format = VM_IMAGE_MULTIBOOT, ERR_INVALID_ARGS,
               "Multiboot header");
    assert_elf(
        right_multiboot,
        {
            image->multiboot[1] = 4;
            image->multiboot[2] = -(0x1badb002u + 4);
        },
        ERR_INVALID_ARGS, "flags");
    assert_elf(right_elf32, image->ident[4] = 3, ERR_INVALID_ARGS, "ei_class");
    assert_elf(right_elf32, image->ident[5] = 2, ERR_INVALID_ARGS, "ei_data");
    assert_elf(right_elf32, image->machine = 183, ERR_INVALID_ARGS, "e_machine");
}

/* --- flat, boot sector --- */

static void a_flat_kernel_starts_at_1_mib_in_protected_mode(void **state)
{
    (void)state;
    assert_int_equal(load("raw", 4), OK);
    assert_int_equal(start.mode, HV_MODE_PROTECTED);
    assert_int_equal(start.entry, 0x100000);
    assert_int_equal(start.arg[0], 0x2badb002);
    assert_string_equal((char *)ram + 0x100000, "raw");
    vm.config.load = gpa(0xfffff);
    assert_int_equal(load("raw", 4), ERR_INVALID_ARGS);
    vm.config.load = gpa(0xffff);
    assert_int_equal(load("raw", 4), ERR_INVALID_ARGS);
}

static void a_bare_machine_without_low_memory_is_told_nothing(void **state)
{
    (void)state;
    strcpy(vm.config.machine, "bare");
    vm.config.ram_count = 1;
    vm.config.ram[0] = (struct vm_config_ram){ gpa(0x800000), 0x100000 };
    vm.config.load = gpa(0x810000);
    assert_int_equal(load("raw", 4), OK);
    assert_int_equal(start.mode, HV_MODE_PROTECTED);
    assert_int_equal(start.entry, 0x810000);
    assert_int_equal(start.arg[0] | start.arg[1], 0);
}

static void a_boot_sector_starts_in_real_mode_at_0x7c00(void **state)
{
    uint8_t sector[512] = { 0xf4, [510] = 0x55, [511] = 0xaa };

    (void)state;
    vm.config.initrd = (struct blob){ 0 };
    assert_int_equal(load(sector, sizeof(sector)), OK);
    assert_int_equal(start.mode, HV_MODE_RESET);
    assert_int_equal(start.entry, LOW_STARTER);
    assert_memory_equal(ram + 0x7c00, sector, sizeof(sector));
    assert_memory_equal(ram + LOW_STARTER + 11, "\xb2\x80\xea\x00\x7c\x00\x00", 7);
}

static void what_is_no_boot_sector_is_refused(void **state)
{
    uint8_t sector[513] = { [510] = 0x55, [511] = 0xaa };

    (void)state;
    vm.config.initrd = (struct blob){ 0 };
    vm.config.format = VM_IMAGE_BOOT_SECTOR;
    assert_int_equal(load(sector, 511), ERR_INVALID_ARGS);
    assert_int_equal(load(sector, 513), ERR_INVALID_ARGS);
    sector[511] = 0;
    assert_int_equal(load(sector, 512), ERR_INVALID_ARGS);
    assert_non_null(strstr(logged, "0x55 0xaa"));
    sector[511] = 0xaa;
    vm.config.has_load = true;
    assert_int_equal(load(sector, 512), ERR_INVALID_ARGS);
    vm.config.has_load = false;
    vm.config.initrd = (struct blob){ initrd, 4 };
    assert_int_equal(load(sector, 512), ERR_INVALID_ARGS);
    assert_non_null(strstr(logged, "initrd:"));
}

/* --- hostile images --- */

static void truncated_images_are_survived(void **state)
{
    struct bzimage bzimage = right_bzimage();
    struct elf32 pvh = right_pvh(), multiboot = right_multiboot();

    (void)state;
    for (size_t bytes = 1; bytes < sizeof(bzimage); bytes++)
        (void)load(&bzimage, bytes);
    for (size_t bytes = 1; bytes < sizeof(pvh); bytes++) {
        (void)load(&pvh, bytes);
        (void)load(&multiboot, bytes);
    }
}

/* No access outside image and RAM, whatever is damaged: the sanitizer and guest() watch. */
static void damaged_images_are_survived(void **state)
{
    struct bzimage small = right_bzimage();
    uint64_t seed = 4711;

    (void)state;
    small.init_size = 0x1000;
    for (unsigned round = 0; round < 30000; round++) {
        struct bzimage bzimage = small;
        struct elf32 elf = round % 3 == 1 ? right_pvh() : right_multiboot();
        uint8_t *bytes = round % 3 == 0 ? (uint8_t *)&bzimage + 0x1f1 : (uint8_t *)&elf;
        const size_t size = round % 3 == 0 ? 0x80 : sizeof(elf);

        for (unsigned damage = 0; damage <= round % 4; damage++) {
            const uint64_t word = random_next(&seed);

            bytes[(word >> 8) % size] = (uint8_t)(word >> 40);
        }
        vm.config.format = (enum vm_image_format)(
            random_next(&seed) % 2 == 0 ? VM_IMAGE_AUTO : VM_IMAGE_BZIMAGE + round % 3);
        if (round % 3 == 0)
            (void)load(&bzimage, sizeof(bzimage));
        else
            (void)load(&elf, sizeof(elf));
    }
}

#define image_test(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        image_test(a_bzimage_starts_by_the_64_bit_protocol),
        image_test(its_first_4_gib_are_mapped_one_to_one),
        image_test(a_bzimage_goes_lower_where_its_wish_is_not_ram),
        image_test(wrong_bzimages_are_refused_by_field),
        image_test(a_pvh_kernel_starts_at_its_note_with_start_info),
        image_test(a_multiboot_kernel_starts_with_its_information),
        image_test(a_plain_elf_starts_in_the_mode_that_it_is_made_for),
        image_test(wrong_elf_files_are_refused_by_field),
        image_test(a_flat_kernel_starts_at_1_mib_in_protected_mode),
        image_test(a_bare_machine_without_low_memory_is_told_nothing),
        image_test(a_boot_sector_starts_in_real_mode_at_0x7c00),
        image_test(what_is_no_boot_sector_is_refused),
        image_test(truncated_images_are_survived),
        image_test(damaged_images_are_survived),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
