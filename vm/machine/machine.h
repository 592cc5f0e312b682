/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Machines: what a guest finds around its CPUs. One table row per kind, chosen by the
 * configuration's `machine`.
 */
#pragma once

#include "arch/status.h"
#include "vm/config/config.h"

struct vm;

struct machine {
    const char *name;

    /* Fills in what the configuration left open (RAM base, entry). */
    status_t (*defaults)(struct vm_config *config);

    /* Interrupt controller, devices and firmware tables of a new VM whose RAM is mapped. */
    status_t (*build)(struct vm *vm);

    /* At each start: its tables into the fresh memory of a VM whose images are in. NULL: none. */
    status_t (*load)(struct vm *vm);

    /* Presses the power key; false: this machine has none. */
    bool (*ask_shutdown)(struct vm *vm);
};

/* NULL: none of that name. */
const struct machine *machine_find(const char *name);
