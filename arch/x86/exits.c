/* SPDX-License-Identifier: BSD-2-Clause */
/* What both backends do alike with exits: see exits.h. */
#include "arch/x86/exits.h"

#include "arch/x86/exception.h"
#include "arch/x86/guest.h"

/* --- handlers --- */

bool x86_exit_undefined(struct hv_vcpu *vcpu, struct vm_exit *exit)
{
    (void)exit;
    x86_inject_ud(vcpu);
    return false;
}

bool x86_exit_refused(struct hv_vcpu *vcpu, struct vm_exit *exit)
{
    (void)exit;
    x86_inject_gp(vcpu);
    return false;
}

bool x86_exit_reset(struct hv_vcpu *vcpu, struct vm_exit *exit)
{
    (void)vcpu;
    exit->reason = VM_EXIT_RESET;
    return true;
}

bool x86_exit_fatal(struct vm_exit *exit, const char *what, uint64_t syndrome)
{
    exit->reason = VM_EXIT_FATAL;
    exit->fatal.what = what;
    exit->fatal.syndrome = syndrome;
    return true;
}

/* --- accesses --- */

enum x86_msr_result x86_exit_msr(struct hv_vcpu *vcpu, struct vm_exit *exit, bool write)
{
    const uint32_t index = (uint32_t)vcpu->gpr[GPR_RCX];
    uint64_t value = vcpu->gpr[GPR_RDX] << 32 | (uint32_t)vcpu->gpr[GPR_RAX];
    const enum x86_msr_result result =
        write ? x86_msr_write(vcpu, index, value) : x86_msr_read(vcpu, index, &value);

    if (result == MSR_MODEL) {
        exit->reason = VM_EXIT_MSR;
        exit->msr.index = index;
        exit->msr.write = write;
        exit->msr.value = value;
    } else if (result == MSR_DONE && !write) {
        vcpu->gpr[GPR_RAX] = (uint32_t)value;
        vcpu->gpr[GPR_RDX] = value >> 32;
    }
    return result;
}

/* As the CPU writes a register of `size` bytes: 32-bit results are zero-extended. */
static void set_register(uint64_t *reg, uint64_t value, unsigned size)
{
    switch (size) {
    case 1: __builtin_memcpy(reg, &value, 1); break;
    case 2: __builtin_memcpy(reg, &value, 2); break;
    case 4: *reg = (uint32_t)value; break;
    default: *reg = value; break;
    }
}

static void set_cr8_target(struct hv_vcpu *vcpu, uint64_t value)
{
    if (vcpu->register_of == GPR_RSP)
        x86_guest->set(vcpu, REG_RSP, value);
    else
        vcpu->gpr[vcpu->register_of] = value;
}

void x86_exit_result(struct hv_vcpu *vcpu, const struct vm_exit *exit, uint64_t value)
{
    if (exit->reason == VM_EXIT_MEMORY) {
        set_register(&vcpu->gpr[vcpu->mmio->reg], low_bytes(value, exit->memory.size),
                     vcpu->mmio->register_size);
    } else if (exit->reason == VM_EXIT_PIO) {
        set_register(&vcpu->gpr[GPR_RAX], value, exit->pio.size);
    } else if (exit->msr.index == X86_MSR_CR8) {
        set_cr8_target(vcpu, value);
    } else {
        vcpu->gpr[GPR_RAX] = (uint32_t)value;
        vcpu->gpr[GPR_RDX] = value >> 32;
    }
}

/* --- events --- */

bool x86_exit_displace(struct hv_vcpu *vcpu, uint64_t before, uint8_t *vector, int64_t *error_code)
{
    if (FIELD_GET(EVENT_TYPE, before) != EVENT_EXCEPTION) {
        vcpu->event = before;
        return true;
    }
    vcpu->event = 0;
    switch (x86_exception_nesting((uint8_t)FIELD_GET(EVENT_VECTOR, before), *vector)) {
    case NESTING_SERIAL: break;
    case NESTING_DOUBLE_FAULT:
        *vector = VECTOR_DF;
        *error_code = 0;
        break;
    case NESTING_SHUTDOWN: vcpu->pending |= PENDING_RESET; return false;
    }
    return true;
}

/* SVM has software exceptions among the others, and can tell them by their vectors only. */
bool x86_exit_is_repeated(uint64_t event)
{
    const uint64_t type = FIELD_GET(EVENT_TYPE, event);
    const uint64_t vector = FIELD_GET(EVENT_VECTOR, event);

    return type >= EVENT_SOFTWARE ||
           (type == EVENT_EXCEPTION && (vector == VECTOR_BP || vector == VECTOR_OF));
}
