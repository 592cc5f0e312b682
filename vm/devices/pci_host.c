/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PCI configuration: mechanism #1 (PCI Local Bus specification 3.0, 3.2.2.3.2) and the memory
 * mapped one (PCI Express base specification, 7.2.2), for bus 0 alone.
 *
 *     0xcf8  31 enable   23:16 bus   15:11 device   10:8 function   7:2 register
 *     ECAM offset        27:20 bus   19:15 device   14:12 function  11:0 register
 *
 * Where there is no function, reads give all ones, as they do behind a function's first 256
 * bytes: it has no extended space. The host bridge is like that of Intel's Q35 (the 3 Series
 * data sheet, 5.1), without what a guest could configure.
 */

#include "vm/devices/pci_host.h"

#include "kernel/pmm.h"
#include "vm/state.h"

enum {
    CONFIG_VENDOR = 0x00,
    CONFIG_DEVICE = 0x02,
    CONFIG_CLASS = 0x0a, /* and subclass */
    CONFIG_PCIEXBAR = 0x60,
};

#define VENDOR_INTEL 0x8086
#define DEVICE_Q35_MCH 0x29c0
#define CLASS_HOST_BRIDGE 0x0600
#define PCIEXBAR_ENABLE BIT(0)
#define PCIEXBAR_64_MIB FIELD_PREP(GENMASK(2, 1), 2) /* the least that it can say */

#define ADDRESS_ENABLE BIT(31)
#define ADDRESS_BUS GENMASK(23, 16)
#define ADDRESS_DEVFN GENMASK(15, 8)
#define ADDRESS_REGISTER GENMASK(7, 2)
#define ADDRESS_KEPT (ADDRESS_ENABLE | ADDRESS_BUS | ADDRESS_DEVFN | ADDRESS_REGISTER)
#define ECAM_DEVFN GENMASK(19, 12)
#define ECAM_REGISTER GENMASK(11, 0)

struct pci_host {
    struct vdev dev;
    uint32_t address; /* CONFIG_ADDRESS */
    struct pci_function bridge;
    struct pci_function *functions[PCI_HOST_FUNCTIONS];
};

/* Where an access goes; function NULL: nowhere. */
struct place {
    struct pci_function *function;
    unsigned where;
};

static struct pci_host *from_vdev(const struct vdev *dev)
{
    return container_of(dev, struct pci_host, dev);
}

static struct place place_by_address(const struct pci_host *host, uint64_t offset)
{
    struct place place = { .where = (unsigned)((host->address & ADDRESS_REGISTER) + offset) };

    if ((host->address & ADDRESS_ENABLE) && (host->address & ADDRESS_BUS) == 0)
        place.function = host->functions[FIELD_GET(ADDRESS_DEVFN, host->address)];
    return place;
}

static struct place place_of(const struct pci_host *host, struct vdev_access access)
{
    struct place place = { 0 };

    if (access.range == PCI_HOST_RANGE_DATA && access.offset < 4 &&
        access.offset + access.size <= 4) {
        place = place_by_address(host, access.offset);
    } else if (access.range == PCI_HOST_RANGE_ECAM && access.offset < PCI_HOST_ECAM_BYTES) {
        place.function = host->functions[FIELD_GET(ECAM_DEVFN, access.offset)];
        place.where = (unsigned)FIELD_GET(ECAM_REGISTER, access.offset);
    }
    if (place.where + access.size > PCI_CONFIG_BYTES)
        place.function = NULL;
    return place;
}

static uint64_t pci_host_read(struct vdev *dev, struct vdev_access access)
{
    const struct pci_host *host = from_vdev(dev);
    struct place place;
    uint64_t value = 0;

    if (access.range == PCI_HOST_RANGE_ADDRESS)
        return access.size == 4 ? host->address : ~0ull;
    place = place_of(host, access);
    if (place.function == NULL)
        return ~0ull;
    for (unsigned i = 0; i < access.size; i++)
        value |= (uint64_t)place.function->config[place.where + i] << (8 * i);
    return value;
}

static void pci_host_write(struct vdev *dev, struct vdev_access access, uint64_t value)
{
    struct pci_host *host = from_vdev(dev);
    struct place place;

    if (access.range == PCI_HOST_RANGE_ADDRESS) {
        if (access.size == 4)
            host->address = (uint32_t)(value & ADDRESS_KEPT);
        return;
    }
    place = place_of(host, access);
    for (unsigned i = 0; place.function != NULL && i < access.size; i++) {
        uint8_t *byte = &place.function->config[place.where + i];
        const uint8_t writable = place.function->writable[place.where + i];

        *byte = (uint8_t)((*byte & ~writable) | ((uint8_t)(value >> (8 * i)) & writable));
    }
}

/* The bridge has nothing to write; other functions are their owners' to reset and save. */
static void pci_host_reset(struct vdev *dev)
{
    from_vdev(dev)->address = 0;
}

static void pci_host_save(const struct vdev *dev, struct state_writer *out)
{
    state_put_u32(out, from_vdev(dev)->address);
}

static status_t pci_host_restore(struct vdev *dev, struct state_reader *in)
{
    const uint32_t address = state_get_u32(in);

    if (state_status(in) != OK || (address & ~ADDRESS_KEPT))
        return ERR_INVALID_ARGS;
    from_vdev(dev)->address = address;
    return OK;
}

static void pci_host_destroy(struct vdev *dev)
{
    pmm_free_wired(from_vdev(dev));
}

const struct vdev_ops pci_host_ops = {
    .name = "pci-host",
    .read = pci_host_read,
    .write = pci_host_write,
    .reset = pci_host_reset,
    .save = pci_host_save,
    .restore = pci_host_restore,
    .destroy = pci_host_destroy,
};

status_t pci_host_add(struct vdev *dev, unsigned devfn, struct pci_function *function)
{
    struct pci_host *host = from_vdev(dev);

    if (devfn >= PCI_HOST_FUNCTIONS)
        return ERR_INVALID_ARGS;
    if (host->functions[devfn] != NULL)
        return ERR_ALREADY_EXISTS;
    host->functions[devfn] = function;
    return OK;
}

static void put_le(struct pci_function *function, unsigned where, uint64_t value, unsigned size)
{
    for (unsigned i = 0; i < size; i++)
        function->config[where + i] = (uint8_t)(value >> (8 * i));
}

status_t pci_host_create(struct vdev **out, gpa_t ecam)
{
    struct pci_host *host = pmm_alloc_wired(sizeof(*host));

    if (host == NULL)
        return ERR_NO_MEMORY;
    host->dev.ops = &pci_host_ops;
    put_le(&host->bridge, CONFIG_VENDOR, VENDOR_INTEL, 2);
    put_le(&host->bridge, CONFIG_DEVICE, DEVICE_Q35_MCH, 2);
    put_le(&host->bridge, CONFIG_CLASS, CLASS_HOST_BRIDGE, 2);
    put_le(&host->bridge, CONFIG_PCIEXBAR, ecam.raw | PCIEXBAR_64_MIB | PCIEXBAR_ENABLE, 8);
    *out = &host->dev;
    return pci_host_add(&host->dev, 0, &host->bridge);
}
