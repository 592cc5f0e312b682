/* SPDX-License-Identifier: BSD-2-Clause */
/* The VMX backend without the hardware: a VMCS that is an array, and one vCPU. Include once. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include <arch/lapic.h>

#include "arch/x86/cpuid.h"
#include "arch/x86/emulate/mmio.h"
#include "arch/x86/vmx/vmx.h"
#include "arch/x86/x86.h"

#define RIP 0x1000u
#define LENGTH 3u
#define WOUND 1234u
#define IRQ_EVENT(vector) (EVENT_VALID | (vector))
#define NMI_EVENT (EVENT_VALID | 2u << 8 | 2)
#define EXCEPTION_EVENT(vector) (EVENT_VALID | 3u << 8 | (vector))
#define CODE_64_RIGHTS 0xa09b
#define CR_INFO(number, access, reg) ((number) | (access) << 4 | (uint64_t)(reg) << 8)

uint64_t fake_vmcs[FAKE_VMCS_FIELDS];
uint64_t fake_dr6;
unsigned fake_nmis;

struct vmx_capability vmx_cpu;

static uint32_t apic_registers[PAGE_SIZE / sizeof(uint32_t)] __attribute__((aligned(4096)));
static struct hv_vcpu vcpu;
static struct vm_exit vm_exit;
static uint64_t forgotten; /* where accesses are no longer recalled */
static uint8_t recorded;
static uint64_t pdpte[4];
static status_t pdpte_status;

const struct x86_guest_ops *x86_guest = &vmx_guest_ops;

/* --- what guest.c, mmio.c and interrupts.c do --- */

uint64_t x86_guest_next(const struct hv_vcpu *which, unsigned length)
{
    (void)which;
    return (uint32_t)(fake_vmcs[VMCS_GUEST_RIP] + length);
}

status_t x86_guest_read(struct hv_vcpu *which, gpa_t address, void *to, size_t bytes)
{
    (void)which;
    assert_int_equal(address.raw, 0x2020);
    assert_int_equal(bytes, sizeof(pdpte));
    if (pdpte_status == OK)
        memcpy(to, pdpte, bytes);
    return pdpte_status;
}

bool x86_mmio_recall(struct hv_vcpu *which, uint64_t rip, uint64_t cr3, struct vm_exit *exit)
{
    (void)which;
    (void)cr3;
    (void)exit;
    assert_int_equal(rip, RIP);
    return true;
}

void x86_irq_record(uint8_t vector)
{
    recorded = vector;
}

static bool x2apic_allowed;

void vmx_allow_msrs(bool x2apic)
{
    x2apic_allowed = x2apic;
}

paddr_t x86_image_to_phys(const void *in_image)
{
    return paddr((uintptr_t)in_image);
}

void vmx_wind_timer(void)
{
    fake_vmcs[VMCS_PREEMPTION_TIMER] = WOUND;
}

void x86_mmio_forget(struct hv_vcpu *which, uint64_t rip)
{
    (void)which;
    forgotten = rip;
}

static inline int set_up(void **state)
{
    (void)state;
    forgotten = 0;
    memset(&vmx_cpu, 0, sizeof(vmx_cpu)); /* nothing that is optional */
    memset(&vcpu, 0, sizeof(vcpu));
    memset(fake_vmcs, 0, sizeof(fake_vmcs));
    memset(pdpte, 0, sizeof(pdpte));
    pdpte_status = OK;
    fake_dr6 = 0xffff0ff0;
    fake_nmis = 0;
    vcpu.loaded = true;
    vcpu.apic_registers = apic_registers;
    fake_vmcs[VMCS_GUEST_RIP] = RIP;
    fake_vmcs[VMCS_GUEST_RFLAGS] = RFLAGS_FIXED;
    fake_vmcs[VMCS_INSTRUCTION_LENGTH] = LENGTH;
    x86_features.cr4 = CR4_PAE | CR4_PGE | CR4_MCE | CR4_PCIDE;
    x86_features.physical_bits = 40;
    x86_features.xcr0 = 3;
    vmx_guest_ops.set(&vcpu, REG_CR0, CR0_PE | CR0_ET);
    vmx_guest_ops.set(&vcpu, REG_CR4, 0);
    vcpu.pending = 0;
    return 0;
}

static inline bool leave(uint64_t reason, uint64_t qualification)
{
    fake_vmcs[VMCS_EXIT_REASON] = reason;
    fake_vmcs[VMCS_QUALIFICATION] = qualification;
    vm_exit.reason = VM_EXIT_REASONS;
    return vmx_handle_exit(&vcpu, &vm_exit);
}

/* An entry as the hardware does it: the event is taken, and an NMI blocks others. */
static inline uint64_t enter(void)
{
    uint64_t event;

    if (vcpu.event | vcpu.pending)
        vmx_prepare_event(&vcpu);
    event = fake_vmcs[VMCS_ENTRY_EVENT];
    if (event == NMI_EVENT)
        fake_vmcs[VMCS_INTERRUPTIBILITY] |= BLOCKED_BY_NMI;
    fake_vmcs[VMCS_ENTRY_EVENT] = 0;
    fake_vmcs[VMCS_INTERRUPTED_EVENT] = 0;
    return event;
}

static inline void use_long_mode(void)
{
    vmx_guest_ops.set(&vcpu, REG_EFER, EFER_LME | EFER_LMA);
    fake_vmcs[VMCS_GUEST_CS_RIGHTS] = CODE_64_RIGHTS;
}
