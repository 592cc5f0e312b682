/* SPDX-License-Identifier: BSD-2-Clause */
/* x86: the kernels that there are, and what their loaders share. */

#include "vm/image/image_x86.h"

#include "arch/bits.h"
#include "kernel/lib/string.h"
#include "vm/image/elf.h"
#include "vm/machine/machine_pc.h"
#include "vm/vm.h"

#define PROTECTED_END 0x100000000u

#define PTE_PRESENT BIT(0)
#define PTE_WRITABLE BIT(1)
#define PTE_LARGE BIT(7)
#define PTE_ENTRIES 512u
#define MAPPED_GIGABYTES 4u

/* Flat segments of 4 GiB, accessed already: code of 32 or 64 bits, data. */
#define GDT_CODE64 0x00af9b000000ffffu
#define GDT_DATA 0x00cf93000000ffffu
#define GDT_CODE_SLOT 2 /* selectors 0x10 and 0x18 */
#define GDT_DATA_SLOT 3

const struct image_kind image_kinds[] = {
    { VM_IMAGE_BZIMAGE, &image_bzimage },
    { VM_IMAGE_PVH, &image_pvh },
    { VM_IMAGE_MULTIBOOT, &image_multiboot },
    { VM_IMAGE_ELF, &image_elf },
    { VM_IMAGE_BOOT_SECTOR, &image_boot_sector },
    { VM_IMAGE_RAW, &image_flat },
    { 0 },
};

const char *elf_check_machine(bool is64, uint16_t machine)
{
    (void)is64; /* either may be of either */
    if (machine != EM_386 && machine != EM_X86_64)
        return "ELF header: e_machine is not that of a PC";
    return NULL;
}

status_t image_x86_check(const struct vm_config *config, const struct image_place *place)
{
    if (place->base.raw < LOW_END)
        return image_reject(config, "kernel",
                            "starts below 0x10000, where its start information "
                            "lies");
    if (pc_is(config) && place->base.raw < PC_ROM_END && place->end.raw > PC_LOW_RAM_END)
        return image_reject(config, "kernel", "lies over 0xa0000 to 0xfffff, the PC's own");
    return OK;
}

status_t image_x86_place_elf(const struct vm_config *config, struct image_place *out)
{
    status_t status = image_elf_place(config, out);

    return status == OK ? image_x86_check(config, out) : status;
}

void image_x86_start_protected(struct hv_reset *start, uint64_t entry, uint32_t eax, uint32_t ebx)
{
    *start = (struct hv_reset){
        .mode = HV_MODE_PROTECTED,
        .entry = entry,
        .arg = { eax, ebx },
    };
}

status_t image_x86_put_cmdline(struct vm *vm)
{
    return vm_write_guest(vm, gpa(LOW_CMDLINE), vm->config.cmdline, strlen(vm->config.cmdline) + 1);
}

static status_t put_gdt(struct vm *vm)
{
    static const uint64_t gdt[] = {
        [GDT_CODE_SLOT] = GDT_CODE64,
        [GDT_DATA_SLOT] = GDT_DATA,
    };

    return vm_write_guest(vm, gpa(LOW_GDT), gdt, sizeof(gdt));
}

/* One table of page tables, whose entries point at consecutive places `step` apart. */
static status_t put_table(struct vm *vm, uint64_t at, unsigned count, uint64_t first, uint64_t step,
                          uint64_t flags)
{
    uint64_t entries[64];

    for (unsigned done = 0; done < count; done += ARRAY_SIZE(entries)) {
        const unsigned now = MIN(count - done, (unsigned)ARRAY_SIZE(entries));
        status_t status;

        for (unsigned i = 0; i < now; i++)
            entries[i] = (first + (done + i) * step) | flags;
        status = vm_write_guest(vm, gpa(at + done * sizeof(entries[0])), entries,
                                now * sizeof(entries[0]));
        if (status != OK)
            return status;
    }
    return OK;
}

/* PML4 -> PDPT -> 4 page directories of 2 MiB pages. Fresh memory is zero, so is the rest. */
static status_t put_page_tables(struct vm *vm)
{
    const uint64_t flags = PTE_PRESENT | PTE_WRITABLE;
    const uint64_t pdpt = LOW_PAGE_TABLES + PAGE_SIZE, directories = pdpt + PAGE_SIZE;
    status_t status = put_table(vm, LOW_PAGE_TABLES, 1, pdpt, PAGE_SIZE, flags);

    _Static_assert(LOW_PAGE_TABLES + (2 + MAPPED_GIGABYTES) * PAGE_SIZE <= LOW_CMDLINE, "room");
    if (status == OK)
        status = put_table(vm, pdpt, MAPPED_GIGABYTES, directories, PAGE_SIZE, flags);
    if (status == OK)
        status = put_table(vm, directories, MAPPED_GIGABYTES * PTE_ENTRIES, 0, SIZE_2M,
                           flags | PTE_LARGE);
    return status;
}

status_t image_x86_start_long(struct vm *vm, struct hv_reset *start, uint64_t entry, uint64_t rsi)
{
    status_t status = put_gdt(vm);

    if (status == OK)
        status = put_page_tables(vm);
    *start = (struct hv_reset){
        .mode = HV_MODE_LONG,
        .entry = entry,
        .arg = { 0, 0, rsi },
        .cr3 = LOW_PAGE_TABLES,
    };
    return status;
}

/* An ELF file of no boot protocol: in the mode that it is made for. */
static status_t elf_place(const struct vm_config *config, struct image_place *out)
{
    status_t status = image_x86_place_elf(config, out);

    if (status == OK)
        status = image_check_fit(config, "kernel", 0, LOW_END);
    return status;
}

static status_t elf_start(struct vm *vm, const struct image_plan *plan, struct hv_reset *start)
{
    struct elf elf;
    status_t status = image_multiboot_start(vm, plan, start);

    if (status != OK || elf_open(&elf, &vm->config.kernel) != NULL || !elf.is64)
        return status;
    return image_x86_start_long(vm, start, plan->entry.raw, start->arg[1]);
}

const struct image_format image_elf = {
    .matches = elf_matches,
    .place = elf_place,
    .load = image_elf_load,
    .start = elf_start,
};
