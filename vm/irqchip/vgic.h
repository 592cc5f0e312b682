/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The GIC that a guest sees: GICv3 or GICv2, whichever the host has, with one security state.
 *
 *     line, edge, SGI --> bank (pending, enabled, active, ...) --> list register --> guest
 *                           ^                                          |
 *                           +------------- fold: what became of it ----+
 *
 * An interrupt's state is in a bank of 32: SGIs and PPIs in each vCPU's, SPIs in the VM's.
 * While it is in a list register of a loaded vCPU (`listed`), that register tells whether it
 * is active, and whether what was latched has been taken. Folding brings it back into the bank. A
 * vCPU that is not loaded has nothing listed.
 *
 * Locks: a vCPU's `lock` (its bank, and what is listed for it) comes before the VM's `lock`
 * (SPIs, GICD_CTLR); never two vCPUs' at once. List registers are touched only by the CPU
 * that they are in. Devices' locks come before both, the scheduler's and timers' after.
 */
#pragma once

#include <arch/gich.h>
#include <arch/vtimer.h>

#include "arch/bits.h"
#include "kernel/percpu.h"
#include "vm/vm.h"

#define VGIC_SGIS 16
#define VGIC_PRIVATE 32 /* SGIs and PPIs */
#define VGIC_SPIS 256
#define VGIC_INTIDS (VGIC_PRIVATE + VGIC_SPIS)
#define VGIC_SPI_BANKS (VGIC_SPIS / 32)
#define VGIC_MAX_V2_CPUS 8

/* Where a guest finds its frames. */
#define VGIC_GICD_BASE 0x08000000u
#define VGIC_GICD_BYTES 0x10000u
#define VGIC_GICC_BASE 0x08010000u /* version 2 */
#define VGIC_GICC_BYTES 0x2000u
#define VGIC_GICR_BASE 0x080a0000u /* version 3 */
#define VGIC_GICR_BYTES 0x20000u   /* for each vCPU */

#define VGIC_PRIORITY_MASK 0xf8u /* five bits of priority, as list registers have at least */
#define VGIC_NO_CPU 0xffu

/* Interrupts that the host's distributor holds active on the guest's behalf. */
#define VGIC_TIMERS (1u << VTIMER_IRQ | 1u << PTIMER_IRQ)

#define GICD_CTLR_GRP0 BIT(0)
#define GICD_CTLR_GRP1 BIT(1)

/* A bit for each of 32 interrupts. */
struct vgic_bank {
    uint32_t enabled;
    uint32_t group1;
    uint32_t edge;  /* configured edge-triggered */
    uint32_t line;  /* level of the input */
    uint32_t latch; /* an edge, an SGI, or a write made it pending */
    uint32_t active;
    uint32_t listed; /* in a list register */
    uint32_t moved;  /* listed, and its latch went there too */
    uint32_t forced; /* listed, but `active` was written meanwhile and holds */
    uint8_t priority[32];
};

struct vgic_spis {
    struct vgic_bank bank;
    uint32_t affinity[32]; /* IROUTER's Aff2.Aff1.Aff0, or the byte of ITARGETSR */
    uint8_t route[32];     /* vCPU that this means; VGIC_NO_CPU: none */
    uint8_t owner[32];     /* vCPU that has it listed or active */
};

struct vtimer {
    struct vtimer_regs regs; /* while not loaded */
    struct timer wake;       /* at the earlier deadline, while not loaded */
    unsigned expected;       /* expiries of it that are armed or on their way */
};

/* A vCPU's interface, and its redistributor. */
struct virqchip_cpu {
    spinlock_t lock;
    struct virqchip *gic;
    struct vcpu *vcpu;
    unsigned id;
    bool loaded;
    bool overflow;      /* not everything that should be listed is */
    uint16_t used;      /* list registers written, whether or not still in use */
    uint16_t spi_lrs;   /* of those, with an SPI */
    uint32_t hcr;       /* as last written */
    uint32_t hw;        /* private interrupts active at the host's distributor for us */
    uint32_t spi_words; /* SPI banks that may have something for us; under the VM's lock */
    struct vgic_bank bank;
    uint8_t lr_of[VGIC_PRIVATE];     /* of a listed private interrupt */
    uint32_t ready;                  /* listed ones that may be made pending there once more … */
    uint64_t lr_ready[VGIC_PRIVATE]; /* … by this value */
    uint16_t lr_intid[GICH_MAX_LRS];
    uint8_t sgi_sources[VGIC_SGIS]; /* version 2: senders of a pending SGI, a bit each */
    uint8_t sgi_active[VGIC_SGIS];  /* version 2: sender of an active one */
    uint32_t waker;                 /* GICR_WAKER */
    struct gich_state interface;    /* while not loaded */
    struct vtimer timer;
};

