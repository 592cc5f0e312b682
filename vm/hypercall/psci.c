/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PSCI 1.1 (Arm DEN0022): how a guest turns its CPUs and itself on and off. One function for
 * each call, in the order of their numbers; the table at the end is what there is.
 */

#include "vm/hypercall/smccc.h"
#include "vm/vm.h"

enum {
    PSCI_SUCCESS = 0,
    PSCI_NOT_SUPPORTED = -1,
    PSCI_INVALID_PARAMETERS = -2,
    PSCI_DENIED = -3,
    PSCI_ALREADY_ON = -4,
    PSCI_ON_PENDING = -5,
    PSCI_INTERNAL_FAILURE = -6,
    PSCI_INVALID_ADDRESS = -9,
};

enum { AFFINITY_ON, AFFINITY_OFF, AFFINITY_ON_PENDING };

#define MIGRATE_NOT_NEEDED 2 /* MIGRATE_INFO_TYPE: no Trusted OS */

#define MPIDR_AFFINITY (GENMASK(39, 32) | GENMASK(23, 0))

/* CPU_SUSPEND's power_state, original format: 25..24 level, 16 type, 15..0 id. */
#define POWER_STATE_RESERVED (GENMASK(31, 26) | GENMASK(23, 17))

#define RESET2_VENDOR BIT(31)
#define RESET2_WARM 0

static uint8_t power_of(const struct vcpu *vcpu)
{
    return __atomic_load_n(&vcpu->power, __ATOMIC_ACQUIRE);
}

/* The vCPU that an MPIDR names; NULL: none. */
static struct vcpu *vcpu_named(const struct vm *vm, uint64_t mpidr)
{
    for (unsigned i = 0; i < vm->config.cpus; i++)
        if (vcpu_hwid(i) == mpidr)
            return &vm->vcpus[i];
    return NULL;
}

static enum vcpu_next psci_version(struct vcpu *vcpu)
{
    return smccc_return(vcpu, PSCI_VERSION_1_1);
}

/*
 * Every state is entered as standby: the CPU waits and keeps its context, which the standard
 * allows (5.4.5: a power-down that did not happen returns success).
 */
static enum vcpu_next cpu_suspend(struct vcpu *vcpu)
{
    if (smccc_arg(vcpu, 1) & POWER_STATE_RESERVED)
        return smccc_return(vcpu, PSCI_INVALID_PARAMETERS);
    smccc_return(vcpu, PSCI_SUCCESS);
    return VCPU_HALT;
}

static enum vcpu_next cpu_off(struct vcpu *vcpu)
{
    (void)vcpu;
    return VCPU_POWER_OFF;
}

/* In the VM's memory, where it may run, and where an instruction can be. */
static bool is_entry(const struct vm *vm, uint64_t address)
{
    const struct region *region = aspace_find(&vm->space, gpa(address));

    return region != NULL && region_is_memory(region) && (region->prot & PT_EXEC) &&
           IS_ALIGNED(address, 4);
}

static enum vcpu_next cpu_on(struct vcpu *vcpu)
{
    const struct hv_reset start = {
        .entry = smccc_arg(vcpu, 2),
        .arg = { smccc_arg(vcpu, 3) },
    };
    struct vcpu *target = vcpu_named(vcpu->vm, smccc_arg(vcpu, 1));

    if (target == NULL)
        return smccc_return(vcpu, PSCI_INVALID_PARAMETERS);
    if (!is_entry(vcpu->vm, start.entry))
        return smccc_return(vcpu, PSCI_INVALID_ADDRESS);
    switch (vcpu_power_on(target, &start)) {
    case OK: return smccc_return(vcpu, PSCI_SUCCESS);
    case ERR_ALREADY_EXISTS:
        return smccc_return(vcpu, power_of(target) == VCPU_ON_PENDING ? PSCI_ON_PENDING
                                                                      : PSCI_ALREADY_ON);
    case ERR_BAD_STATE: return smccc_return(vcpu, PSCI_DENIED);
    default: return smccc_return(vcpu, PSCI_INTERNAL_FAILURE);
    }
}

