/* SPDX-License-Identifier: BSD-2-Clause */
/* What machines are made of; which of them there are is said per architecture. */
#pragma once

#include "vm/machine/machine.h"
#include "vm/vdev.h"

extern const struct machine machine_virt, machine_pc, machine_bare;

/* Ends with NULL. */
extern const struct machine *const machines[];

#define DEVICE_MAX_PORTS 3

struct device_ports {
    uint16_t first, count;
};

/*
 * A device that a configuration can name; ends with a type of NULL. What has both registers
 * in memory and ports is at the one that the configuration says, without any at its ports.
 */
struct device_type {
    const char *type;
    uint64_t size;                               /* of its MMIO range; 0: none */
    struct device_ports ports[DEVICE_MAX_PORTS]; /* x86: where PCs have them; count 0: no more */
    status_t (*create)(struct vdev **out, struct vm *vm, const struct vm_config_device *config,
                       struct irq_line line);
};

extern const struct device_type device_types[];

/* The interrupts that devices may raise. */
struct device_irqs {
    uint32_t first, last;
};

extern const struct device_irqs device_irqs;

/*
 * Creates one and attaches it; irq 0: its wire leads nowhere. ERR_NOT_FOUND: no such type.
 * ERR_INVALID_ARGS: no such interrupt. Errors of creation, vm_attach_device and
 * vm_attach_ports. Logged.
 */
status_t machine_add_device(struct vm *vm, const struct vm_config_device *config);
status_t machine_add_devices(struct vm *vm, const struct vm_config_device *configs, size_t count);

/* All that the configuration names. */
status_t machine_add_configured(struct vm *vm);

/* What machine bare tells its guest about itself; said per architecture. Logged errors. */
status_t machine_bare_tables(struct vm *vm);

/* RAM at `base` of config->memory, or `bytes`, where no region is named; and where a raw
 * kernel goes: `load` past the start of RAM. */
void machine_default_ram(struct vm_config *config, uint64_t base, uint64_t bytes, uint64_t load);
