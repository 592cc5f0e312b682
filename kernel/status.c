/* SPDX-License-Identifier: BSD-2-Clause */
/* Words for results. */

#include "arch/status.h"

#include "arch/bits.h"

const char *status_str(status_t status)
{
    static const char *const words[] = {
        [-OK] = "ok",
        [-ERR_INVALID_ARGS] = "invalid arguments",
        [-ERR_NO_MEMORY] = "no memory",
        [-ERR_NOT_FOUND] = "not found",
        [-ERR_BAD_STATE] = "bad state",
        [-ERR_UNSUPPORTED] = "unsupported",
        [-ERR_ALREADY_EXISTS] = "already exists",
        [-ERR_HYPERVISOR] = "hypervisor error",
    };
    unsigned index = 0u - (unsigned)status;

    return index < ARRAY_SIZE(words) ? words[index] : "unknown error";
}
