/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of this architecture share among themselves.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "arch/hv.h"

struct hv_vcpu;

/* What arch_cpu_start hands to secondary_entry, in memory that is read with the MMU off. */
struct cpu_start {
    uint64_t root; /* TTBR0_EL2 */
    uint64_t percpu;
    uint64_t stack_top;
    uint64_t main;
};

/* start.S */
extern uint64_t boot_l1_dm[512];
extern uint64_t boot_l2_dm[][512];
extern char secondary_entry[];
_Noreturn void arm64_boot(uint64_t fdt, uint64_t image);

/* boot.c: host-physical address of something in this image. */
uint64_t arm64_image_to_phys(const void *in_image);

/* cpu.c: SMCCC call to the firmware. */
uint64_t arm64_smc(uint64_t function, uint64_t a1, uint64_t a2, uint64_t a3);

/* vectors.S: runs the guest, again and again, until one of the next three says false. */
void arm64_run(struct hv_vcpu *vcpu, struct vm_exit *exit, hv_answer answer);

/*
 * exit.c: how a guest was left; by exception class, with ESR_EL2, which is in vcpu->esr, too.
 * Each answers by itself, or fills in `exit` for `answer`; true: back into the guest.
 */
typedef bool (*arm64_exit)(struct hv_vcpu *vcpu, struct vm_exit *exit, hv_answer answer,
                           uint64_t esr);
extern const arm64_exit arm64_exits[64];
bool arm64_exit_irq(struct hv_vcpu *vcpu, struct vm_exit *exit, hv_answer answer);
bool arm64_exit_serror(struct hv_vcpu *vcpu, struct vm_exit *exit, hv_answer answer);

/* fp.S */
void arm64_fp_save(void *fp);
void arm64_fp_restore(const void *fp);

/*
 * exit.c: guest virtual to guest physical with the guest's own tables (AT), as EL0 or EL1,
 * whichever it was in. ERR_NOT_FOUND: it faults.
 */
status_t arm64_translate(struct hv_vcpu *vcpu, uint64_t gva, uint8_t access, gpa_t *out);

/* report.c */
_Noreturn void arm64_own_exception(unsigned kind, uint64_t esr, uint64_t elr, uint64_t far);
void arm64_describe(const struct hv_vcpu *vcpu, hv_print print, void *context);
