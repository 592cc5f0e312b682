/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The unit tests' vCPU: its exits are a script that a test writes, and what was done to it
 * can be read back.
 */
#pragma once

#include "arch/hv.h"

struct hv_vcpu {
    uint64_t x[31];
    uint64_t pc;
    struct hv_reset reset;      /* as last given to vcpu_reset */
    const struct vm_exit *next; /* exits that vcpu_run gives, in order … */
    const struct vm_exit *last; /* … up to here; then VM_EXIT_HALT for ever */
    paddr_t root;               /* as last given to vcpu_set_space */
    uint32_t tag;
    unsigned runs;
    unsigned bus_faults; /* injected */
    uint64_t last_read;  /* value of the last finish_read */
    bool loaded;
    bool trap_halt;
};
