/* SPDX-License-Identifier: BSD-2-Clause */
/* What machines are made of; which of them there are is said per architecture. */
#pragma once

#include "vm/machine.h"
#include "vm/vdev.h"

extern const struct machine machine_virt, machine_bare;

/* Ends with NULL. */
extern const struct machine *const machines[];

/* A device that a configuration can name; ends with a type of NULL. */
struct device_type {
    const char *type;
    uint64_t size; /* of its MMIO range */
    status_t (*create)(struct vdev **out, struct vm *vm, struct irq_line line);
};

extern const struct device_type device_types[];

/*
 * Creates one and attaches it; `irq` 0: its wire leads nowhere. ERR_NOT_FOUND: no such type.
 * Errors of creation and vm_attach_device. Logged.
 */
status_t machine_add_device(struct vm *vm, const char *type, gpa_t base, uint32_t irq);

/* All that the configuration names. */
status_t machine_add_configured(struct vm *vm);

/* RAM at `base` of config->memory, or `bytes`, where no region is named; and where a raw
 * kernel goes: `load` past the start of RAM. */
void machine_default_ram(struct vm_config *config, uint64_t base, uint64_t bytes, uint64_t load);
