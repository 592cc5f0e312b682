/* SPDX-License-Identifier: BSD-2-Clause */
/* vm_exit.ipi.kind: which register a guest sends interrupts to vCPUs with (GICv3 spec 12.2). */
#pragma once

enum arm64_ipi {
    IPI_SGI1R,  /* ICC_SGI1R_EL1: group 1 of its own security state */
    IPI_ASGI1R, /* ICC_ASGI1R_EL1: group 1 of the other one */
    IPI_SGI0R,  /* ICC_SGI0R_EL1: group 0 */
};
