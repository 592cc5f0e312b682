/* SPDX-License-Identifier: BSD-2-Clause */
/* <arch/vmx.h> for unit tests: the current VMCS is an array. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define FAKE_VMCS_FIELDS 0x8000

extern uint64_t fake_vmcs[FAKE_VMCS_FIELDS];
extern uint64_t fake_dr6;
extern unsigned fake_nmis; /* that the host took */

static inline uint64_t vmread(uint64_t field)
{
    return fake_vmcs[field];
}

static inline void vmwrite(uint64_t field, uint64_t value)
{
    fake_vmcs[field] = value;
}

static inline uint64_t read_dr6(void)
{
    return fake_dr6;
}

static inline void write_dr6(uint64_t value)
{
    fake_dr6 = value;
}

static inline void vmx_host_nmi(void)
{
    fake_nmis++;
}
