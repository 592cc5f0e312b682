/* SPDX-License-Identifier: BSD-2-Clause */
/* Exceptions for guests: see exception.h. */
#include "arch/x86/exception.h"

#include "arch/x86/guest.h"

#define CONTRIBUTORY \
    (BIT(VECTOR_DE) | BIT(VECTOR_TS) | BIT(VECTOR_NP) | BIT(VECTOR_SS) | BIT(VECTOR_GP))
#define HAVE_ERROR                                                                        \
    (BIT(VECTOR_DF) | BIT(VECTOR_TS) | BIT(VECTOR_NP) | BIT(VECTOR_SS) | BIT(VECTOR_GP) | \
     BIT(VECTOR_PF) | BIT(VECTOR_AC))

static bool is_in(uint8_t vector, uint64_t set)
{
    return vector < 32 && set & BIT(vector);
}

enum x86_nesting x86_exception_nesting(uint8_t first, uint8_t second)
{
    const bool second_counts = is_in(second, CONTRIBUTORY | BIT(VECTOR_PF));

    if (first == VECTOR_DF)
        return second_counts ? NESTING_SHUTDOWN : NESTING_SERIAL;
    if (first == VECTOR_PF && second_counts)
        return NESTING_DOUBLE_FAULT;
    return is_in(first, CONTRIBUTORY) && is_in(second, CONTRIBUTORY) ? NESTING_DOUBLE_FAULT
                                                                     : NESTING_SERIAL;
}

bool x86_exception_has_error(uint8_t vector)
{
    return is_in(vector, HAVE_ERROR);
}

void x86_inject_page_fault(struct hv_vcpu *vcpu, uint64_t address, uint32_t error)
{
    x86_guest->set(vcpu, REG_CR2, address);
    x86_guest->inject_exception(vcpu, VECTOR_PF, error);
}

void x86_inject_gp(struct hv_vcpu *vcpu)
{
    x86_guest->inject_exception(vcpu, VECTOR_GP, 0);
}

void x86_inject_ud(struct hv_vcpu *vcpu)
{
    x86_guest->inject_exception(vcpu, VECTOR_UD, -1);
}
