/* SPDX-License-Identifier: BSD-2-Clause */
/* x86's vCPU (arch/x86/include) on the unit tests' CPU, so that this code runs on any host. */
#pragma once

#include "arch/fake/include/arch/cpu.h"
