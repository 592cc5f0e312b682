/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The virtual-machine control structure, SDM 3C chapter 24 and appendix B, as far as it is
 * used here. A field is known by its encoding only; where it lies is the CPU's affair.
 *
 *     14 13  12 11  10 9              1 0
 *     +-----+--+------+----------------+-+   width  0 16 bits, 1 64, 2 32, 3 natural
 *     |width| 0| kind |     index      |0|   kind   0 control, 1 exit information, 2 guest, 3 host
 *     +-----+--+------+----------------+-+
 *
 * The #defines come first and alone: run.S reads them, too.
 */
#pragma once

#define VMCS_HOST_RSP 0x6c14

#ifndef __ASSEMBLER__

#include "arch/bits.h"

enum vmcs_field {
    VMCS_VPID = 0x0000,
    VMCS_GUEST_ES = 0x0800, /* + 2 * enum x86_segment, like _LIMIT, _RIGHTS and _BASE of it */
    VMCS_HOST_ES = 0x0c00,
    VMCS_HOST_CS = 0x0c02,
    VMCS_HOST_SS = 0x0c04,
    VMCS_HOST_DS = 0x0c06,
    VMCS_HOST_FS = 0x0c08,
    VMCS_HOST_GS = 0x0c0a,
    VMCS_HOST_TR = 0x0c0c,

    VMCS_IO_BITMAP_A = 0x2000,
    VMCS_IO_BITMAP_B = 0x2002,
    VMCS_MSR_BITMAP = 0x2004,
    VMCS_TSC_OFFSET = 0x2010,
    VMCS_VIRTUAL_APIC = 0x2012,
    VMCS_APIC_ACCESS = 0x2014,
    VMCS_EPT_POINTER = 0x201a,
    VMCS_GUEST_PHYSICAL_ADDRESS = 0x2400,
    VMCS_LINK_POINTER = 0x2800,
    VMCS_GUEST_DEBUGCTL = 0x2802,
    VMCS_GUEST_PAT = 0x2804,
    VMCS_GUEST_EFER = 0x2806,
    VMCS_GUEST_PDPTE = 0x280a, /* + 2 * n */
    VMCS_HOST_PAT = 0x2c00,
    VMCS_HOST_EFER = 0x2c02,

    VMCS_PIN_CONTROLS = 0x4000,
    VMCS_PRIMARY_CONTROLS = 0x4002,
    VMCS_EXCEPTION_BITMAP = 0x4004,
    VMCS_PAGE_FAULT_MASK = 0x4006,
    VMCS_PAGE_FAULT_MATCH = 0x4008,
    VMCS_CR3_TARGET_COUNT = 0x400a,
    VMCS_EXIT_CONTROLS = 0x400c,
    VMCS_EXIT_MSR_STORE_COUNT = 0x400e,
    VMCS_EXIT_MSR_LOAD_COUNT = 0x4010,
    VMCS_ENTRY_CONTROLS = 0x4012,
    VMCS_ENTRY_MSR_LOAD_COUNT = 0x4014,
    VMCS_ENTRY_EVENT = 0x4016, /* VM-entry interruption information */
    VMCS_ENTRY_ERROR_CODE = 0x4018,
    VMCS_TPR_THRESHOLD = 0x401c,
    VMCS_SECONDARY_CONTROLS = 0x401e,
    VMCS_INSTRUCTION_ERROR = 0x4400,
    VMCS_EXIT_REASON = 0x4402,
    VMCS_EXIT_EVENT = 0x4404,        /* VM-exit interruption information */
    VMCS_INTERRUPTED_EVENT = 0x4408, /* IDT-vectoring information */
    VMCS_INTERRUPTED_ERROR_CODE = 0x440a,
    VMCS_INSTRUCTION_LENGTH = 0x440c,
    VMCS_GUEST_ES_LIMIT = 0x4800,
    VMCS_GUEST_GDTR_LIMIT = 0x4810,
    VMCS_GUEST_IDTR_LIMIT = 0x4812,
    VMCS_GUEST_ES_RIGHTS = 0x4814,
    VMCS_GUEST_CS_RIGHTS = 0x4816,
    VMCS_GUEST_SS_RIGHTS = 0x4818,
    VMCS_INTERRUPTIBILITY = 0x4824,
    VMCS_ACTIVITY = 0x4826,
    VMCS_GUEST_SYSENTER_CS = 0x482a,
    VMCS_PREEMPTION_TIMER = 0x482e,
    VMCS_HOST_SYSENTER_CS = 0x4c00,

