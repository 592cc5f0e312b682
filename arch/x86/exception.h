/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Exceptions that the hypervisor gives to guests, and what one becomes that is raised while
 * another is being delivered (SDM 3A 6.15, APM 2 8.2.9).
 */
#pragma once

#include <arch/vcpu.h>

#include <stdbool.h>

enum x86_vector {
    VECTOR_DE = 0,
    VECTOR_DB = 1,
    VECTOR_NMI = 2,
    VECTOR_BP = 3,
    VECTOR_OF = 4,
    VECTOR_UD = 6,
    VECTOR_NM = 7,
    VECTOR_DF = 8,
    VECTOR_TS = 10,
    VECTOR_NP = 11,
    VECTOR_SS = 12,
    VECTOR_GP = 13,
    VECTOR_PF = 14,
    VECTOR_AC = 17,
    VECTOR_MC = 18,
};

/*
 * An event on its way into the guest, as VMCB and VMCS write it: APM 2 15.20 (EVENTINJ),
 * SDM 3C 24.8.3.
 */
#define EVENT_VECTOR GENMASK(7, 0)
#define EVENT_TYPE GENMASK(10, 8)
#define EVENT_HAS_ERROR BIT(11)
#define EVENT_VALID BIT(31)
#define EVENT_ERROR GENMASK(63, 32) /* VMX has it in a field of its own */

enum x86_event_type { EVENT_INTR = 0, EVENT_NMI = 2, EVENT_EXCEPTION = 3, EVENT_SOFTWARE = 4 };

enum x86_nesting { NESTING_SERIAL, NESTING_DOUBLE_FAULT, NESTING_SHUTDOWN };

/* Exception `second` was raised while `first` was being delivered. */
enum x86_nesting x86_exception_nesting(uint8_t first, uint8_t second);

/* Does hardware push an error code for it? */
bool x86_exception_has_error(uint8_t vector);

void x86_inject_gp(struct hv_vcpu *vcpu);
void x86_inject_ud(struct hv_vcpu *vcpu);
