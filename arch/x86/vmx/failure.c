/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Entries that failed, in words. Neither kind should happen: the first says that this backend
 * contradicts itself, the second that what it let a guest's registers become does.
 */
#include "arch/x86/vmx/vmx.h"

/* VMCS_INSTRUCTION_ERROR, SDM 3C 30.4: of VMLAUNCH, VMRESUME and what precedes them. */
static const char *const instruction_errors[] = {
    [2] = "VMCLEAR of an address that no VMCS can have",
    [3] = "VMCLEAR of the VMXON region",
    [4] = "VMLAUNCH of a VMCS that is launched already",
    [5] = "VMRESUME of a VMCS that is not launched",
    [6] = "VMRESUME after VMXOFF",
    [7] = "the VM entry's control fields contradict each other or the CPU",
    [8] = "the VM entry's host state is not what the CPU accepts",
    [9] = "VMPTRLD of an address that no VMCS can have",
    [10] = "VMPTRLD of the VMXON region",
    [11] = "VMPTRLD of a VMCS of another CPU model",
    [12] = "a VMCS field that this CPU does not have",
    [13] = "a store to a VMCS field that is read-only",
    [15] = "VMXON in VMX operation",
    [16] = "a VM entry with an executive VMCS that is not valid",
    [17] = "a VM entry with an executive VMCS that is not launched",
    [18] = "a VM entry without the VMXON region as its executive VMCS",
    [25] = "a VM entry with controls for system management that are not valid",
    [26] = "a VM entry right after MOV SS",
    [28] = "INVEPT or INVVPID with an operand that is not valid",
};

void vmx_enter_failed(struct vm_exit *exit)
{
    const uint64_t error = vmread(VMCS_INSTRUCTION_ERROR);

    exit->reason = VM_EXIT_FATAL;
    exit->fatal.what = "the VM entry failed without a reason: no VMCS is current";
    if (error < ARRAY_SIZE(instruction_errors) && instruction_errors[error] != NULL)
        exit->fatal.what = instruction_errors[error];
    exit->fatal.syndrome = error;
}

/* VMCS_QUALIFICATION of VMX_EXIT_INVALID_STATE, SDM 3C 26.8. */
static const char *const invalid_states[] = {
    [0] = "the guest's registers contradict each other (SDM 3C 26.3.1)",
    [2] = "the guest's page-directory pointers are not valid (SDM 3C 26.3.1.6)",
    [3] = "an NMI for a guest that is right behind MOV SS",
    [4] = "the guest's VMCS link pointer is not valid",
};

static const char *invalid_state(uint64_t why)
{
    return why < ARRAY_SIZE(invalid_states) && invalid_states[why] != NULL ? invalid_states[why]
                                                                           : invalid_states[0];
}

bool vmx_entry_failure(uint64_t reason, struct vm_exit *exit)
{
    exit->reason = VM_EXIT_FATAL;
    exit->fatal.syndrome = reason;
    switch (FIELD_GET(EXIT_REASON_BASIC, reason)) {
    case VMX_EXIT_INVALID_STATE:
        exit->fatal.what = invalid_state(vmread(VMCS_QUALIFICATION));
        break;
    case VMX_EXIT_MSR_LOADING: exit->fatal.what = "the VM entry could not load an MSR"; break;
    case VMX_EXIT_MACHINE_CHECK:
        exit->fatal.what = "machine check: the host's hardware failed at a VM entry";
        break;
    default: exit->fatal.what = "the VM entry failed for a reason that is not known"; break;
    }
    return true;
}