    VMCS_CR0_MASK = 0x6000,
    VMCS_CR4_MASK = 0x6002,
    VMCS_CR0_SHADOW = 0x6004,
    VMCS_CR4_SHADOW = 0x6006,
    VMCS_QUALIFICATION = 0x6400,
    VMCS_GUEST_LINEAR_ADDRESS = 0x640a,
    VMCS_GUEST_CR0 = 0x6800,
    VMCS_GUEST_CR3 = 0x6802,
    VMCS_GUEST_CR4 = 0x6804,
    VMCS_GUEST_ES_BASE = 0x6806,
    VMCS_GUEST_GDTR_BASE = 0x6816,
    VMCS_GUEST_IDTR_BASE = 0x6818,
    VMCS_GUEST_DR7 = 0x681a,
    VMCS_GUEST_RSP = 0x681c,
    VMCS_GUEST_RIP = 0x681e,
    VMCS_GUEST_RFLAGS = 0x6820,
    VMCS_PENDING_DEBUG = 0x6822,
    VMCS_GUEST_SYSENTER_ESP = 0x6824,
    VMCS_GUEST_SYSENTER_EIP = 0x6826,
    VMCS_HOST_CR0 = 0x6c00,
    VMCS_HOST_CR3 = 0x6c02,
    VMCS_HOST_CR4 = 0x6c04,
    VMCS_HOST_FS_BASE = 0x6c06,
    VMCS_HOST_GS_BASE = 0x6c08,
    VMCS_HOST_TR_BASE = 0x6c0a,
    VMCS_HOST_GDTR_BASE = 0x6c0c,
    VMCS_HOST_IDTR_BASE = 0x6c0e,
    VMCS_HOST_SYSENTER_ESP = 0x6c10,
    VMCS_HOST_SYSENTER_EIP = 0x6c12,
    VMCS_HOST_RIP = 0x6c16,
};

/* VMCS_PIN_CONTROLS, SDM 3C 24.6.1. */
#define PIN_EXTERNAL_INTERRUPT (1u << 0)
#define PIN_NMI (1u << 3)
#define PIN_VIRTUAL_NMIS (1u << 5)
#define PIN_PREEMPTION_TIMER (1u << 6)

/* VMCS_PRIMARY_CONTROLS, 24.6.2. */
#define PRIMARY_INTERRUPT_WINDOW (1u << 2)
#define PRIMARY_TSC_OFFSET (1u << 3)
#define PRIMARY_HLT (1u << 7)
#define PRIMARY_INVLPG (1u << 9)
#define PRIMARY_MWAIT (1u << 10)
#define PRIMARY_RDPMC (1u << 11)
#define PRIMARY_CR3_LOAD (1u << 15)
#define PRIMARY_CR3_STORE (1u << 16)
#define PRIMARY_CR8_LOAD (1u << 19)
#define PRIMARY_CR8_STORE (1u << 20)
#define PRIMARY_TPR_SHADOW (1u << 21)
#define PRIMARY_NMI_WINDOW (1u << 22)
#define PRIMARY_IO_BITMAPS (1u << 25)
#define PRIMARY_MSR_BITMAPS (1u << 28)
#define PRIMARY_MONITOR (1u << 29)
#define PRIMARY_PAUSE (1u << 30)
#define PRIMARY_SECONDARY (1u << 31)

