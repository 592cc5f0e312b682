/* SPDX-License-Identifier: BSD-2-Clause */
/* Where no architecture's hypercalls are under test: all are refused. */
#include "vm/exit.h"

enum vcpu_next vm_hypercall(struct vcpu *vcpu, const struct vm_exit *exit)
{
    (void)exit;
    vcpu->hv.x[0] = UINT64_MAX;
    return VCPU_ENTER;
}