struct vgic_frame; /* vgic_regs.h */

struct virqchip {
    struct vdev dev;
    spinlock_t lock;
    struct vm *vm;
    const struct vgic_frame *distributor; /* its registers */
    unsigned version;
    unsigned cpus;
    uint32_t typer;   /* GICD_TYPER */
    uint32_t ctlr;    /* GICD_CTLR: group enables */
    uint64_t cntvoff; /* the guest's virtual counter is this much behind the host's */
    struct vgic_spis spi[VGIC_SPI_BANKS];
    struct virqchip_cpu cpu[];
};

/* Version that this host's guests get, 2 or 3, once the host's driver is up. */
unsigned vgic_version(void);

/* The vCPU's virtual counter reads `count` now. Not loaded, nor any other of its VM. */
void vtimer_set_count(struct virqchip *gic, uint64_t count);

/*
 * For the files of this folder.
 */

/* vgic_irq.c: the state of interrupts, and whom a change of it concerns. */

/* `intid` is below VGIC_INTIDS. */
static inline struct vgic_bank *vgic_bank(struct virqchip_cpu *cpu, unsigned intid)
{
    return intid < VGIC_PRIVATE ? &cpu->bank : &cpu->gic->spi[intid / 32 - 1].bank;
}

static inline uint32_t vgic_pending(const struct vgic_bank *bank)
{
    return bank->latch | (bank->line & ~bank->edge);
}

/* Which of the bank's interrupts the distributor would let pass, were they pending. */
static inline uint32_t vgic_forward(const struct virqchip *gic, const struct vgic_bank *bank)
{
    uint32_t ctlr = __atomic_load_n(&gic->ctlr, __ATOMIC_RELAXED);
    uint32_t group0 = 0u - (ctlr & 1);
    uint32_t group1 = 0u - (ctlr >> 1 & 1);

    return bank->enabled & ((bank->group1 & group1) | (~bank->group1 & group0));
}

/* SPIs changed, bits of the bank from INTID `first` on: whoever has them listed, or should,
 * looks again. The VM's lock is held. */
void vgic_spis_changed(struct virqchip *gic, unsigned first, uint32_t changed);

/* Every vCPU looks at everything again. The VM's lock is held. */
void vgic_all_changed(struct virqchip *gic);

/* An edge of an SPI, or a level; takes the VM's lock. */
void vgic_pulse_spi(struct virqchip *gic, unsigned intid);
void vgic_set_line(void *gic, uint32_t intid, bool level);

/* An edge of a private interrupt, an SGI's from vCPU `source`; takes the vCPU's lock. */
void vgic_pulse_private(struct virqchip_cpu *cpu, unsigned intid, unsigned source);

/* After `affinity` changed: `route` anew. The VM's lock is held. */
void vgic_route_spi(struct virqchip *gic, unsigned intid);

/* vgicd.c: GICD_TYPER of such a GIC. */
uint32_t vgicd_typer(unsigned version, unsigned cpus);

/* vgic_sgi.c: GICD_SGIR was written, in version 2. No lock is held. */
void vgic_write_sgir(struct virqchip_cpu *sender, uint32_t value);

static inline void vgic_count_injected(struct virqchip_cpu *cpu)
{
    __atomic_fetch_add(&cpu->vcpu->stats.injected, 1, __ATOMIC_RELAXED);
}

/*
 * vgic_lr.c: list registers. But for the first, the vCPU's lock is held, and the vCPU is
 * loaded on the calling CPU.
 */

/* The interface that is loaded on the calling CPU; NULL: none. */
extern struct virqchip_cpu *vgic_loaded_on[MAX_CPUS];

static inline struct virqchip_cpu *vgic_loaded(void)
{
    return vgic_loaded_on[this_cpu()->id];
}

