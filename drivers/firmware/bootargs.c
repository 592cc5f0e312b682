/* SPDX-License-Identifier: BSD-2-Clause */
/* Socle's own command line: words between spaces. docs/architecture.md lists them. */

#include "drivers/firmware/host_info.h"

#include "kernel/lib/string.h"

bool host_is_told(const struct host_info *host, const char *word)
{
    const size_t length = strlen(word);

    for (const char *at = host->bootargs; (at = strstr(at, word)) != NULL; at += length)
        if ((at == host->bootargs || at[-1] == ' ') && (at[length] == ' ' || at[length] == '\0'))
            return true;
    return false;
}
