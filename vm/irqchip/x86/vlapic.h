/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The local APIC of a vCPU (SDM 3A chapter 11), reached through its page or x2APIC's MSRs.
 *
 *     IPI, IOAPIC, timer, LINT --> IRR --(above PPR)--> hv->inject_irq, ISR --EOI--> over
 *
 * Registers are read and written by the vCPU itself, on its home CPU, so they need no lock. What
 * others do to it is in atomic words: IRR, TMR, `events`, `errors`; each is followed by
 * vcpu_request. Those who choose among vCPUs (destinations, lowest priority) read the rest
 * without a lock: a value from just before a concurrent change is as good. `lock` guards the
 * timer, which fires from an interrupt.
 */
#pragma once

#include "arch/bits.h"
#include "kernel/timer.h"
#include "vm/vm.h"

struct state_reader;
struct state_writer;

#define VLAPIC_BASE 0xfee00000u
#define VLAPIC_BYTES 0x1000u
#define VLAPIC_VERSION 0x01060014u /* EOI-broadcast suppression, 7 LVT entries, integrated */

#define MSR_APIC_BASE 0x1b
#define MSR_TSC_DEADLINE 0x6e0
#define MSR_X2APIC 0x800

#define APIC_BASE_BSP BIT(8)
#define APIC_BASE_X2 BIT(10)
#define APIC_BASE_ENABLE BIT(11)

/* Registers: their offset in the page / 16, and their MSR - MSR_X2APIC. */
enum vlapic_reg {
    APIC_ID = 0x02,
    APIC_VERSION = 0x03,
    APIC_TPR = 0x08,
    APIC_APR = 0x09,
    APIC_PPR = 0x0a,
    APIC_EOI = 0x0b,
    APIC_RRD = 0x0c,
    APIC_LDR = 0x0d,
    APIC_DFR = 0x0e,
    APIC_SVR = 0x0f,
    APIC_ISR = 0x10,
    APIC_TMR = 0x18,
    APIC_IRR = 0x20,
    APIC_ESR = 0x28,
    APIC_LVT_CMCI = 0x2f,
    APIC_ICR = 0x30,
    APIC_ICR2 = 0x31,
    APIC_LVT_TIMER = 0x32,
    APIC_LVT_THERMAL = 0x33,
    APIC_LVT_PERF = 0x34,
    APIC_LVT_LINT0 = 0x35,
    APIC_LVT_LINT1 = 0x36,
    APIC_LVT_ERROR = 0x37,
    APIC_TMICT = 0x38,
    APIC_TMCCT = 0x39,
    APIC_TDCR = 0x3e,
    APIC_SELF_IPI = 0x3f,
    VLAPIC_REGS = 0x40,
};

#define APIC_VECTOR GENMASK(7, 0)
#define APIC_FIRST_VECTOR 16 /* those below are errors */
#define APIC_DELIVERY GENMASK(10, 8)
#define APIC_MASKED BIT(16) /* of an LVT entry */
#define APIC_LVT_LEVEL BIT(15)
#define SVR_ENABLE BIT(8)
#define SVR_NO_BROADCAST BIT(12)

#define ICR_KEPT 0xccfffu /* its writable bits */
#define ICR_PENDING BIT(12)

#define ESR_SEND_ILLEGAL BIT(5)
#define ESR_RECEIVE_ILLEGAL BIT(6)
#define ESR_REGISTER BIT(7)

enum apic_delivery {
    APIC_FIXED,
    APIC_LOWEST,
    APIC_SMI,
    APIC_REMOTE_READ,
    APIC_NMI,
    APIC_INIT,
    APIC_STARTUP,
    APIC_EXTINT,
};

/* What an interrupt is to do, whoever sends it: ICR, redirection entry, MSI. */
struct apic_message {
    uint32_t destination;
    uint8_t vector;
    uint8_t delivery; /* enum apic_delivery */
    bool logical;
    bool level; /* trigger mode: its end is told to the IOAPIC */
    bool wide;  /* the destination has x2APIC's 32 bits */
};

/* Vectors, a bit each. */
struct vector_set {
    uint64_t word[4];
};

enum vlapic_event {
    VLAPIC_NMI = 1 << 0,
    VLAPIC_EXTINT = 1 << 1, /* ask the PIC for its vector, once */
    VLAPIC_LINT0 = 1 << 2,  /* level of the pin: the PIC's output */
};

/* virqchip_cpu.stale: IRR is not 0 in the page, or TMR not what it is */
#define VLAPIC_STALE_IRR BIT(0)
#define VLAPIC_STALE_TMR BIT(1)

