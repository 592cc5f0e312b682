/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Mistakes that new guests make, one by command line, with no exception vectors that could
 * handle them: the hypervisor's report is what the test looks at.
 */
#include "tests/guests/lib/guest.h"

static void call_null(void)
{
    ((void (*)(void))0)();
}

static void call_nothing(void)
{
    ((void (*)(void))0x30000000)();
}

static void read_nothing(void)
{
    mmio_read32(0x0c000000);
}

static void write_nothing(void)
{
    mmio_write32(0x0c000000, 1);
}

/* The guest's tables lie where it has no memory. */
static void walk_nothing(void)
{
    sysreg_write(ttbr0_el1, 0x30000000);
    sysreg_write(tcr_el1, 25 | 2UL << 32);
    isb();
    sysreg_write(sctlr_el1, sysreg_read(sctlr_el1) | 1);
    isb();
}

static const struct {
    const char *name;
    void (*run)(void);
} faults[] = {
    { "call-null", call_null },       { "call-nothing", call_nothing },
    { "read-nothing", read_nothing }, { "write-nothing", write_nothing },
    { "walk-nothing", walk_nothing },
};

void guest_main(void)
{
    for (unsigned i = 0; i < ARRAY_SIZE(faults); i++) {
        if (!option_given(faults[i].name))
            continue;
        print("fault: %s\n", faults[i].name);
        sysreg_write(vbar_el1, 0);
        isb();
        faults[i].run();
    }
    check(false, "survived");
}
