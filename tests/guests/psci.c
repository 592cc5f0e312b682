/* SPDX-License-Identifier: BSD-2-Clause */
/* PSCI 1.1, SMCCC and TRNG as a guest sees them, with as many CPUs as there are. */
#include "tests/guests/lib/gic.h"

#define TIMER_PPI 27
#define RAM_BASE 0x40000000UL

static volatile uint64_t arrived[MAX_CPUS];
static volatile bool stay;

static void report(uint64_t argument)
{
    unsigned cpu = cpu_self();

    arrived[cpu] = argument;
    dsb();
    while (stay)
        continue;
    cpu_off();
}

static void versions(void)
{
    check_equal("psci_version_is_1_1", (uint64_t)hvc(PSCI_VERSION, 0, 0, 0), 0x10001);
    check(hvc(SMCCC_VERSION, 0, 0, 0) >= 0x10001, "smccc_version_is_1_1_or_later");
    check_equal("no_trusted_os_to_migrate", (uint64_t)hvc(PSCI_MIGRATE_INFO_TYPE, 0, 0, 0), 2);
    check_equal("arch_features_has_smccc_version",
                (uint64_t)hvc(SMCCC_ARCH_FEATURES, SMCCC_VERSION, 0, 0), 0);
}

static void features(void)
{
    static const uint64_t there[] = { PSCI_VERSION,      PSCI_CPU_OFF,       PSCI_SYSTEM_OFF,
                                      PSCI_SYSTEM_RESET, PSCI_FEATURES,      PSCI_CPU_ON,
                                      PSCI_CPU_SUSPEND,  PSCI_AFFINITY_INFO, SMCCC_VERSION };
    bool all = true;

    for (unsigned i = 0; i < ARRAY_SIZE(there); i++)
        all = all && hvc(PSCI_FEATURES, there[i], 0, 0) >= 0;
    check(all, "features_names_every_function");
    check_equal("unknown_feature", (uint64_t)hvc(PSCI_FEATURES, 0x8400001f, 0, 0),
                (uint64_t)PSCI_NOT_SUPPORTED);
    check_equal("unknown_function", (uint64_t)(int32_t)hvc(0x8600ff7f, 0, 0, 0),
                (uint64_t)PSCI_NOT_SUPPORTED);
    check_equal("unknown_64_bit_function", (uint64_t)hvc(0xc600ff01, 0, 0, 0),
                (uint64_t)PSCI_NOT_SUPPORTED);
}

/* Another immediate is nobody's call: an undefined instruction, or "not supported". */
static void immediates(void)
{
    register uint64_t x0 asm("x0") = PSCI_VERSION;

    expect_faults();
    asm volatile("hvc #0x4a48" : "+r"(x0)::"x1", "x2", "x3", "memory");
    uint64_t answer = x0;
    uint64_t esr = expected_fault();

    check(esr != 0 || (int64_t)answer == PSCI_NOT_SUPPORTED, "hvc_with_an_immediate_is_refused");
    expect_faults();
    int64_t version = smc(PSCI_VERSION, 0, 0, 0);

    check(expected_fault() != 0 || version == 0x10001 || version == PSCI_NOT_SUPPORTED,
          "smc_is_answered_or_undefined");
}

static void errors(void)
{
    uint64_t self = cpu_mpidr(0);
    uint64_t entry = RAM_BASE;

    check_equal("cpu_on_of_itself", (uint64_t)hvc(PSCI_CPU_ON, self, entry, 0),
                (uint64_t)PSCI_ALREADY_ON);
    check_equal("cpu_on_of_no_cpu", (uint64_t)hvc(PSCI_CPU_ON, 0x3f, entry, 0),
                (uint64_t)PSCI_INVALID_PARAMETERS);
    check_equal("cpu_on_of_a_malformed_id", (uint64_t)hvc(PSCI_CPU_ON, ~0UL, entry, 0),
                (uint64_t)PSCI_INVALID_PARAMETERS);
    check_equal("affinity_info_of_no_cpu", (uint64_t)hvc(PSCI_AFFINITY_INFO, 0x3f, 0, 0),
                (uint64_t)PSCI_INVALID_PARAMETERS);
    check_equal("affinity_info_of_itself", (uint64_t)hvc(PSCI_AFFINITY_INFO, self, 0, 0), 0);
}

