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

/* How a guest was left; the value that the vector gives to hv_enter's caller. */
enum arm64_exit { ARM64_EXIT_SYNC, ARM64_EXIT_IRQ, ARM64_EXIT_SERROR };

/* start.S */
extern uint64_t boot_l1_dm[512];
extern uint64_t boot_l2_dm[][512];
extern char secondary_entry[];
_Noreturn void arm64_boot(uint64_t fdt, uint64_t image);

/* boot.c: host-physical address of something in this image. */
uint64_t arm64_image_to_phys(const void *in_image);

/* cpu.c: SMCCC call to the firmware. */
uint64_t arm64_smc(uint64_t function, uint64_t a1, uint64_t a2, uint64_t a3);

/* vectors.S: runs the guest until it is left; ESR_EL2 is then in vcpu->esr. */
enum arm64_exit arm64_enter(struct hv_vcpu *vcpu);

/* fp.S */
void arm64_fp_save(void *fp);
void arm64_fp_restore(const void *fp);

/* exit.c: true when vm/ has to deal with it and `exit` says how. */
bool arm64_handle_exit(struct hv_vcpu *vcpu, enum arm64_exit kind, struct vm_exit *exit);

/*
 * exit.c: guest virtual to guest physical with the guest's own tables (AT), as EL0 or EL1,
 * whichever it was in. ERR_NOT_FOUND: it faults.
 */
status_t arm64_translate(struct hv_vcpu *vcpu, uint64_t gva, uint8_t access, gpa_t *out);

/* report.c */
_Noreturn void arm64_own_exception(unsigned kind, uint64_t esr, uint64_t elr, uint64_t far);
void arm64_describe(const struct hv_vcpu *vcpu, hv_print print, void *context);
