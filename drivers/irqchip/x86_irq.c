/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A PC's interrupts: local APICs and I/O APICs behind kernel/irq.h. Interrupt numbers are
 * vectors (<arch/vectors.h>). The 8259s are masked and moved out of the exceptions' way.
 */

#include <arch/io.h>
#include <arch/lapic.h>
#include <arch/start.h>
#include <arch/vectors.h>

#include "arch/bits.h"
#include "drivers/irqchip/ioapic.h"
#include "drivers/irqchip/irqchip.h"
#include "kernel/hypspace.h"
#include "kernel/irq.h"
#include "kernel/panic.h"
#include "kernel/percpu.h"

#define PIC_MASTER 0x20
#define PIC_SLAVE 0xa0
#define PIC_VECTORS 0x20 /* where the IDT ignores them */
#define ICW1_START 0x11  /* edge, cascade, ICW4 comes */
#define ICW4_8086 0x01

static struct host_gsi wires[VECTOR_GSI_COUNT];

static void emergency_stacks(void)
{
    for (unsigned i = 0; i < EMERGENCIES; i++) {
        void *const top = hyp_alloc_stack();

        if (top == NULL)
            panic("no memory for a CPU's emergency stacks");
        x86_set_emergency_stack((enum x86_emergency)i, top);
    }
}

static void x86_irq_cpu_init(void)
{
    emergency_stacks();
    lapic_cpu_init();
    x86_timer_cpu_init();
}

static uint32_t x86_irq_ack(void)
{
    const uint32_t vector = x86_irq_take();

    if (vector == 0)
        return IRQ_NONE;
    lapic_eoi(); /* of the highest in service, and so of this one */
    return vector;
}

/* There is no state between the end of an interrupt and the next. */
static void x86_irq_nothing(uint32_t irq)
{
    (void)irq;
}

static bool is_wire(uint32_t irq)
{
    return irq - VECTOR_GSI_BASE < VECTOR_GSI_COUNT;
}

/* How a wire is wired the firmware told; the local APIC's own are always enabled. */
static void x86_irq_enable(uint32_t irq, bool edge)
{
    (void)edge;
    if (is_wire(irq))
        ioapic_route(&wires[irq - VECTOR_GSI_BASE], (uint8_t)irq, (uint32_t)cpu_of(0)->hwid);
}

static void x86_irq_disable(uint32_t irq)
{
    if (is_wire(irq))
        ioapic_mask(irq - VECTOR_GSI_BASE);
}

static void x86_irq_send_ipi(unsigned cpu)
{
    lapic_send((uint32_t)cpu_of(cpu)->hwid, VECTOR_KICK);
}

static struct irqchip x86_irq = {
    .name = "xAPIC",
    .cpu_init = x86_irq_cpu_init,
    .ack = x86_irq_ack,
    .deactivate = x86_irq_nothing,
    .activate = x86_irq_nothing,
    .enable = x86_irq_enable,
    .disable = x86_irq_disable,
    .send_ipi = x86_irq_send_ipi,
    .ipi = VECTOR_KICK,
};

/* 8259A data sheet: initialized, so that a spurious interrupt of theirs is no exception. */
static void silence_pic(uint16_t port, uint8_t vectors, uint8_t cascade)
{
    port_write8(port, ICW1_START);
    port_write8(port + 1, vectors);
    port_write8(port + 1, cascade);
    port_write8(port + 1, ICW4_8086);
    port_write8(port + 1, 0xff);
}

static void note_wires(const struct host_pc *pc)
{
    for (uint32_t gsi = 0; gsi < VECTOR_GSI_COUNT; gsi++) /* PCI's way, for all but ISA's */
        wires[gsi] = (struct host_gsi){ .gsi = gsi, .level = true, .active_low = true };
    for (unsigned i = 0; i < HOST_ISA_IRQS; i++) {
        if (pc->isa[i].gsi < VECTOR_GSI_COUNT)
            wires[pc->isa[i].gsi] = pc->isa[i];
    }
}

status_t irqchip_init(const struct host_info *host, const char **why)
{
    const struct host_pc *const pc = &host->pc;
    void *lapic = NULL;

    *why = "no memory to map the interrupt controllers' registers";
    if (pc->lapic.bytes != 0 && (lapic = hyp_map_device(pc->lapic.base, pc->lapic.bytes)) == NULL)
        return ERR_NO_MEMORY;
    if (ioapic_init(pc) != OK)
        return ERR_NO_MEMORY;
    *why = "the CPU has no local APIC, or the firmware turned it off";
    if (!lapic_init(lapic))
        return ERR_UNSUPPORTED;
    if (pc->has_pics) {
        silence_pic(PIC_MASTER, PIC_VECTORS, 1 << 2);
        silence_pic(PIC_SLAVE, PIC_VECTORS + 8, 2);
    }
    note_wires(pc);
    if (lapic_is_x2())
        x86_irq.name = "x2APIC";
    irq_set_chip(&x86_irq);
    lapic_cpu_init();
    x86_timer_calibrate(pc->pm_timer);
    return OK;
}
