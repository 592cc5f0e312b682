/* SPDX-License-Identifier: BSD-2-Clause */
/* The CPU's VMX against what is needed: see capability.h. No MSR is read here. */
#include "arch/x86/vmx/capability.h"

#include "arch/x86/vmx/vmcs.h"

/* What exits, in vmcs.h's names. What is not here, and has no line in exit.c, runs at full speed.
 */
const uint32_t vmx_wanted[VMX_WORDS] = {
    [VMX_PIN] = PIN_EXTERNAL_INTERRUPT | PIN_NMI | PIN_VIRTUAL_NMIS | PIN_PREEMPTION_TIMER,
    [VMX_PRIMARY] = PRIMARY_TSC_OFFSET | PRIMARY_HLT | PRIMARY_MWAIT | PRIMARY_RDPMC |
                    PRIMARY_CR8_LOAD | PRIMARY_CR8_STORE | PRIMARY_IO_BITMAPS |
                    PRIMARY_MSR_BITMAPS | PRIMARY_MONITOR | PRIMARY_SECONDARY,
    [VMX_SECONDARY] =
        SECONDARY_EPT | SECONDARY_VPID | SECONDARY_WBINVD | SECONDARY_UNRESTRICTED_GUEST,
    [VMX_EXIT] = EXIT_SAVE_DEBUG | EXIT_HOST_64 | EXIT_ACKNOWLEDGE | EXIT_LOAD_PAT |
                 EXIT_SAVE_EFER | EXIT_LOAD_EFER | EXIT_SAVE_PREEMPTION_TIMER,
    [VMX_ENTRY] = ENTRY_LOAD_DEBUG | ENTRY_LOAD_PAT | ENTRY_LOAD_EFER,
};

/* --- control words --- */

static uint32_t must_be_one(const struct vmx_capability *cpu, enum vmx_word word)
{
    return (uint32_t)cpu->control[word];
}

static uint32_t may_be_one(const struct vmx_capability *cpu, enum vmx_word word)
{
    return (uint32_t)(cpu->control[word] >> 32);
}

static bool has_timer(const struct vmx_capability *cpu)
{
    return may_be_one(cpu, VMX_PIN) & PIN_PREEMPTION_TIMER;
}

uint32_t vmx_control(const struct vmx_capability *cpu, enum vmx_word word, uint32_t wanted)
{
    if (word == VMX_EXIT && !has_timer(cpu)) /* SDM 3C 26.2.1.2 */
        wanted &= ~EXIT_SAVE_PREEMPTION_TIMER;
    return (wanted | must_be_one(cpu, word)) & may_be_one(cpu, word);
}

/* --- requirements --- */

/* Bits that can be set, and bits that can be clear. The first that fails is the reason told. */
/* clang-format off */
static const struct {
    uint8_t word; /* enum vmx_word */
    uint32_t set, clear;
    const char *why;
} required[] = {
    { VMX_PRIMARY, PRIMARY_SECONDARY, 0, "this CPU has VMX but no EPT" },
    { VMX_SECONDARY, SECONDARY_EPT, 0, "this CPU has VMX but no EPT" },
    { VMX_SECONDARY, SECONDARY_UNRESTRICTED_GUEST, 0,
      "this CPU has VMX but cannot run guests in real mode (no unrestricted guest)" },
    { VMX_SECONDARY, SECONDARY_VPID, 0, "this CPU has VMX but no VPIDs" },
    { VMX_PIN, PIN_EXTERNAL_INTERRUPT | PIN_NMI, 0,
      "this CPU's VMX lets guests take the host's interrupts" },
    { VMX_PIN, PIN_VIRTUAL_NMIS, 0, "this CPU's VMX has no virtual NMIs" },
    { VMX_PRIMARY, PRIMARY_INTERRUPT_WINDOW, 0, "this CPU's VMX has no interrupt-window exits" },
    { VMX_PRIMARY, PRIMARY_NMI_WINDOW, 0, "this CPU's VMX has no NMI-window exits" },
    { VMX_PRIMARY, PRIMARY_TSC_OFFSET, 0, "this CPU's VMX has no TSC offset" },
    { VMX_PRIMARY, PRIMARY_HLT, 0, "this CPU's VMX does not exit at HLT" },
    { VMX_PRIMARY, PRIMARY_PAUSE, PRIMARY_PAUSE, "this CPU's VMX has no choice about PAUSE" },
    { VMX_PRIMARY, PRIMARY_MWAIT | PRIMARY_MONITOR | PRIMARY_RDPMC, 0,
      "this CPU's VMX cannot keep MONITOR, MWAIT and RDPMC from guests" },
    { VMX_PRIMARY, PRIMARY_CR8_LOAD | PRIMARY_CR8_STORE, 0,
      "this CPU's VMX cannot keep its task priority from guests" },
    { VMX_PRIMARY, PRIMARY_IO_BITMAPS, 0, "this CPU's VMX has no I/O bitmaps" },
    { VMX_PRIMARY, PRIMARY_MSR_BITMAPS, 0, "this CPU's VMX has no MSR bitmaps" },
    { VMX_PRIMARY, 0, PRIMARY_CR3_LOAD | PRIMARY_CR3_STORE | PRIMARY_INVLPG,
      "this CPU's VMX exits at every CR3 access and INVLPG" },
    { VMX_EXIT, EXIT_HOST_64, 0, "this CPU's VMX has no 64-bit host" },
    { VMX_EXIT, EXIT_ACKNOWLEDGE, 0, "this CPU's VMX does not acknowledge interrupts on exit" },
    { VMX_EXIT, EXIT_SAVE_DEBUG, 0, "this CPU's VMX does not save DR7" },
    { VMX_EXIT, EXIT_LOAD_PAT, 0, "this CPU's VMX does not switch PAT" },
    { VMX_EXIT, EXIT_SAVE_EFER | EXIT_LOAD_EFER, 0, "this CPU's VMX does not switch EFER" },
    { VMX_ENTRY, ENTRY_IA32E, ENTRY_IA32E, "this CPU's VMX has no 64-bit guests" },
    { VMX_ENTRY, ENTRY_LOAD_DEBUG, 0, "this CPU's VMX does not load DR7" },
    { VMX_ENTRY, ENTRY_LOAD_PAT, 0, "this CPU's VMX does not switch PAT" },
    { VMX_ENTRY, ENTRY_LOAD_EFER, 0, "this CPU's VMX does not switch EFER" },
};