/* The interface gets this CPU's list registers, and gives them back. */
void vgic_load(struct virqchip_cpu *cpu);
void vgic_put(struct virqchip_cpu *cpu);

/* Everything listed returns to its bank; list registers are empty. Needs a sync afterwards. */
void vgic_fold(struct virqchip_cpu *cpu);

/* Folds, then lists what there is, by priority. */
void vgic_sync(struct virqchip_cpu *cpu);

/* Of a list register with an interrupt that is active at the host's distributor for the guest.
 * Where the guest's end of it cannot end it there (gich.hw_end), it is told to us. */
static inline uint64_t vgic_hw_bits(unsigned intid)
{
    return gich.hw_end ? LR_HW | FIELD_PREP(LR_PINTID, intid) : LR_EOI;
}

/*
 * Makes a private interrupt pending in a list register at once, `bits` (vgic_hw_bits, or 0)
 * added, if that can be done without looking at others. False: nothing changed.
 */
bool vgic_list_now(struct virqchip_cpu *cpu, unsigned intid, uint64_t bits);

/* The same as often as possible: for one that was listed so before, and is over. */
static inline bool vgic_list_again(struct virqchip_cpu *cpu, unsigned intid)
{
    return (cpu->ready >> intid & 1) && gich.ops->reuse_lr(cpu->lr_of[intid], cpu->lr_ready[intid]);
}

/* vgic_rank.c: the same locks, and the VM's when there are `spi_words` to look at. */

/* A candidate: priority, then active before pending, then INTID; the lowest goes first. */
#define VGIC_KEY_PRIORITY GENMASK(23, 16)
#define VGIC_KEY_PENDING BIT(15) /* pending and not active */
#define VGIC_KEY_INTID GENMASK(9, 0)
#define VGIC_KEY_NONE UINT32_MAX

struct vgic_ranking {
    uint32_t best[GICH_MAX_LRS]; /* keys, sorted */
    unsigned count;
    unsigned pending, active; /* of all candidates, also those that are not among the best */
    uint32_t best_pending;
    uint32_t words;    /* SPI banks with candidates */
    uint32_t withheld; /* HCR_GRP<n>EIE: something waits for a group that the guest disabled */
};

/* Ranks what is not listed and pending or active for this vCPU: the best `gich.lrs` of it. */
void vgic_rank(struct virqchip_cpu *cpu, uint32_t spi_words, struct vgic_ranking *ranking);

/* The guest ended `count` active interrupts that are not listed. */
void vgic_end_unlisted(struct virqchip_cpu *cpu, uint32_t spi_words, unsigned count);

/* Of a bank's interrupts those that are this vCPU's: active SPIs by who has them, others by
 * their route. Bank 0 is its own, bank n has SPIs from 32 * n on. */
uint32_t vgic_only_mine(const struct virqchip_cpu *cpu, unsigned bank, uint32_t candidates);

/* vgic_signal.c: would the guest's interface signal an interrupt? The vCPU's lock is held, and
 * it is loaded here or nowhere. Takes the VM's lock if need be. */
bool vgic_signals(struct virqchip_cpu *cpu);

/* vtimer.c. With the vCPU's lock held: */
void vtimer_load(struct virqchip_cpu *cpu);
void vtimer_put(struct virqchip_cpu *cpu);
void vtimer_reset(struct virqchip_cpu *cpu);
void vtimer_restored(struct virqchip_cpu *cpu); /* regs are new */
/* Without: */
void vtimer_init(struct virqchip_cpu *cpu);
void vtimer_drain(struct virqchip_cpu *cpu); /* off, and no expiry is on its way */
status_t vtimer_host_init(void);
void vtimer_cpu_init(void);

/* The distributor's and redistributors' registers (vgic_regs.c). `range` 0 is the
 * distributor, 1 the redistributors. */
const struct vgic_frame *vgic_distributor(unsigned version);
uint64_t vgic_read(struct vdev *dev, struct vdev_access access);
void vgic_write(struct vdev *dev, struct vdev_access access, uint64_t value);

/* Snapshot (vgic_save.c). */
void vgic_save(const struct vdev *dev, struct state_writer *out);
status_t vgic_restore(struct vdev *dev, struct state_reader *in);
