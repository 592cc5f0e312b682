/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A PC for the interrupt controllers' tests: one VM whose vCPUs are each on the CPU of the same
 * number, and a guest CPU that takes interrupts while it wants them. Between a guest's acts,
 * `settle` does what the run loop does; it fails the test if that does not come to an end.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "arch/fake/fake.h"
#include "tests/unit/fake_timers.h"
#include "tests/unit/random.h"
#include "vm/irqchip/x86/pc_irqchip.h"

#define PC_CPUS 4
#define NOTHING (-1)

struct guest_cpu {
    bool interrupts; /* IF */
    bool window;     /* asked for */
    uint8_t watched; /* class that TPR is to fall below */
    int queued;      /* vector that the next entry delivers */
    unsigned nmis;
    unsigned faults;    /* #GP */
    bool finished;      /* the latest access was */
    uint64_t value;     /* of its read */
    unsigned requested; /* vcpu_request */
    unsigned turned_off, powered_on, skipped;
    struct hv_reset start;
};
extern struct guest_cpu guest[PC_CPUS];
extern struct vm vm;
extern bool covered;     /* the hardware answers in the local APICs' place */
extern unsigned vm_ends; /* calls of vm_end_by_guest, and the latest's reason */
extern enum vm_end vm_end_reason;

/* vCPUs with IF set, and local APICs as after power-on. */
void pc_start(unsigned cpus);
/* And with local APICs enabled by software. */
void pc_start_enabled(unsigned cpus);
void pc_stop(void);

void settle(void);
/* The vector that the vCPU takes next; NOTHING. */
int taken(unsigned cpu);
/* The counter moves in steps, each no further than the next timer, which then fires. */
void counter_to(uint64_t ticks);

/* A guest's accesses; all settle afterwards. */
uint64_t mmio_read(unsigned cpu, uint64_t address, unsigned size);
void mmio_write(unsigned cpu, uint64_t address, unsigned size, uint64_t value);
uint32_t apic_read(unsigned cpu, enum vlapic_reg reg);
void apic_write(unsigned cpu, enum vlapic_reg reg, uint32_t value);
void apic_eoi(unsigned cpu);
void icr(unsigned cpu, uint32_t destination, uint32_t low);
/* False: #GP. */
bool msr_read(unsigned cpu, uint32_t index, uint64_t *value);
bool msr_write(unsigned cpu, uint32_t index, uint64_t value);
uint8_t port_in(uint16_t port);
void port_out(uint16_t port, uint8_t value);
uint64_t entry_read(unsigned pin);
void entry_write(unsigned pin, uint64_t entry);
/* Both PICs as PCs have them: vectors 0x20 and 0x28, all unmasked. */
void pic_init(uint8_t icw4);
void gsi(uint32_t irq, bool level);

struct virqchip_cpu *lapic(unsigned cpu);
/* Devices of the VM, by name. */
struct vdev *device(const char *name);
void check_invariants(void);
