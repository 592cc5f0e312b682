/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PVH (Xen's include/public/arch-x86/hvm/start_info.h): an ELF file whose note says where it
 * is entered in 32-bit protected mode, with the address of this in ebx:
 *
 *     LOW_INFO         start info
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

#define XEN_ELFNOTE_PHYS32_ENTRY 18
#define START_MAGIC 0x336ec578u
#define START_VERSION 1 /* with a memory map */

struct elf_note {
    uint32_t n_namesz, n_descsz, n_type;
};

struct start_info {
    uint32_t magic, version, flags, module_count;
    uint64_t modules, cmdline, rsdp, map;
    uint32_t map_entries, reserved;
};

_Static_assert(sizeof(struct start_info) == 56, "hvm_start_info, version 1");

struct start_module {
    uint64_t base, size, cmdline, reserved;
};

struct start_range {
    struct e820_entry entry;
    uint32_t reserved;
};

_Static_assert(sizeof(struct start_range) == 24, "hvm_memmap_table_entry");

#define MODULE_AT (LOW_INFO + 0x100)
#define MAP_AT (LOW_INFO + 0x200)

_Static_assert(MAP_AT + E820_MAX * sizeof(struct start_range) <= LOW_PAGE_TABLES, "room");

/* In one PT_NOTE segment, whose bytes are inside the file. */
static bool find_in_segment(const uint8_t *at, uint64_t bytes, uint64_t align, uint32_t *entry)
{
    struct elf_note note;

    while (bytes >= sizeof(note)) {
        uint64_t name, whole;

        memcpy(&note, at, sizeof(note));
        name = sizeof(note) + ALIGN_UP((uint64_t)note.n_namesz, align);
        whole = ALIGN_UP(name + note.n_descsz, align);
        if (name > bytes || note.n_descsz > bytes - name)
            return false;
        if (note.n_type == XEN_ELFNOTE_PHYS32_ENTRY && note.n_namesz == sizeof("Xen") &&
            note.n_descsz >= sizeof(*entry) &&
            memcmp(at + sizeof(note), "Xen", sizeof("Xen")) == 0) {
            memcpy(entry, at + name, sizeof(*entry));
            return true;
        }
        if (whole > bytes)
            return false;
        at += whole;
        bytes -= whole;
    }
    return false;
}

static bool find_entry(const struct elf *elf, uint32_t *entry)
{
    for (unsigned i = 0; i < elf->segments; i++) {
        struct elf_segment segment;

        elf_read_segment(elf, i, &segment);
        if (segment.p_type == PT_NOTE && elf_check_segment(elf, &segment) == NULL &&
            find_in_segment((const uint8_t *)elf->file->data + segment.p_offset, segment.p_filesz,
                            segment.p_align == 8 ? 8 : 4, entry))
            return true;
    }
    return false;
}

static bool pvh_matches(const struct blob *kernel)
{
    struct elf elf;
    uint32_t entry;

    return elf_open(&elf, kernel) == NULL && find_entry(&elf, &entry);
}

static status_t pvh_place(const struct vm_config *config, struct image_place *out)
{
    status_t status = image_x86_place_elf(config, out);
    uint32_t entry;
    struct elf elf;

    if (status != OK)
        return status;
    if (elf_open(&elf, &config->kernel) != NULL || !find_entry(&elf, &entry))
        return image_reject(config, "kernel", "ELF file: no note XEN_ELFNOTE_PHYS32_ENTRY");
    if (entry < out->base.raw || entry >= out->end.raw)
        return image_reject(config, "kernel",
                            "ELF note XEN_ELFNOTE_PHYS32_ENTRY: the entry "
                            "point is outside the segments");
    out->entry = gpa(entry);
    return image_check_fit(config, "kernel", 0, LOW_END);
}

static status_t put_map(struct vm *vm, struct start_info *info)
{
    struct e820_entry entries[E820_MAX];
    status_t status = OK;

    info->map_entries = e820_make(&vm->config, entries);
    info->map = MAP_AT;
    for (unsigned i = 0; i < info->map_entries && status == OK; i++) {
        const struct start_range range = { .entry = entries[i] };

        status = vm_write_guest(vm, gpa(MAP_AT + i * sizeof(range)), &range, sizeof(range));
    }
    return status;
}

static status_t put_module(struct vm *vm, const struct image_plan *plan, struct start_info *info)
{
    const struct start_module module = {
        .base = plan->initrd.raw,
        .size = vm->config.initrd.bytes,
    };

    info->module_count = 1;
    info->modules = MODULE_AT;
    return vm_write_guest(vm, gpa(MODULE_AT), &module, sizeof(module));
}

static status_t pvh_start(struct vm *vm, const struct image_plan *plan, struct hv_reset *start)
{
    struct start_info info = {
        .magic = START_MAGIC,
        .version = START_VERSION,
        .cmdline = LOW_CMDLINE,
        .rsdp = pc_is(&vm->config) ? PC_ACPI_BASE : 0,
    };
    status_t status = image_x86_put_cmdline(vm);

    if (status == OK)
        status = put_map(vm, &info);
    if (status == OK && vm->config.initrd.data != NULL)
        status = put_module(vm, plan, &info);
    if (status == OK)
        status = vm_write_guest(vm, gpa(LOW_INFO), &info, sizeof(info));
    image_x86_start_protected(start, plan->entry.raw, 0, LOW_INFO);
    return status;
}

const struct image_format image_pvh = {
    .matches = pvh_matches,
    .place = pvh_place,
    .load = image_elf_load,
    .start = pvh_start,
};
