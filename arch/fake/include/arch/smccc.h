/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "arch/arm64/include/arch/smccc.h"
