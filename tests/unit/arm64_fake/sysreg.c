/* SPDX-License-Identifier: BSD-2-Clause */
#include <arch/cpu.h>

#include <stdlib.h>
#include <string.h>

#define SYSREGS_MAX 256

static struct {
    const char *name;
    uint64_t value;
} sysregs[SYSREGS_MAX];
static size_t sysreg_count;

uint64_t *fake_sysreg(const char *name)
{
    for (size_t i = 0; i < sysreg_count; i++)
        if (strcmp(sysregs[i].name, name) == 0)
            return &sysregs[i].value;
    if (sysreg_count == SYSREGS_MAX)
        abort();
    sysregs[sysreg_count].name = name;
    sysregs[sysreg_count].value = 0;
    return &sysregs[sysreg_count++].value;
}

void fake_sysreg_reset(void)
{
    sysreg_count = 0;
}
