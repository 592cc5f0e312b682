/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hypervisor's own address space. Run-time mappings take the next free place of the
 * dynamic range and leave an unmapped page behind each: a guard for stacks, a fence for
 * device registers.
 */
#include "kernel/hypspace.h"

#include <arch/layout.h>

#include "arch/bits.h"
#include "arch/image.h"
#include "kernel/pagetable.h"
#include "kernel/panic.h"
#include "kernel/pmm.h"

static struct page_table hyp_table;
static spinlock_t dynamic_lock; /* outside hyp_table's */
static uint64_t dynamic_next = LAYOUT_DYNAMIC;

/* What the tables translate: an address without the sign extension that x86 has above it. */
static uint64_t input_address(const void *va)
{
    return (uintptr_t)va & (BIT(arch_hyp_format->va_bits) - 1);
}

static status_t map_section(paddr_t image, const char *start, const char *end, unsigned prot)
{
    return page_table_map(&hyp_table, input_address(start),
                          paddr_add(image, (uint64_t)(start - __image_start)),
                          (uint64_t)(end - start), prot);
}

static status_t map_image(paddr_t image)
{
    const struct {
        const char *start, *end;
        unsigned prot;
    } sections[] = {
        { __text_start, __text_end, PT_READ | PT_EXEC },
        { __rodata_start, __rodata_end, PT_READ },
        { __data_start, __data_end, PT_READ | PT_WRITE },
        { __boot_stack_bottom, __boot_stack_top, PT_READ | PT_WRITE },
    };
    status_t status = OK;

    for (unsigned i = 0; i < ARRAY_SIZE(sections) && status == OK; i++)
        status = map_section(image, sections[i].start, sections[i].end, sections[i].prot);
    return status;
}

static status_t map_direct(uint64_t start, uint64_t end)
{
    if (start >= end)
        return OK;
    return page_table_map(&hyp_table, input_address(phys_to_virt(paddr(start))), paddr(start),
                          end - start, PT_READ | PT_WRITE);
}

/*
 * A bank's whole 2 MiB blocks, as the arenas have them, but those that the image is in: its
 * text must have no writable alias.
 */
static status_t map_bank(const struct ram_bank *bank, const struct boot_info *boot)
{
    const uint64_t start = ALIGN_UP(bank->base.raw, SIZE_2M);
    const uint64_t end = ALIGN_DOWN(bank->base.raw + bank->bytes, SIZE_2M);
    const uint64_t hole_start = boot->image_start.raw;
    const uint64_t hole_end = ALIGN_UP(boot->image_end.raw, SIZE_2M);
    status_t status;

    if (hole_end <= start || end <= hole_start)
        return map_direct(start, end);
    status = map_direct(start, hole_start);
    return status == OK ? map_direct(hole_end, end) : status;
}

status_t hyp_space_init(const struct boot_info *boot, const struct ram_bank *banks, unsigned count)
{
    status_t status = page_table_init(&hyp_table, arch_hyp_format, &arch_hyp_tlb, 0);

    if (status == OK)
        status = map_image(boot->image_start);
    for (unsigned i = 0; i < count && status == OK; i++)
        status = map_bank(&banks[i], boot);
    if (status == OK)
        arch_hyp_space_install(hyp_table.root);
    return status;
}

status_t hyp_map_ram(paddr_t base, uint64_t bytes)
{
    return map_direct(ALIGN_DOWN(base.raw, PAGE_SIZE), ALIGN_UP(base.raw + bytes, PAGE_SIZE));
}

/* A place for what is mapped to `base`. Larger ones lie in it as there, so that blocks fit. */
static char *take_dynamic(paddr_t base, uint64_t bytes)
{
    uint64_t at;

    spin_lock(&dynamic_lock);
    at = dynamic_next;
    if (bytes >= SIZE_2M)
        at += (base.raw - at) % SIZE_2M;
    dynamic_next = at + bytes + PAGE_SIZE;
    spin_unlock(&dynamic_lock);
    return (char *)(uintptr_t)at;
}

static void *map_device(paddr_t base, size_t bytes, unsigned more)
{
    const uint64_t start = ALIGN_DOWN(base.raw, PAGE_SIZE);
    const uint64_t size = ALIGN_UP(base.raw + bytes, PAGE_SIZE) - start;
    char *const va = take_dynamic(paddr(start), size);

    if (page_table_map(&hyp_table, input_address(va), paddr(start), size,
                       PT_READ | PT_WRITE | PT_DEVICE | more) != OK)
        return NULL;
    return va + (base.raw - start);
}

void *hyp_map_device(paddr_t base, size_t bytes)
{
    return map_device(base, bytes, 0);
}

void *hyp_map_frame_buffer(paddr_t base, size_t bytes)
{
    return map_device(base, bytes, PT_COMBINE);
}

void *hyp_alloc_stack(void)
{
    void *const memory = pmm_alloc_wired(STACK_BYTES);

    if (memory == NULL)
        return NULL;
    const paddr_t base = virt_to_phys(memory);
    char *const va = take_dynamic(base, STACK_BYTES);

    if (page_table_map(&hyp_table, input_address(va), base, STACK_BYTES, PT_READ | PT_WRITE) !=
        OK) {
        pmm_free_wired(memory);
        return NULL;
    }
    return va + STACK_BYTES;
}

void hyp_seal(void)
{
    const uint64_t bytes = (uint64_t)(__sealed_end - __sealed_start);

    if (bytes != 0 &&
        page_table_protect(&hyp_table, input_address(__sealed_start), bytes, PT_READ) != OK)
        panic("cannot seal the image's read-only data");
}
