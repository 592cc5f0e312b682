/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A machine for the GIC's tests: one VM, each vCPU on the CPU of the same number, loaded or
 * not. Between a guest's acts, `settle` does what the run loop and the host's interrupts do;
 * it fails the test if that does not come to an end.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arch/gich.h>
#include <arch/ipi.h>
#include <arch/vtimer.h>

#include "arch/fake/fake.h"
#include "vm/irqchip/irqchip.h"
#include "vm/irqchip/vgic.h"

#define MACHINE_CPUS 4

extern struct vm vm;
extern unsigned maintenance_count; /* maintenance interrupts taken */
extern bool physical_active[MACHINE_CPUS][32];

/* A VM whose vCPUs are loaded, all groups enabled everywhere, priorities unmasked. */
void machine_start(unsigned version, unsigned lrs, unsigned cpus);
/* Only made: nothing loaded, nothing enabled. */
void machine_create(unsigned version, unsigned lrs, unsigned cpus);
void machine_stop(void);

/* A test's setup: four list registers, two CPUs. Its teardown: the invariants hold. */
int machine_setup_v3(void **state);
int machine_setup_v2(void **state);
int machine_teardown(void **state);

void load(unsigned cpu);
void put(unsigned cpu);

/* Calls and guest acts are for this CPU from here on. */
void on(unsigned cpu);

/* On every CPU: requests, host interrupts, until nothing is left. Ends on the same CPU. */
void settle(void);

/* The counter moves; timers fire; then settle. */
void counter_to(uint64_t ticks);

/* Registers of the distributor and of `cpu`'s redistributor; then settles. */
uint64_t gicd_read(uint32_t offset, unsigned size);
void gicd_write(uint32_t offset, unsigned size, uint64_t value);
uint64_t gicr_read(unsigned cpu, uint32_t offset, unsigned size);
void gicr_write(unsigned cpu, uint32_t offset, unsigned size, uint64_t value);

/* The guest on the selected CPU: acknowledges, ends; then settles. */
uint32_t ack(void);
void eoi(uint32_t iar);
void dir(uint32_t iar);

/* Enables an interrupt in group 1 with a priority; an SPI goes to vCPU `target`. */
void enable(uint32_t intid, uint8_t priority, unsigned target);
void set_line(uint32_t intid, bool level);
void inject(uint32_t intid); /* an edge; private ones to the selected CPU's vCPU */
#define SGI(intid, targets) ((uint64_t)(intid) << 24 | (targets)) /* as ICC_SGI1R_EL1 has it */
void send_sgi1r(uint64_t value);
bool spi_active(uint32_t intid);
bool spi_pending(uint32_t intid);
bool requested(unsigned cpu);
struct virqchip_cpu *interface_of(unsigned cpu);

/* vgic_invariants.c: what must hold after any settle, whatever the guest did. */
void check_invariants(void);

enum { SGI_FRAME = 0x10000 };
enum {
    IGROUPR = 0x080,
    ISENABLER = 0x100,
    ICENABLER = 0x180,
    ISPENDR = 0x200,
    ICPENDR = 0x280,
    ISACTIVER = 0x300,
    ICACTIVER = 0x380,
    IPRIORITYR = 0x400,
    ITARGETSR = 0x800,
    ICFGR = 0xc00,
    IROUTER = 0x6000,
};
