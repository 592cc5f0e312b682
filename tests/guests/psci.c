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
                                      PSCI_CPU_SUSPEND,  PSCI_AFFINITY_INFO, SMCCC_VERSION,
                                      PSCI_CPU_ON_32,    PSCI_CPU_SUSPEND_32 };
    /* MIGRATE and MIGRATE_INFO_UP_CPU, CPU_FREEZE, MEM_PROTECT, MEM_PROTECT_CHECK_RANGE */
    static const uint64_t optional[] = { 0x84000005, 0x84000007, 0x8400000b, 0x84000013,
                                         0xc4000014 };
    bool all = true;

    for (unsigned i = 0; i < ARRAY_SIZE(there); i++)
        all = all && hvc(PSCI_FEATURES, there[i], 0, 0) >= 0;
    check(all, "features_names_every_function");
    all = true;
    for (unsigned i = 0; i < ARRAY_SIZE(optional); i++) {
        int32_t said = (int32_t)hvc(PSCI_FEATURES, optional[i], 0, 0);

        all = all && (said == PSCI_NOT_SUPPORTED) ==
                         ((int32_t)hvc(optional[i], 0, 0, 0) == PSCI_NOT_SUPPORTED);
    }
    check(all, "features_says_no_of_what_is_not_supported");
    check_equal("vendors_reset_is_refused", (uint64_t)hvc(PSCI_SYSTEM_RESET2, 1UL << 31, 0, 0),
                (uint64_t)PSCI_NOT_SUPPORTED);
    check_equal("unknown_reset_is_refused", (uint64_t)hvc(PSCI_SYSTEM_RESET2, 5, 0, 0),
                (uint64_t)PSCI_INVALID_PARAMETERS);
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

/* With 32-bit arguments: what is above them in the registers does not count. */
static void narrow_calls(unsigned cpus)
{
    uint64_t high = 0xdeadbeefUL << 32;

    check_equal("narrow_affinity_info", (uint64_t)hvc(PSCI_AFFINITY_INFO_32, high, high, 0), 0);
    check_equal("no_such_level", (uint64_t)hvc(PSCI_AFFINITY_INFO, 0, 4, 0),
                (uint64_t)PSCI_INVALID_PARAMETERS);
    if (cpus < 2)
        return;
    arrived[1] = 0;
    hvc(PSCI_CPU_ON_32, high | cpu_mpidr(1), high | (uint64_t)turn_off, high);
    wait_until_off(1);
    check(true, "narrow_cpu_on");
}

/* CPU 1 is turned on by everybody at once, again and again: once each time. */
static volatile unsigned racers, starts, refusals;

static void race_starter(uint64_t rounds)
{
    for (uint64_t round = 0; round < rounds; round++) {
        int64_t answer = hvc(PSCI_CPU_ON, cpu_mpidr(1), (uint64_t)turn_off, 0);

        if (answer == PSCI_SUCCESS)
            __atomic_fetch_add(&starts, 1, __ATOMIC_RELAXED);
        else if (answer == PSCI_ALREADY_ON || answer == PSCI_ON_PENDING)
            __atomic_fetch_add(&refusals, 1, __ATOMIC_RELAXED);
    }
    __atomic_fetch_sub(&racers, 1, __ATOMIC_RELEASE);
}

static void race_and_go(uint64_t rounds)
{
    race_starter(rounds);
    cpu_off();
}

static void races(unsigned cpus)
{
    enum { RACE_ROUNDS = 200 };

    racers = cpus - 1;
    for (unsigned cpu = 2; cpu < cpus; cpu++)
        cpu_on(cpu, race_and_go, RACE_ROUNDS);
    race_starter(RACE_ROUNDS);
    while (racers != 0)
        continue;
    check_equal("every_cpu_on_of_a_race_is_answered", starts + refusals, (cpus - 1) * RACE_ROUNDS);
    check(starts > 0, "and_some_succeed");
    for (unsigned cpu = 1; cpu < cpus; cpu++)
        wait_until_off(cpu);
}

/*
 * Returns when the timer's interrupt is pending, though masked: a standby, also where power-down
 * was asked for, which an implementation may make less of.
 */
static void suspend(const char *name, uint64_t call, uint64_t state)
{
    gic_init();
    gic_enable(TIMER_PPI);
    sysreg_write(cntv_tval_el0, sysreg_read(cntfrq_el0) / 1000);
    sysreg_write(cntv_ctl_el0, 1);
    isb();
    check_equal(name, (uint64_t)hvc(call, state, (uint64_t)turn_off, 0), 0);
    check((sysreg_read(cntv_ctl_el0) & 4) != 0, "it_lasted_until_the_timer");
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
    narrow_calls(cpus);
    if (cpus > 1)
        races(cpus);
    suspend("suspend_to_standby", PSCI_CPU_SUSPEND, 0);
    suspend("suspend_of_32_bits", PSCI_CPU_SUSPEND_32, 0);
    suspend("suspend_to_power_down", PSCI_CPU_SUSPEND, 1u << 16);
    check_equal("suspend_to_no_state", (uint64_t)hvc(PSCI_CPU_SUSPEND, 1u << 20, 0, 0),
                (uint64_t)PSCI_INVALID_PARAMETERS);
    random();
}