/* VMCS_SECONDARY_CONTROLS */
#define SECONDARY_APIC_ACCESSES (1u << 0)
#define SECONDARY_EPT (1u << 1)
#define SECONDARY_RDTSCP (1u << 3)
#define SECONDARY_X2APIC (1u << 4)
#define SECONDARY_VPID (1u << 5)
#define SECONDARY_WBINVD (1u << 6)
#define SECONDARY_UNRESTRICTED_GUEST (1u << 7)
#define SECONDARY_APIC_REGISTERS (1u << 8)
#define SECONDARY_INVPCID (1u << 12)

/* VMCS_EXIT_CONTROLS, 24.7.1. */
#define EXIT_SAVE_DEBUG (1u << 2)
#define EXIT_HOST_64 (1u << 9)
#define EXIT_ACKNOWLEDGE (1u << 15)
#define EXIT_LOAD_PAT (1u << 19)
#define EXIT_SAVE_EFER (1u << 20)
#define EXIT_LOAD_EFER (1u << 21)
#define EXIT_SAVE_PREEMPTION_TIMER (1u << 22)

/* VMCS_ENTRY_CONTROLS, 24.8.1. */
#define ENTRY_LOAD_DEBUG (1u << 2)
#define ENTRY_IA32E (1u << 9) /* follows EFER.LMA; exits store it */
#define ENTRY_LOAD_PAT (1u << 14)
#define ENTRY_LOAD_EFER (1u << 15)

/* VMCS_INTERRUPTIBILITY, table 24-3. */
#define BLOCKED_BY_STI BIT(0)
#define BLOCKED_BY_MOV_SS BIT(1)
#define BLOCKED_BY_NMI BIT(3)
#define BLOCKED_SHADOW (BLOCKED_BY_STI | BLOCKED_BY_MOV_SS)

/* Access rights, table 24-2: a descriptor's, with 4 reserved bits in the middle. */
#define RIGHTS_LOW GENMASK(7, 0)
#define RIGHTS_DPL GENMASK(6, 5)
#define RIGHTS_PRESENT BIT(7)
#define RIGHTS_HIGH GENMASK(15, 12) /* AVL, L, D/B, G */
#define RIGHTS_L BIT(13)
#define RIGHTS_UNUSABLE BIT(16)

/* VMCS_EXIT_EVENT, VMCS_INTERRUPTED_EVENT and VMCS_ENTRY_EVENT have arch/x86/exception.h's
 * format, with more types; errors are in fields of their own. */
#define EVENT_SOFTWARE_PRIVILEGED 5 /* INT1 */
#define EVENT_SOFTWARE_EXCEPTION 6  /* INT3, INTO */
#define EVENT_NMI_UNBLOCKED                                              \
    BIT(12) /* of VMCS_EXIT_EVENT: a fault of IRET, after its unblocking \
             */

/* VMCS_EXIT_REASON, appendix C. */
#define EXIT_REASON_BASIC GENMASK(15, 0)
#define EXIT_REASON_ENTRY_FAILED BIT(31)

