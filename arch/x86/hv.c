/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which backend this machine has, and what both do alike when a vCPU is reset.
 */
#include "arch/hv.h"

#include "arch/image.h"
#include "arch/mem.h"
#include "arch/x86/backend.h"
#include "arch/x86/cpuid.h"
#include "arch/x86/msr.h"
#include "arch/x86/switch.h"
#include "arch/x86/x86.h"

/* Segment attributes, as in struct x86_segment_state: accessed, present. */
#define CODE_16 0x009b
#define DATA_16 0x0093
#define CODE_32 0x0c9b
#define DATA_32 0x0c93
#define CODE_64 0x0a9b
#define TSS_BUSY 0x008b
#define LDT 0x0082
#define LIMIT_64K 0xffff
#define LIMIT_4G 0xffffffff

/* What loaders of the 64-bit boot protocol have in their GDT. */
#define SELECTOR_FLAT_CODE 0x10
#define SELECTOR_FLAT_DATA 0x18

static const struct x86_backend *const backends[] = { &svm_backend, &vmx_backend };

const struct hv_ops *hv SEALED;

uint8_t x86_all_ports[3 * PAGE_SIZE] __attribute__((aligned(4096)));

status_t arch_hv_select(const char **why)
{
    *why = "this CPU has neither VMX nor SVM, or whoever emulates it hides them";
    for (size_t i = 0; i < ARRAY_SIZE(backends); i++) {
        const struct x86_backend *backend = backends[i];

        if (!backend->present())
            continue;
        x86_cpuid_init();
        if (backend->ops->probe(why) != OK)
            return ERR_UNSUPPORTED;
        asm_block_fill(x86_all_ports, UINT64_MAX, sizeof(x86_all_ports));
        x86_guest = backend->guest;
        arch_guest_format = backend->format();
        hv = backend->ops;
        return OK;
    }
    return ERR_UNSUPPORTED;
}

/* --- reset --- */

struct mode {
    uint64_t cr0, cr4, efer;
    uint32_t limit;
    uint16_t code, data;
    uint16_t code_selector, data_selector;
};

/* Caching is on and memory types are set, as a PC's firmware leaves them. */
static const struct mode real_mode = { CR0_ET, 0, 0, LIMIT_64K, CODE_16, DATA_16, 0, 0 };
static const struct mode modes[] = {
    [HV_MODE_PROTECTED] = { CR0_PE | CR0_ET, 0, 0, LIMIT_4G, CODE_32, DATA_32, SELECTOR_FLAT_CODE,
                            SELECTOR_FLAT_DATA },
    [HV_MODE_LONG] = { CR0_PE | CR0_ET | CR0_NE | CR0_PG, CR4_PAE, EFER_LME | EFER_LMA, LIMIT_4G,
                       CODE_64, DATA_32, SELECTOR_FLAT_CODE, SELECTOR_FLAT_DATA },
};

void x86_vcpu_reset(struct hv_vcpu *vcpu, const struct hv_reset *reset)
{
    static const enum x86_gpr arguments[] = { GPR_RAX, GPR_RBX, GPR_RSI, GPR_RDI };

    __builtin_memset(vcpu->gpr, 0, sizeof(vcpu->gpr));
    vcpu->gpr[GPR_RDX] = x86_features.signature;
    for (size_t i = 0; i < ARRAY_SIZE(arguments); i++)
        vcpu->gpr[arguments[i]] = reset->arg[i];
    vcpu->cr2 = 0;
    vcpu->id = reset->id;
    vcpu->cpus = MAX(reset->cpus, 1);
    vcpu->tsc_offset -= vcpu->msrs.tsc_adjust; /* all of a VM's stay in step */
    vcpu->event = 0;
    vcpu->pending = 0;
    vcpu->nmi_blocked = false;
    vcpu->apic = HV_APIC_PAGE;
    __builtin_memset(vcpu->plain_at, 0xff, sizeof(vcpu->plain_at));
    __builtin_memset(vcpu->known, 0, sizeof(vcpu->known));
}

static void reset_segments(struct hv_vcpu *vcpu, const struct mode *mode, uint64_t base)
{
    const struct x86_segment_state code = {
        .base = base,
        .limit = mode->limit,
        .selector = mode == &real_mode ? (uint16_t)(base >> 4) : mode->code_selector,
        .attributes = mode->code,
    };
    const struct x86_segment_state data = {
        .limit = mode->limit,
        .selector = mode->data_selector,
        .attributes = mode->data,
    };
    const struct x86_segment_state task = { .limit = LIMIT_64K, .attributes = TSS_BUSY };
    const struct x86_segment_state ldt = { .limit = LIMIT_64K, .attributes = LDT };

    for (unsigned i = SEG_ES; i <= SEG_GS; i++)
        x86_guest->set_segment(vcpu, i, i == SEG_CS ? &code : &data);
    x86_guest->set_segment(vcpu, SEG_LDTR, &ldt);
    x86_guest->set_segment(vcpu, SEG_TR, &task);
}

static uint64_t code_base(const struct hv_reset *reset)
{
    switch (reset->mode) {
    case HV_MODE_RESET: return reset->entry & ~0xffffULL;
    case HV_MODE_STARTUP: return reset->entry;
    default: return 0;
    }
}

void x86_vcpu_reset_registers(struct hv_vcpu *vcpu, const struct hv_reset *reset)
{
    const bool real = reset->mode == HV_MODE_RESET || reset->mode == HV_MODE_STARTUP;
    const struct mode *mode = real ? &real_mode : &modes[reset->mode];
    const uint64_t base = code_base(reset);

    reset_segments(vcpu, mode, base);
    x86_guest->set(vcpu, REG_CPL, 0);
    x86_guest->set(vcpu, REG_EFER, mode->efer);
    x86_guest->set(vcpu, REG_CR4, mode->cr4);
    x86_guest->set(vcpu, REG_CR3, reset->mode == HV_MODE_LONG ? reset->cr3 : 0);
    x86_guest->set(vcpu, REG_CR0, mode->cr0);
    x86_guest->set(vcpu, REG_CR2, 0);
    x86_guest->set(vcpu, REG_RFLAGS, RFLAGS_FIXED);
    x86_guest->set(vcpu, REG_RSP, 0);
    x86_guest->set(vcpu, REG_RIP, reset->entry - base);
    x86_msr_reset(vcpu);
    x86_switch_reset(vcpu);
}