/* Of which at least one bit is to be there. */
static const struct {
    uint64_t any;
    const char *why;
} required_of_ept[] = {
    { EPT_WALK_4, "this CPU's EPT has no 4-level tables" },
    { EPT_WRITE_BACK, "this CPU's EPT tables cannot be cached" },
    { EPT_PAGES_2M, "this CPU's EPT has no 2 MiB pages" },
    { EPT_INVEPT, "this CPU has EPT but no INVEPT" },
    { EPT_INVEPT_SINGLE | EPT_INVEPT_ALL, "this CPU's INVEPT has neither type that is needed" },
    { VPID_INVVPID, "this CPU has VPIDs but no INVVPID" },
    { VPID_INVVPID_SINGLE | VPID_INVVPID_ALL,
      "this CPU's INVVPID has neither type that is needed" },
};
/* clang-format on */

static bool check_controls(const struct vmx_capability *cpu, const char **why)
{
    for (size_t i = 0; i < ARRAY_SIZE(required); i++) {
        const enum vmx_word word = required[i].word;

        if ((required[i].set & ~may_be_one(cpu, word)) ||
            (required[i].clear & must_be_one(cpu, word))) {
            *why = required[i].why;
            return false;
        }
    }
    return true;
}

static bool check_others(const struct vmx_capability *cpu, const char **why)
{
    for (size_t i = 0; i < ARRAY_SIZE(required_of_ept); i++) {
        if (!(cpu->ept_vpid & required_of_ept[i].any)) {
            *why = required_of_ept[i].why;
            return false;
        }
    }
    if (!(cpu->misc & MISC_STORES_LMA)) {
        *why = "this CPU's VMX does not tell when a guest enters 64-bit mode";
        return false;
    }
    return true;
}

bool vmx_check(const struct vmx_capability *cpu, const char **why)
{
    const uint64_t lock = cpu->feature_control;

    if (lock & FEATURE_CONTROL_LOCKED && !(lock & FEATURE_CONTROL_VMX)) {
        *why = "VMX is locked off by the firmware";
        return false;
    }
    return check_controls(cpu, why) && check_others(cpu, why);
}

/* --- choices --- */

#define TYPE_SINGLE 1 /* SDM 3C 30.3, INVEPT and INVVPID */
#define TYPE_ALL 2

uint32_t vmx_timer_ticks(const struct vmx_capability *cpu, uint64_t tsc)
{
    const uint64_t ticks = (tsc >> FIELD_GET(MISC_TIMER_SHIFT, cpu->misc)) + 1;

    return has_timer(cpu) ? (uint32_t)MIN(ticks, UINT32_MAX) : 0;
}

bool vmx_has_tpr_shadow(const struct vmx_capability *cpu)
{
    return may_be_one(cpu, VMX_PRIMARY) & PRIMARY_TPR_SHADOW &&
           !(must_be_one(cpu, VMX_PRIMARY) & (PRIMARY_CR8_LOAD | PRIMARY_CR8_STORE));
}

uint32_t vmx_apic_controls(const struct vmx_capability *cpu, enum hv_apic how)
{
    static const uint32_t controls[] = {
        [HV_APIC_PAGE] = SECONDARY_APIC_ACCESSES | SECONDARY_APIC_REGISTERS,
        [HV_APIC_MSRS] = SECONDARY_X2APIC | SECONDARY_APIC_REGISTERS,
    };
    const uint32_t all = controls[HV_APIC_PAGE] | controls[HV_APIC_MSRS];

    if (how == HV_APIC_OFF || !vmx_has_tpr_shadow(cpu) || all & ~may_be_one(cpu, VMX_SECONDARY) ||
        all & must_be_one(cpu, VMX_SECONDARY))
        return 0;
    return controls[how];
}

uint64_t vmx_invept_type(const struct vmx_capability *cpu)
{
    return cpu->ept_vpid & EPT_INVEPT_SINGLE ? TYPE_SINGLE : TYPE_ALL;
}

uint64_t vmx_invvpid_type(const struct vmx_capability *cpu)
{
    return cpu->ept_vpid & VPID_INVVPID_SINGLE ? TYPE_SINGLE : TYPE_ALL;
}
