/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Multiboot 1 (Multiboot Specification 0.6.96): an ELF file with a header of three words in
 * its first 8 KiB, entered in 32-bit protected mode with the address of this in ebx:
 *
 *     LOW_INFO         information
 *            + 0x100   module: the initrd
 *            + 0x200   memory map
 */

#include "arch/bits.h"
#include "kernel/lib/string.h"
#include "vm/firmware/e820.h"
#include "vm/image/elf.h"
#include "vm/image/image_x86.h"
#include "vm/machine/machine_pc.h"
#include "vm/vm.h"

#define HEADER_MAGIC 0x1badb002u
#define SEARCHED 8192u
#define ENTRY_EAX 0x2badb002u

#define HEADER_ALIGN_MODULES BIT(0)
#define HEADER_MEMORY BIT(1)
#define HEADER_MUST GENMASK(15, 0)

struct multiboot_header {
    uint32_t magic, flags, checksum;
};

enum info_flag {
    INFO_MEMORY = 1 << 0,
    INFO_CMDLINE = 1 << 2,
    INFO_MODULES = 1 << 3,
    INFO_MEMORY_MAP = 1 << 6,
    INFO_LOADER = 1 << 9,
};

struct multiboot_info {
    uint32_t flags;
    uint32_t memory_lower, memory_upper; /* KiB below 640 KiB and above 1 MiB */
    uint32_t boot_device, cmdline;
    uint32_t module_count, modules;
    uint32_t symbols[4];
    uint32_t map_bytes, map;
    uint32_t drives_bytes, drives, config_table, loader_name, apm_table;
    uint32_t vbe[4];
};

_Static_assert(offsetof(struct multiboot_info, loader_name) == 64, "3.3");

struct multiboot_module {
    uint32_t start, end, string, reserved;
};

struct multiboot_range {
    uint32_t size; /* of what follows */
    struct e820_entry entry;
} __attribute__((packed));

#define LOADER_NAME "Socle"
#define NAME_AT (LOW_INFO + 0x80)
#define NO_STRING_AT (LOW_INFO + 0xf0)
#define MODULE_AT (LOW_INFO + 0x100)
#define MAP_AT (LOW_INFO + 0x200)

_Static_assert(MAP_AT + E820_MAX * sizeof(struct multiboot_range) <= LOW_PAGE_TABLES, "room");

static bool find_header(const struct blob *kernel, struct multiboot_header *out)
{
    const size_t end = MIN(kernel->bytes, (size_t)SEARCHED);

    for (size_t at = 0; at + sizeof(*out) <= end; at += sizeof(uint32_t)) {
        memcpy(out, (const uint8_t *)kernel->data + at, sizeof(*out));
        if (out->magic == HEADER_MAGIC && out->magic + out->flags + out->checksum == 0)
            return true;
    }
    return false;
}

static bool multiboot_matches(const struct blob *kernel)
{
    struct multiboot_header header;

    return elf_matches(kernel) && find_header(kernel, &header);
}

static status_t multiboot_place(const struct vm_config *config, struct image_place *out)
{
    struct multiboot_header header;
    status_t status;

    if (!find_header(&config->kernel, &header))
        return image_reject(config, "kernel",
                            "Multiboot header: no magic with its checksum in "
                            "the first 8 KiB");
    if (header.flags & HEADER_MUST & ~(HEADER_ALIGN_MODULES | HEADER_MEMORY))
        return image_reject(config, "kernel",
                            "Multiboot header: flags ask for more than aligned "
                            "modules and a memory map");
    status = image_x86_place_elf(config, out);
    if (status == OK)
        status = image_check_fit(config, "kernel", 0, LOW_END);
    if (status == OK && out->end.raw > UINT32_MAX)
        return image_reject(config, "kernel", "Multiboot: reaches beyond 4 GiB");
    out->initrd_last = UINT32_MAX;
    return status;
}

/* KiB of RAM that follow `base` without a gap. */
static uint32_t kib_from(const struct vm_config *config, uint64_t base)
{
    for (unsigned i = 0; i < config->ram_count; i++) {
        const struct vm_config_ram *ram = &config->ram[i];

        if (base - ram->base.raw < ram->size)
            return (uint32_t)MIN((ram->base.raw + ram->size - base) >> 10, (uint64_t)UINT32_MAX);
    }
    return 0;
}

static uint32_t put_map(struct vm *vm, status_t *status)
{
    struct e820_entry entries[E820_MAX];
    const unsigned count = e820_make(&vm->config, entries);

    for (unsigned i = 0; i < count && *status == OK; i++) {
        const struct multiboot_range range = { sizeof(entries[i]), entries[i] };

        *status = vm_write_guest(vm, gpa(MAP_AT + i * sizeof(range)), &range, sizeof(range));
    }
    return count * (uint32_t)sizeof(struct multiboot_range);
}

static status_t put_module(struct vm *vm, const struct image_plan *plan)
{
    const struct multiboot_module module = {
        .start = (uint32_t)plan->initrd.raw,
        .end = (uint32_t)(plan->initrd.raw + vm->config.initrd.bytes),
        .string = NO_STRING_AT, /* fresh memory: empty */
    };

    return vm_write_guest(vm, gpa(MODULE_AT), &module, sizeof(module));
}

status_t image_multiboot_start(struct vm *vm, const struct image_plan *plan, struct hv_reset *start)
{
    const struct vm_config *config = &vm->config;
    struct multiboot_info info = {
        .flags = INFO_MEMORY | INFO_CMDLINE | INFO_MEMORY_MAP | INFO_LOADER,
        .memory_lower = MIN(kib_from(config, 0), PC_LOW_RAM_END >> 10),
        .memory_upper = kib_from(config, PC_ROM_END),
        .cmdline = LOW_CMDLINE,
        .map = MAP_AT,
        .loader_name = NAME_AT,
    };
    status_t status = image_x86_put_cmdline(vm);

    info.map_bytes = put_map(vm, &status);
    if (status == OK && config->initrd.data != NULL) {
        info.flags |= INFO_MODULES;
        info.module_count = 1;
        info.modules = MODULE_AT;
        status = put_module(vm, plan);
    }
    if (status == OK)
        status = vm_write_guest(vm, gpa(NAME_AT), LOADER_NAME, sizeof(LOADER_NAME));
    if (status == OK)
        status = vm_write_guest(vm, gpa(LOW_INFO), &info, sizeof(info));
    image_x86_start_protected(start, plan->entry.raw, ENTRY_EAX, LOW_INFO);
    return status;
}

const struct image_format image_multiboot = {
    .matches = multiboot_matches,
    .place = multiboot_place,
    .load = image_elf_load,
    .start = image_multiboot_start,
};
