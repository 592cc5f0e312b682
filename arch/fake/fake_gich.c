/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * List registers and the virtual CPU interface over them, after the pseudocode of the GIC
 * architecture specification (12.4, VirtualReadIAR and friends): 32 levels of priority, all
 * of them preempting.
 */

#include <arch/gich.h>

#define VMCR_EOIM BIT(9)
#define VMCR_PMR GENMASK(31, 24)

#define MISR_EOI BIT(0)
#define MISR_U BIT(1)
#define MISR_LRENP BIT(2)
#define MISR_NP BIT(3)
#define MISR_GRP0E BIT(4)
#define MISR_GRP1E BIT(6)

#define NOT_FOUND GICH_MAX_LRS

struct interface {
    uint64_t lr[GICH_MAX_LRS];
    uint32_t hcr;
    struct gich_state state;
};

static struct interface interfaces[FAKE_GICH_CPUS];
static _Thread_local unsigned selected;

struct gich gich;
void (*fake_deactivate_physical)(uint32_t irq);

static struct interface *own(void)
{
    return &interfaces[selected];
}

static void fake_cpu_init(void)
{
    *own() = (struct interface){ 0 };
}

static uint64_t fake_read_lr(unsigned n)
{
    return own()->lr[n];
}

static void fake_write_lr(unsigned n, uint64_t lr)
{
    own()->lr[n] = lr;
}

static bool fake_reuse_lr(unsigned n, uint64_t lr)
{
    if (own()->lr[n] & LR_STATE)
        return false;
    own()->lr[n] = lr;
    return true;
}

static uint32_t fake_read_hcr(void)
{
    return own()->hcr;
}

static void fake_write_hcr(uint32_t hcr)
{
    own()->hcr = hcr;
}

static uint32_t fake_read_vmcr(void)
{
    return own()->state.vmcr;
}

static void fake_load(const struct gich_state *state)
{
    own()->state = *state;
}

static void fake_save(struct gich_state *state)
{
    *state = own()->state;
}

static const struct gich_ops fake_ops = {
    .cpu_init = fake_cpu_init,
    .read_lr = fake_read_lr,
    .write_lr = fake_write_lr,
    .reuse_lr = fake_reuse_lr,
    .read_hcr = fake_read_hcr,
    .write_hcr = fake_write_hcr,
    .read_vmcr = fake_read_vmcr,
    .load = fake_load,
    .save = fake_save,
};

void fake_gich_init(unsigned version, unsigned lrs)
{
    for (selected = FAKE_GICH_CPUS; selected-- > 0;)
        fake_cpu_init();
    selected = 0;
    gich = (struct gich){
        .ops = &fake_ops,
        .version = version,
        .lrs = lrs,
        .ap_registers = 1,
        .maintenance_irq = 25,
        .hw_end = true,
        .gicv = paddr(0x08040000),
    };
}

void fake_select_cpu(unsigned cpu)
{
    selected = cpu;
}

unsigned fake_selected_cpu(void)
{
    return selected;
}

/*
 * The guest's side.
 */

/* Version 2 has one register for both groups. */
static uint32_t *active_priorities(bool group1)
{
    return group1 && gich.version == 3 ? &own()->state.ap1r[0] : &own()->state.ap0r[0];
}

static unsigned running_priority(void)
{
    uint32_t levels = own()->state.ap0r[0] | own()->state.ap1r[0];

    return levels != 0 ? 8 * (unsigned)__builtin_ctz(levels) : 0x100;
}

static bool group_enabled(uint64_t lr)
{
    return (own()->state.vmcr & (lr & LR_GROUP1 ? VMCR_ENG1 : VMCR_ENG0)) != 0;
}

static unsigned best_pending(void)
{
    unsigned best = NOT_FOUND;

    for (unsigned n = 0; n < gich.lrs; n++) {
        uint64_t lr = own()->lr[n];

        if ((lr & LR_STATE) != LR_PENDING || !group_enabled(lr))
            continue;
        if (best == NOT_FOUND ||
            FIELD_GET(LR_PRIORITY, lr) < FIELD_GET(LR_PRIORITY, own()->lr[best]))
            best = n;
    }
    return best;
}