/* virqchip_cpu.awaited */
#define VLAPIC_WINDOW BIT(7)
#define VLAPIC_CLASS GENMASK(3, 0)

struct vlapic_timer {
    struct timer timer;
    uint32_t lvt, initial, divide; /* as in force; hardware may have written the page meanwhile */
    unsigned expected;             /* calls of `fire` that are armed or on their way */
    bool running;                  /* counting down, or with a deadline to come */
    uint64_t start;                /* arch_counter() when it counted `from` */
    uint32_t from;
    uint64_t deadline; /* IA32_TSC_DEADLINE */
};

/*
 * The page is the registers' only place, laid out as the guest sees it, but for those that are
 * computed (APR, PPR, TMCCT) and for IRR, ISR and TMR, which have sets of their own and are kept
 * there besides where hardware shows the page to the guest (`shown`). Such hardware also writes
 * it: TPR and ICR2 as they are to be, and anything to a few others, of which the model is told.
 */
struct virqchip_cpu {
    uint32_t page[PAGE_SIZE / sizeof(uint32_t)] __attribute__((aligned(PAGE_SIZE)));
    struct vector_set irr; /* atomic */
    struct vector_set isr;
    uint32_t events; /* enum vlapic_event; atomic */
    uint32_t errors; /* ESR bits since ESR was written; atomic */
    bool shown;
    uint8_t stale;   /* VLAPIC_STALE_, atomic */
    uint8_t awaited; /* from the backend: VLAPIC_WINDOW, or TPR below a class */
    unsigned id;
    uint64_t base; /* IA32_APIC_BASE */
    struct vcpu *vcpu;
    struct virqchip *chip;
    struct vector_set tmr; /* atomic */
    spinlock_t lock;
    struct vlapic_timer timer;
};

static inline bool vlapic_enabled(const struct virqchip_cpu *cpu)
{
    return (__atomic_load_n(&cpu->base, __ATOMIC_RELAXED) & APIC_BASE_ENABLE) != 0;
}

static inline bool vlapic_is_x2(const struct virqchip_cpu *cpu)
{
    return (__atomic_load_n(&cpu->base, __ATOMIC_RELAXED) & APIC_BASE_X2) != 0;
}

static inline uint32_t vlapic_reg(const struct virqchip_cpu *cpu, enum vlapic_reg reg)
{
    return __atomic_load_n(&cpu->page[4 * reg], __ATOMIC_RELAXED);
}

static inline void vlapic_set_reg(struct virqchip_cpu *cpu, enum vlapic_reg reg, uint32_t value)
{
    __atomic_store_n(&cpu->page[4 * reg], value, __ATOMIC_RELAXED);
}

/* vlapic.c: life. */

void vlapic_init(struct virqchip_cpu *cpu);
/* As after power-on, and as a PC's firmware leaves it: vCPU 0 gets the PIC's interrupts
 * through LINT0. */
void vlapic_reset(struct virqchip_cpu *cpu);
/* As INIT does: IA32_APIC_BASE stays. */
void vlapic_init_reset(struct virqchip_cpu *cpu);
/* False: #GP(0), nothing changed. */
bool vlapic_set_base(struct virqchip_cpu *cpu, uint64_t value);
/* The timer is put away; no call of it is on its way. */
void vlapic_drain(struct virqchip_cpu *cpu);

/* vlapic_regs.c: the page and the MSRs. */

uint64_t vlapic_read(struct vdev *dev, struct vdev_access access);
void vlapic_write(struct vdev *dev, struct vdev_access access, uint64_t value);
/* IA32_APIC_BASE, IA32_TSC_DEADLINE, x2APIC's and CR8. False: #GP(0), nothing changed. */
bool vlapic_read_msr(struct virqchip_cpu *cpu, uint32_t index, uint64_t *value);
bool vlapic_write_msr(struct virqchip_cpu *cpu, uint32_t index, uint64_t value);

/* Sets what the register had in a snapshot. False: it cannot have had that. */
bool vlapic_restore_register(struct virqchip_cpu *cpu, unsigned reg, uint32_t value);

/* vlapic_irq.c: what becomes pending, and what the vCPU takes next. */

uint32_t vlapic_ppr(const struct virqchip_cpu *cpu);
uint32_t vlapic_apr(const struct virqchip_cpu *cpu);
/* Pending and above PPR; 0: none. */
unsigned vlapic_next(const struct virqchip_cpu *cpu);
/* Any CPU. Fixed and lowest priority, NMI, ExtINT; others are ignored. */
void vlapic_accept(struct virqchip_cpu *cpu, enum apic_delivery delivery, uint8_t vector,
                   bool level);
