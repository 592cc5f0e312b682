/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The GIC's hypervisor control interface: the list registers through which a guest's CPU
 * interface gets its interrupts, and what goes with them. GICv3 has it in system registers
 * (GIC architecture specification 12.4), GICv2 in memory (GICv2 specification 5.3).
 *
 * Both look like GICv3 here; the fields of HCR and VMCR are the same in both anyway:
 *
 *     LR   63 active  62 pending  61 HW  60 group 1  55..48 priority
 *          44..32 pINTID (HW)  41 EOI (no HW)  12..10 source CPU (GICv2's SGIs)  9..0 vINTID
 */
#pragma once

#include "arch/addr.h"
#include "arch/bits.h"

#define GICH_MAX_LRS 16

#define LR_ACTIVE BIT(63)
#define LR_PENDING BIT(62)
#define LR_STATE (LR_ACTIVE | LR_PENDING)
#define LR_HW BIT(61) /* deactivation by the guest deactivates pINTID at the host's distributor */
#define LR_GROUP1 BIT(60)
#define LR_PRIORITY GENMASK(55, 48)
#define LR_PINTID GENMASK(44, 32)
#define LR_EOI BIT(41) /* without HW: maintenance interrupt once it is deactivated */
#define LR_SOURCE GENMASK(12, 10)
#define LR_VINTID GENMASK(9, 0)

#define HCR_EN BIT(0)
#define HCR_UIE BIT(1)     /* maintenance interrupt: at most one list register is in use */
#define HCR_LRENPIE BIT(2) /* EOICOUNT is not 0 */
#define HCR_NPIE BIT(3)    /* no list register is pending */
#define HCR_GRP0EIE BIT(4) /* the guest has group 0 enabled at its CPU interface */
#define HCR_GRP1EIE BIT(6)
#define HCR_EOICOUNT GENMASK(31, 27) /* deactivations of what is in no list register */

#define VMCR_ENG0 BIT(0)
#define VMCR_ENG1 BIT(1)
#define VMCR_FIQEN BIT(3)
#define VMCR_PMR GENMASK(31, 24) /* five bits of it, the upper, in GICv2 */

/* What of a guest's CPU interface is not in list registers. */
struct gich_state {
    uint32_t vmcr;
    uint32_t ap0r[4], ap1r[4]; /* active priorities; GICv2 has ap0r[0] alone */
};

struct gich_ops {
    void (*cpu_init)(void); /* on each CPU: nothing in use, disabled */
    uint64_t (*read_lr)(unsigned n);
    void (*write_lr)(unsigned n, uint64_t lr);
    bool (*reuse_lr)(unsigned n, uint64_t lr); /* writes if it is neither pending nor active */
    uint32_t (*read_hcr)(void);
    void (*write_hcr)(uint32_t hcr);
    uint32_t (*read_vmcr)(void);
    void (*load)(const struct gich_state *state);
    void (*save)(struct gich_state *state);
};

/* The machine's, constant once the host's driver is up. */
struct gich {
    const struct gich_ops *ops;
    unsigned version;      /* of the GIC that guests get: 2 or 3; 0: none yet */
    unsigned lrs;          /* list registers, at most GICH_MAX_LRS */
    unsigned ap_registers; /* active-priority registers of a group in use: 1, 2 or 4 */
    bool hw_end; /* the guest's end of an interrupt with LR_HW ends it at the host, as it should */
    uint32_t maintenance_irq; /* INTID */
    paddr_t gicv;             /* version 2: the CPU interface for guests, two pages */
};

extern struct gich gich;

void gich_v3_init(uint32_t maintenance_irq);

/* `regs`: GICH, mapped. */
void gich_v2_init(void *regs, paddr_t gicv, uint32_t maintenance_irq);
