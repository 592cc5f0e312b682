/* SPDX-License-Identifier: BSD-2-Clause */
/* x86's vCPU on the unit tests' machine. */
#pragma once

#include "arch/x86/include/arch/vcpu.h"
