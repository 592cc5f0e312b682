/* SPDX-License-Identifier: BSD-2-Clause */
/* What both backends do with an exit once they know which it is, and with its answer. */
#pragma once

#include <arch/vcpu.h>

#include "arch/bits.h"
#include "arch/hv.h"
#include "arch/x86/msr.h"

#define CR8_PRIORITY GENMASK(3, 0)

/*
 * One reason to exit. False: answered, the guest goes on. True: vm/ has to deal with it, and
 * `exit` says how.
 */
typedef bool (*x86_exit_handler)(struct hv_vcpu *vcpu, struct vm_exit *exit);

/* What a guest is told it does not have: #UD. */
bool x86_exit_undefined(struct hv_vcpu *vcpu, struct vm_exit *exit);
/* What a guest may not do: #GP(0). */
bool x86_exit_refused(struct hv_vcpu *vcpu, struct vm_exit *exit);
/* Triple fault. */
bool x86_exit_reset(struct hv_vcpu *vcpu, struct vm_exit *exit);
/* The guest cannot go on; `what` as in struct vm_exit. True. */
bool x86_exit_fatal(struct vm_exit *exit, const char *what, uint64_t syndrome);

static inline bool x86_exit_machine_check(struct vm_exit *exit, uint64_t syndrome)
{
    return x86_exit_fatal(exit, "machine check: the host's hardware failed while this guest ran",
                          syndrome);
}

/* A task gate in the IDT cannot be refused by an exception: that would meet the same gate. */
static inline bool x86_exit_task_switch(struct hv_vcpu *vcpu, struct vm_exit *exit, bool by_event,
                                        uint64_t syndrome)
{
    if (by_event)
        return x86_exit_fatal(exit, "an exception or interrupt leads to a hardware task switch",
                              syndrome);
    return x86_exit_refused(vcpu, exit);
}

/* VMCALL or VMMCALL: only the guest's kernel may. */
static inline bool x86_exit_hypercall(struct hv_vcpu *vcpu, struct vm_exit *exit, uint64_t cpl)
{
    if (unlikely(cpl != 0))
        return x86_exit_undefined(vcpu, exit);
    exit->reason = VM_EXIT_HYPERCALL;
    exit->hypercall.smc = false;
    return true;
}

/* IN, OUT, INS or OUTS of `size` bytes. */
static inline bool x86_exit_port(const struct hv_vcpu *vcpu, struct vm_exit *exit, uint64_t port,
                                 uint64_t size, bool write, bool string)
{
    exit->reason = VM_EXIT_PIO;
    exit->pio.port = (uint16_t)port;
    exit->pio.size = (uint8_t)size;
    exit->pio.write = write;
    exit->pio.decoded = !string;
    exit->pio.value = vcpu->gpr[GPR_RAX];
    return true;
}

/* MOV to or from CR8, `value` the general register's. */
static inline bool x86_exit_cr8(struct hv_vcpu *vcpu, struct vm_exit *exit, bool write,
                                uint64_t value)
{
    exit->reason = VM_EXIT_MSR;
    exit->msr.index = X86_MSR_CR8;
    exit->msr.write = write;
    exit->msr.value = value;
    if (write && value & ~CR8_PRIORITY)
        return x86_exit_refused(vcpu, exit);
    return true;
}

/*
 * RDMSR or WRMSR by the vCPU's ECX, EDX and EAX. MSR_DONE: the registers have the answer, RIP
 * is to move on. MSR_MODEL: `exit` is filled in. MSR_FAULT: nothing changed.
 */
enum x86_msr_result x86_exit_msr(struct hv_vcpu *vcpu, struct vm_exit *exit, bool write);

/* The value of a decoded read that vm/ answered goes to where the instruction wants it. */
void x86_exit_result(struct hv_vcpu *vcpu, const struct vm_exit *exit, uint64_t value);

/*
 * An exception is to be injected while `before` (exception.h's EVENT_ bits) is in the way:
 * queued for this entry, or interrupted by the last exit. An interrupt or NMI waits in
 * vcpu->event; with another exception, *vector and *error_code become what the two make.
 * False: a shutdown, which is pending then, and nothing is to be injected.
 */
bool x86_exit_displace(struct hv_vcpu *vcpu, uint64_t before, uint8_t *vector, int64_t *error_code);

/* Does the instruction behind RIP raise this event again (INT n, INT3, INTO)? */
bool x86_exit_is_repeated(uint64_t event);
