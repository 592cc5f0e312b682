/* SPDX-License-Identifier: BSD-2-Clause */
/* PCI host bridge, bus 0 and its configuration space: see pci_host.c. */
#pragma once

#include "arch/bits.h"
#include "vm/vdev.h"

#define PCI_HOST_FUNCTIONS 256 /* of bus 0: device << 3 | function */
#define PCI_CONFIG_BYTES 256

/* Ranges of the device, in the order that they are attached. */
enum pci_host_range {
    PCI_HOST_RANGE_ECAM,    /* MMIO, 1 MiB: bus 0 */
    PCI_HOST_RANGE_ADDRESS, /* port 0xcf8, 1 of them: pio.h says why not 4 */
    PCI_HOST_RANGE_DATA,    /* ports 0xcfc to 0xcff */
};

#define PCI_HOST_ECAM_BYTES ((uint64_t)PCI_HOST_FUNCTIONS << 12)

/*
 * A function on the bus, as its owner fills it in before it is added. `config` is what the
 * guest reads, little-endian; of what it writes, the bits of `writable` are kept.
 */
struct pci_function {
    uint8_t config[PCI_CONFIG_BYTES];
    uint8_t writable[PCI_CONFIG_BYTES];
};

extern const struct vdev_ops pci_host_ops;

/* With the host bridge as 00:00.0, which says that its ECAM range is at `ecam`. ERR_NO_MEMORY. */
status_t pci_host_create(struct vdev **out, gpa_t ecam);

/*
 * Puts a function on the bus, for as long as the device lives; its config is from here on
 * accessed under the device's lock. Not while a guest runs. ERR_INVALID_ARGS: no such place.
 * ERR_ALREADY_EXISTS: taken.
 */
status_t pci_host_add(struct vdev *dev, unsigned devfn, struct pci_function *function);
