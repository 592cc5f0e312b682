/* SPDX-License-Identifier: BSD-2-Clause */
/* The hypervisor control interface that this machine has. */

#include <arch/gich.h>

#include "arch/image.h"

struct gich gich SEALED;