/* Any CPU: an LVT entry's source fires. */
void vlapic_fire_lvt(struct virqchip_cpu *cpu, enum vlapic_reg entry);
/* Any CPU. */
void vlapic_error(struct virqchip_cpu *cpu, uint32_t esr_bit);
/* Any CPU: the PIC's output has changed. */
void vlapic_set_lint0(struct virqchip_cpu *cpu, bool level);
/* VM_EXIT_WINDOW: what was awaited has come. */
void vlapic_window(struct virqchip_cpu *cpu);
void vlapic_eoi(struct virqchip_cpu *cpu);
/* After what may let more in: TPR lowered, an end, LVT0 unmasked. */
void vlapic_look_again(struct virqchip_cpu *cpu);

/* vlapic_page.c: what hardware shows to guests. */

/* IRR, ISR and TMR as they are now, by the vCPU itself. */
void vlapic_show_all(struct virqchip_cpu *cpu);
/* The same where hardware shows them. */
void vlapic_show_pending(struct virqchip_cpu *cpu);
/* And at less cost where it does: ISR has lost this vector; it has gained it from IRR. */
void vlapic_show_service(struct virqchip_cpu *cpu, unsigned vector);
void vlapic_show_taken(struct virqchip_cpu *cpu, unsigned vector);
/* After a mode has changed: hardware answers in the page's place while all vCPUs have it there. */
void vlapic_place(struct virqchip *chip);

/* vlapic_ipi.c: from the sender to vCPUs. */

/* Not INIT and STARTUP. Any CPU; any lock but a VM's or scheduler's may be held. */
void vlapic_send(struct virqchip *chip, const struct apic_message *message);
/* The vCPU writes its ICR: all delivery modes. No lock is held. */
void vlapic_write_icr(struct virqchip_cpu *cpu, uint64_t icr);

/* vlapic_timer.c. All but the first and last with the CPU's lock held. */

void vlapic_timer_init(struct virqchip_cpu *cpu);
void vlapic_timer_stop(struct virqchip_cpu *cpu);
/* Its registers have been set, by a reset or a snapshot. */
void vlapic_timer_adopt(struct virqchip_cpu *cpu);
/* What TMCCT reads. */
uint32_t vlapic_timer_count(const struct virqchip_cpu *cpu);
void vlapic_timer_set_deadline(struct virqchip_cpu *cpu, uint64_t deadline);
/* One of LVT timer, TMICT, TDCR is written. */
void vlapic_timer_write(struct virqchip_cpu *cpu, enum vlapic_reg reg, uint32_t value);
/* What a snapshot says of it: what is left to count, or the deadline; 0: nothing. Restoring:
 * the registers are there already. */
uint32_t vlapic_timer_left(const struct virqchip_cpu *cpu);
bool vlapic_timer_restore(struct virqchip_cpu *cpu, uint32_t left, uint64_t deadline);
/* The vCPU has come to the calling CPU. */
void vlapic_timer_load(struct virqchip_cpu *cpu);

/* vlapic_save.c */

void vlapic_save(const struct virqchip_cpu *cpu, struct state_writer *out);
void vlapic_restore(struct virqchip_cpu *cpu, struct state_reader *in);

/* Sets of vectors. */

static inline unsigned vector_set_highest(const struct vector_set *set)
{
    for (unsigned i = ARRAY_SIZE(set->word); i-- != 0;) {
        uint64_t word = __atomic_load_n(&set->word[i], __ATOMIC_RELAXED);

        if (word != 0)
            return 64 * i + 63 - (unsigned)__builtin_clzll(word);
    }
    return 0;
}

static inline bool vector_set_has(const struct vector_set *set, unsigned vector)
{
    return (__atomic_load_n(&set->word[vector / 64], __ATOMIC_RELAXED) >> vector % 64 & 1) != 0;
}

/* False: it was there already. */
static inline bool vector_set_add(struct vector_set *set, unsigned vector)
{
    const uint64_t bit = BIT(vector % 64);

    return !(__atomic_fetch_or(&set->word[vector / 64], bit, __ATOMIC_SEQ_CST) & bit);
}

static inline void vector_set_remove(struct vector_set *set, unsigned vector)
{
    __atomic_fetch_and(&set->word[vector / 64], ~BIT(vector % 64), __ATOMIC_SEQ_CST);
}