enum vmx_exit_reason {
    VMX_EXIT_EXCEPTION = 0, /* or NMI */
    VMX_EXIT_INTERRUPT = 1,
    VMX_EXIT_TRIPLE_FAULT = 2,
    VMX_EXIT_INIT = 3,
    VMX_EXIT_SIPI = 4,
    VMX_EXIT_INTERRUPT_WINDOW = 7,
    VMX_EXIT_NMI_WINDOW = 8,
    VMX_EXIT_TASK_SWITCH = 9,
    VMX_EXIT_CPUID = 10,
    VMX_EXIT_GETSEC = 11,
    VMX_EXIT_HLT = 12,
    VMX_EXIT_INVD = 13,
    VMX_EXIT_RDPMC = 15,
    VMX_EXIT_RSM = 17,
    VMX_EXIT_VMCALL = 18,
    VMX_EXIT_VMCLEAR = 19,
    VMX_EXIT_VMLAUNCH = 20,
    VMX_EXIT_VMPTRLD = 21,
    VMX_EXIT_VMPTRST = 22,
    VMX_EXIT_VMREAD = 23,
    VMX_EXIT_VMRESUME = 24,
    VMX_EXIT_VMWRITE = 25,
    VMX_EXIT_VMXOFF = 26,
    VMX_EXIT_VMXON = 27,
    VMX_EXIT_CR = 28,
    VMX_EXIT_IO = 30,
    VMX_EXIT_RDMSR = 31,
    VMX_EXIT_WRMSR = 32,
    VMX_EXIT_INVALID_STATE = 33,
    VMX_EXIT_MSR_LOADING = 34,
    VMX_EXIT_MWAIT = 36,
    VMX_EXIT_MONITOR = 39,
    VMX_EXIT_PAUSE = 40,
    VMX_EXIT_MACHINE_CHECK = 41,
    VMX_EXIT_TPR_BELOW_THRESHOLD = 43,
    VMX_EXIT_APIC_ACCESS = 44,
    VMX_EXIT_EPT_VIOLATION = 48,
    VMX_EXIT_EPT_MISCONFIGURATION = 49,
    VMX_EXIT_INVEPT = 50,
    VMX_EXIT_PREEMPTION_TIMER = 52,
    VMX_EXIT_INVVPID = 53,
    VMX_EXIT_WBINVD = 54,
    VMX_EXIT_XSETBV = 55,
    VMX_EXIT_APIC_WRITE = 56,
    VMX_EXIT_VMFUNC = 59,
    VMX_EXIT_ENCLS = 60,
    VMX_EXIT_PCONFIG = 65,
    VMX_EXIT_UMWAIT = 67,
    VMX_EXIT_TPAUSE = 68,
    VMX_EXIT_LOADIWKEY = 69,
    VMX_EXITS = 70,
};

/* VMCS_QUALIFICATION of VMX_EXIT_EXCEPTION with #DB: bits for DR6; table 27-1. */
#define DEBUG_MET GENMASK(3, 0)
#define DEBUG_BD BIT(13)
#define DEBUG_BS BIT(14) /* in VMCS_PENDING_DEBUG, too, with DEBUG_MET and: */
#define DEBUG_ENABLED BIT(12)

/* Of VMX_EXIT_CR, table 27-3. */
#define CR_NUMBER GENMASK(3, 0)
#define CR_ACCESS GENMASK(5, 4)
#define CR_REGISTER GENMASK(11, 8)
enum vmx_cr_access { CR_MOV_TO, CR_MOV_FROM, CR_CLTS, CR_LMSW };

/* Of VMX_EXIT_IO, table 27-5. */
#define IO_SIZE_LESS_1 GENMASK(2, 0)
#define IO_IN BIT(3)
#define IO_STRING BIT(4)
#define IO_PORT GENMASK(31, 16)

/* Of VMX_EXIT_APIC_ACCESS, table 27-6; VMX_EXIT_APIC_WRITE has the offset alone. */
#define APIC_OFFSET GENMASK(11, 0)
#define APIC_ACCESS_TYPE GENMASK(15, 12)
enum vmx_apic_access {
    APIC_READ,
    APIC_WRITE,
    APIC_FETCH,
    APIC_DELIVERY,           /* of an event, reading or writing */
    APIC_DELIVERY_WALK = 10, /* by a guest-physical address, as the next */
    APIC_WALK = 15,
};

/* Of VMX_EXIT_EPT_VIOLATION, table 27-7. */
#define EPT_WRITES BIT(1)
#define EPT_FETCHES BIT(2)
#define EPT_ALLOWS GENMASK(5, 3)
#define EPT_LINEAR_VALID BIT(7)
#define EPT_TRANSLATED BIT(8) /* with the bit before: not an access to the guest's page tables */
#define EPT_NMI_UNBLOCKED BIT(12)

#endif
