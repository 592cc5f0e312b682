/* SPDX-License-Identifier: BSD-2-Clause */
/* Host-physical RAM: one mapping of the process, at a physical address that is not its own. */

#include "arch/mmu.h"

#include <stdlib.h>
#include <sys/mman.h>

static uint8_t *ram;

void fake_ram_init(void)
{
    if (ram != NULL) {
        madvise(ram, FAKE_RAM_BYTES, MADV_DONTNEED);
        return;
    }
    /* 2 MiB more, so that physical and virtual addresses are aligned alike to 2 MiB. */
    uint8_t *map = mmap(NULL, FAKE_RAM_BYTES + SIZE_2M, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (map == MAP_FAILED)
        abort();
    ram = map + (-(uintptr_t)map & (SIZE_2M - 1));
}

void *phys_to_virt(paddr_t address)
{
    if (ram == NULL || address.raw - FAKE_RAM_BASE >= FAKE_RAM_BYTES)
        abort(); /* not RAM: hardware would fault */
    return ram + (address.raw - FAKE_RAM_BASE);
}

paddr_t virt_to_phys(const void *address)
{
    uintptr_t offset = (uintptr_t)address - (uintptr_t)ram;

    if (ram == NULL || offset >= FAKE_RAM_BYTES)
        abort();
    return paddr(FAKE_RAM_BASE + offset);
}