/* Of one CPU, or of all those whose affinity above `level` is the same. */
static enum vcpu_next affinity_info(struct vcpu *vcpu)
{
    static const uint64_t masks[] = {
        MPIDR_AFFINITY,
        MPIDR_AFFINITY & ~GENMASK(7, 0),
        MPIDR_AFFINITY & ~GENMASK(15, 0),
        GENMASK(39, 32),
    };
    const struct vm *vm = vcpu->vm;
    const uint64_t target = smccc_arg(vcpu, 1), level = smccc_arg(vcpu, 2);
    int64_t state = PSCI_INVALID_PARAMETERS;

    if ((target & ~MPIDR_AFFINITY) || level >= ARRAY_SIZE(masks))
        return smccc_return(vcpu, PSCI_INVALID_PARAMETERS);
    for (unsigned i = 0; i < vm->config.cpus; i++) {
        const uint8_t power = power_of(&vm->vcpus[i]);

        if ((vcpu_hwid(i) ^ target) & masks[level])
            continue;
        if (power == VCPU_ON)
            return smccc_return(vcpu, AFFINITY_ON);
        if (power == VCPU_ON_PENDING)
            state = AFFINITY_ON_PENDING;
        else if (state < 0)
            state = AFFINITY_OFF;
    }
    return smccc_return(vcpu, state);
}

static enum vcpu_next migrate_info_type(struct vcpu *vcpu)
{
    return smccc_return(vcpu, MIGRATE_NOT_NEEDED);
}

/* The calls that end the VM do not return: the vCPU is parked before it enters again. */
static enum vcpu_next system_off(struct vcpu *vcpu)
{
    vm_end_by_guest(vcpu->vm, VM_END_POWER_OFF);
    return VCPU_ENTER;
}

static enum vcpu_next system_reset(struct vcpu *vcpu)
{
    vm_end_by_guest(vcpu->vm, VM_END_RESET);
    return VCPU_ENTER;
}

/* A warm reset is as good a reset as any; there are no vendor's ones. */
static enum vcpu_next system_reset2(struct vcpu *vcpu)
{
    if ((uint32_t)vcpu->hv.x[1] != RESET2_WARM)
        return smccc_return(vcpu, vcpu->hv.x[1] & RESET2_VENDOR ? PSCI_NOT_SUPPORTED
                                                                : PSCI_INVALID_PARAMETERS);
    return system_reset(vcpu);
}

/* No feature bits: CPU_SUSPEND takes the original format, platform-coordinated. */
static enum vcpu_next psci_features(struct vcpu *vcpu)
{
    const uint32_t id = (uint32_t)vcpu->hv.x[1];
    const uint32_t number = (id & (uint32_t)~SMCCC_64) - (uint32_t)SMCCC_ID(SMCCC_STANDARD, 0);
    const bool known = id == SMCCC_VERSION || (number < PSCI_CALLS && smccc_find(id) != NULL);

    return smccc_return(vcpu, known ? PSCI_SUCCESS : PSCI_NOT_SUPPORTED);
}

/* clang-format off */
const struct smccc_call psci_calls[PSCI_CALLS] = {
    [0x00] = { { psci_version,      NULL } },
    [0x01] = { { cpu_suspend,       cpu_suspend } },
    [0x02] = { { cpu_off,           NULL } },
    [0x03] = { { cpu_on,            cpu_on } },
    [0x04] = { { affinity_info,     affinity_info } },
    [0x06] = { { migrate_info_type, NULL } },
    [0x08] = { { system_off,        NULL } },
    [0x09] = { { system_reset,      NULL } },
    [0x0a] = { { psci_features,     NULL } },
    [0x12] = { { system_reset2,     system_reset2 } },
};
/* clang-format on */
