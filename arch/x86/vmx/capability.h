/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the CPU's VMX can do, as its capability MSRs say it (SDM 3D appendix A), what of it is
 * needed, and what becomes of the control words.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "arch/bits.h"
#include "arch/hv.h"

enum vmx_word { VMX_PIN, VMX_PRIMARY, VMX_SECONDARY, VMX_EXIT, VMX_ENTRY, VMX_WORDS };

struct vmx_capability {
    uint64_t feature_control;
    uint64_t basic, misc, ept_vpid;
    uint64_t control[VMX_WORDS]; /* bits 31-0: must be one; bits 63-32: may be one */
};

#define FEATURE_CONTROL_LOCKED BIT(0)
#define FEATURE_CONTROL_VMX BIT(2) /* outside of SMX */

#define BASIC_REVISION GENMASK(30, 0)
#define BASIC_TRUE_CONTROLS BIT(55)

#define MISC_TIMER_SHIFT GENMASK(4, 0) /* the preemption timer's ticks, in the TSC's */
#define MISC_STORES_LMA BIT(5)

#define EPT_WALK_4 BIT(6)
#define EPT_WRITE_BACK BIT(14)
#define EPT_PAGES_2M BIT(16)
#define EPT_PAGES_1G BIT(17)
#define EPT_INVEPT BIT(20)
#define EPT_INVEPT_SINGLE BIT(25)
#define EPT_INVEPT_ALL BIT(26)
#define VPID_INVVPID BIT(32)
#define VPID_INVVPID_SINGLE BIT(41)
#define VPID_INVVPID_ALL BIT(42)

/* Everything that the backend rests on is there. False: *why is one sentence about what is not. */
bool vmx_check(const struct vmx_capability *cpu, const char **why);

/* The value of a control word: (wanted | must_be_one) & may_be_one. */
uint32_t vmx_control(const struct vmx_capability *cpu, enum vmx_word word, uint32_t wanted);

/* What the backend wants of each word at a vCPU's reset. */
extern const uint32_t vmx_wanted[VMX_WORDS];

/*
 * What the preemption timer is set to, to go off after `tsc` ticks of the TSC, or a little later;
 * 0: this CPU has none.
 */
uint32_t vmx_timer_ticks(const struct vmx_capability *cpu, uint64_t tsc);

/* TPR is in memory, where MOV CR8 finds it without an exit (SDM 3C 29.1). */
bool vmx_has_tpr_shadow(const struct vmx_capability *cpu);

/*
 * The controls by which a guest reads its APIC's registers from memory, in its page or as MSRs
 * (29.4, 29.5); 0 where this CPU cannot do both.
 */
uint32_t vmx_apic_controls(const struct vmx_capability *cpu, enum hv_apic how);

/* Types for INVEPT and INVVPID: of one context where the CPU can, else of all. */
uint64_t vmx_invept_type(const struct vmx_capability *cpu);
uint64_t vmx_invvpid_type(const struct vmx_capability *cpu);