bool fake_guest_signalled(void)
{
    unsigned n = best_pending();
    uint64_t priority;

    if (n == NOT_FOUND || !(own()->hcr & HCR_EN))
        return false;
    priority = FIELD_GET(LR_PRIORITY, own()->lr[n]);
    return priority < FIELD_GET(VMCR_PMR, own()->state.vmcr) && priority < running_priority();
}

uint32_t fake_guest_ack(void)
{
    uint64_t *lr;

    if (!fake_guest_signalled())
        return FAKE_SPURIOUS;
    lr = &own()->lr[best_pending()];
    *lr ^= LR_STATE; /* pending to active */
    *active_priorities(*lr & LR_GROUP1) |= 1u << FIELD_GET(LR_PRIORITY, *lr) / 8;
    return (uint32_t)(*lr & (LR_SOURCE | LR_VINTID));
}

static void deactivate(uint32_t iar)
{
    for (unsigned n = 0; n < gich.lrs; n++) {
        uint64_t *lr = &own()->lr[n];

        if (!(*lr & LR_ACTIVE) || (*lr & (LR_SOURCE | LR_VINTID)) != iar)
            continue;
        *lr &= ~LR_ACTIVE;
        if (*lr & LR_HW)
            fake_deactivate_physical((uint32_t)FIELD_GET(LR_PINTID, *lr));
        return;
    }
    own()->hcr += (uint32_t)FIELD_PREP(HCR_EOICOUNT, 1); /* wraps at 32 */
}

void fake_guest_eoi(uint32_t iar)
{
    uint32_t *group0 = &own()->state.ap0r[0], *group1 = &own()->state.ap1r[0];
    uint32_t *highest =
        *group1 == 0 || (*group0 != 0 && __builtin_ctz(*group0) < __builtin_ctz(*group1)) ? group0
                                                                                          : group1;

    if (*highest == 0)
        return; /* nothing is active: ignored */
    *highest &= *highest - 1;
    if (!(own()->state.vmcr & VMCR_EOIM))
        deactivate(iar);
}

void fake_guest_dir(uint32_t iar)
{
    if (own()->state.vmcr & VMCR_EOIM)
        deactivate(iar);
}

void fake_guest_interface(bool group0, bool group1, uint8_t pmr, bool split_eoi)
{
    own()->state.vmcr = (uint32_t)((group0 ? VMCR_ENG0 : 0) | (group1 ? VMCR_ENG1 : 0) |
                                   FIELD_PREP(VMCR_PMR, pmr) | (split_eoi ? VMCR_EOIM : 0));
}

uint32_t fake_misr(void)
{
    const struct interface *interface = own();
    uint32_t hcr = interface->hcr, vmcr = interface->state.vmcr;
    unsigned valid = 0, pending = 0;
    uint64_t misr = 0;

    if (!(hcr & HCR_EN))
        return 0;
    for (unsigned n = 0; n < gich.lrs; n++) {
        uint64_t lr = interface->lr[n];

        valid += (lr & LR_STATE) != 0;
        pending += (lr & LR_PENDING) != 0;
        if ((lr & (LR_STATE | LR_HW | LR_EOI)) == LR_EOI)
            misr |= MISR_EOI;
    }
    misr |= (hcr & HCR_UIE) && valid <= 1 ? MISR_U : 0;
    misr |= (hcr & HCR_LRENPIE) && FIELD_GET(HCR_EOICOUNT, hcr) != 0 ? MISR_LRENP : 0;
    misr |= (hcr & HCR_NPIE) && pending == 0 ? MISR_NP : 0;
    misr |= (hcr & HCR_GRP0EIE) && (vmcr & VMCR_ENG0) ? MISR_GRP0E : 0;
    misr |= (hcr & HCR_GRP1EIE) && (vmcr & VMCR_ENG1) ? MISR_GRP1E : 0;
    return (uint32_t)misr;
}
