/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory accesses and string port accesses that trapped, carried out for the guest.
 */
#pragma once

#include <arch/vcpu.h>

#include "arch/hv.h"

/*
 * hv_ops.emulate, for the vCPU that is loaded on the calling CPU, after an exit VM_EXIT_MEMORY
 * or VM_EXIT_PIO (port, size and write are to be valid also where it is not decoded).
 *
 * OK: carried out; or the guest takes the fault that its CPU would have raised; or the code is
 * no longer what exited and the CPU is to look at it again; or a string instruction has done
 * X86_STRING_BOUND elements and goes on at the next exit, so that interrupts get in.
 * ERR_UNSUPPORTED: not an instruction that is emulated, or an event's delivery (after
 * VM_EXIT_MEMORY), or a table of the guest's that is not in RAM; nothing changed.
 * Others: from `bus`. Of a string instruction, the elements before are done, and RCX tells.
 *
 * A locked instruction is a read and a write on the bus, atomic only as far as the bus makes
 * it: a device's lock is held for each by itself, and RAM normally does not get here.
 *
 * Data breakpoints are traps behind the instruction or a string's element, and I/O breakpoints
 * behind one of INS and OUTS. IN and OUT do not get here, and meet none; nor do loads and stores
 * that are recalled (mmio.h).
 */
status_t x86_emulate(struct hv_vcpu *vcpu, const struct vm_exit *exit, const struct hv_bus *bus);

#define X86_STRING_BOUND 1024