static void bad_entries(void)
{
    check_equal("entry_outside_memory", (uint64_t)hvc(PSCI_CPU_ON, cpu_mpidr(1), 0x30000000, 0),
                (uint64_t)PSCI_INVALID_ADDRESS);
    check_equal("entry_beyond_the_address_space",
                (uint64_t)hvc(PSCI_CPU_ON, cpu_mpidr(1), 1UL << 56, 0),
                (uint64_t)PSCI_INVALID_ADDRESS);
    check_equal("entry_misaligned", (uint64_t)hvc(PSCI_CPU_ON, cpu_mpidr(1), RAM_BASE + 2, 0),
                (uint64_t)PSCI_INVALID_ADDRESS);
    check_equal("bad_entries_left_it_off", (uint64_t)hvc(PSCI_AFFINITY_INFO, cpu_mpidr(1), 0, 0),
                1);
}

static void wait_until_off(unsigned cpu)
{
    while (hvc(PSCI_AFFINITY_INFO, cpu_mpidr(cpu), 0, 0) != 1)
        continue;
}

static void start_all(unsigned cpus, uint64_t round)
{
    bool on = true;
    bool ran = true;

    stay = true;
    for (unsigned cpu = 1; cpu < cpus; cpu++)
        on = on && cpu_on(cpu, report, round + cpu) == PSCI_SUCCESS;
    check(on, "cpu_on_succeeds");
    for (unsigned cpu = 1; cpu < cpus && on; cpu++) {
        while (arrived[cpu] == 0)
            continue;
        ran = ran && arrived[cpu] == round + cpu;
        ran = ran && hvc(PSCI_AFFINITY_INFO, cpu_mpidr(cpu), 0, 0) == 0;
        ran = ran && hvc(PSCI_CPU_ON, cpu_mpidr(cpu), RAM_BASE, 0) == PSCI_ALREADY_ON;
        arrived[cpu] = 0;
    }
    check(ran, "started_cpus_run_with_their_argument");
    stay = false;
    dsb();
    for (unsigned cpu = 1; cpu < cpus && on; cpu++)
        wait_until_off(cpu);
    check(true, "cpu_off_turns_it_off");
}

/* Standby: returns when the timer's interrupt is pending, though masked. */
static void suspend(void)
{
    gic_init();
    gic_enable(TIMER_PPI);
    sysreg_write(cntv_tval_el0, sysreg_read(cntfrq_el0) / 1000);
    sysreg_write(cntv_ctl_el0, 1);
    isb();
    check_equal("suspend_returns_success", (uint64_t)hvc(PSCI_CPU_SUSPEND, 0, 0, 0), 0);
    check((sysreg_read(cntv_ctl_el0) & 4) != 0, "suspend_lasted_until_the_timer");
    sysreg_write(cntv_ctl_el0, 0);
    gic_disable(TIMER_PPI);
}

static void random(void)
{
    int64_t version = hvc(TRNG_VERSION, 0, 0, 0);

    check(version == PSCI_NOT_SUPPORTED || (version >= 0x10000 && version < 0x20000),
          "trng_version");
    if (version > 0)
        check(hvc(TRNG_RND32, 32, 0, 0) <= 0, "trng_answers");
}

void guest_main(void)
{
    unsigned cpus = cpu_count();

    print("psci: %u CPUs\n", cpus);
    versions();
    features();
    immediates();
    errors();
    if (cpus > 1)
        bad_entries();
    start_all(cpus, 0x100);
    start_all(cpus, 0x200);
    suspend();
    random();
}
