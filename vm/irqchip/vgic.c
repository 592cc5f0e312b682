/* SPDX-License-Identifier: BSD-2-Clause */
/* The GIC of a VM, as the run loop, devices and the lifecycle see it (irqchip.h). */

#include "vm/irqchip/vgic.h"

#include "kernel/irq.h"
#include "kernel/lib/string.h"
#include "kernel/log.h"
#include "kernel/pmm.h"
#include "vm/irqchip/irqchip.h"

unsigned vgic_version(void)
{
    return gich.version;
}

/*
 * Making, resetting and undoing.
 */

/* A CPU that is powered on keeps its redistributor, and what was sent to it meanwhile. */
static void reset_interface(struct virqchip_cpu *cpu)
{
    spin_lock(&cpu->lock);
    cpu->interface = (struct gich_state){ 0 };
    vtimer_reset(cpu);
    spin_unlock(&cpu->lock);
}

static void reset_redistributor(struct virqchip_cpu *cpu)
{
    spin_lock(&cpu->lock);
    cpu->bank = (struct vgic_bank){ .edge = 0xffff };
    if (cpu->gic->version == 2)
        cpu->bank.enabled = 0xffff; /* SGIs are always on in most of them */
    for (unsigned i = 0; i < VGIC_SGIS; i++)
        cpu->sgi_sources[i] = cpu->sgi_active[i] = 0;
    cpu->waker = 2; /* ProcessorSleep */
    spin_unlock(&cpu->lock);
}

static void vgic_reset(struct vdev *dev)
{
    struct virqchip *gic = container_of(dev, struct virqchip, dev);

    for (unsigned id = 0; id < gic->cpus; id++) {
        reset_interface(&gic->cpu[id]);
        reset_redistributor(&gic->cpu[id]);
    }
    spin_lock(&gic->lock);
    gic->ctlr = 0;
    memset(gic->spi, 0, sizeof(gic->spi)); /* lines, too: devices are reset with us */
    vgic_route_spi(gic, VGIC_PRIVATE);
    for (unsigned w = 0; w < VGIC_SPI_BANKS; w++) /* the same affinity, and so the same route */
        memset(gic->spi[w].route, gic->spi[0].route[0], sizeof(gic->spi[w].route));
    for (unsigned id = 0; id < gic->cpus; id++)
        gic->cpu[id].spi_words = 0;
    vtimer_set_count(gic, 0);
    spin_unlock(&gic->lock);
}

static void vgic_destroy(struct vdev *dev)
{
    struct virqchip *gic = container_of(dev, struct virqchip, dev);

    virqchip_destroy(gic->vm);
    pmm_free_wired(gic);
}

static const struct vdev_ops vgic_ops = {
    .name = "gic",
    .unlocked = true,
    .read = vgic_read,
    .write = vgic_write,
    .reset = vgic_reset,
    .save = vgic_save,
    .restore = vgic_restore,
    .destroy = vgic_destroy,
};

/* Version 2's CPU interface is the hardware's, version 3's has no registers in memory. */
static status_t attach_frames(struct virqchip *gic)
{
    struct vm *vm = gic->vm;
    status_t status = vm_attach_device(vm, &gic->dev, gpa(VGIC_GICD_BASE), VGIC_GICD_BYTES);
    const struct region gicc = {
        .base = gpa(VGIC_GICC_BASE),
        .size = VGIC_GICC_BYTES,
        .kind = REGION_IDENTITY,
        .prot = PT_READ | PT_WRITE | PT_DEVICE,
        .host = gich.gicv,
    };

    if (status != OK)
        return status;
    if (gic->version == 2)
        return vm_map_region(vm, &gicc);
    return vm_attach_device(vm, &gic->dev, gpa(VGIC_GICR_BASE),
                            (uint64_t)gic->cpus * VGIC_GICR_BYTES);
}

status_t virqchip_create(struct vm *vm)
{
    unsigned cpus = vm->config.cpus;
    struct virqchip *gic;

    if (gich.version == 2 && cpus > VGIC_MAX_V2_CPUS) {
        log_error("%s: a GICv2 serves 8 vCPUs at most, and this host has no other",
                  vm->config.name);
        return ERR_UNSUPPORTED;
    }
    gic = pmm_alloc_wired(sizeof(*gic) + cpus * sizeof(gic->cpu[0]));
    if (gic == NULL)
        return ERR_NO_MEMORY;
    gic->dev.ops = &vgic_ops;
    gic->vm = vm;
    gic->version = gich.version;
    gic->distributor = vgic_distributor(gich.version);
    gic->cpus = cpus;
    gic->typer = vgicd_typer(gic->version, cpus);
    for (unsigned id = 0; id < cpus; id++) {
        struct virqchip_cpu *cpu = &gic->cpu[id];

        cpu->gic = gic;
        cpu->vcpu = &vm->vcpus[id];
        cpu->id = id;
        vtimer_init(cpu);
        vm->vcpus[id].irqchip = cpu;
    }
    vm->irqchip = gic;
    vgic_reset(&gic->dev);
    return attach_frames(gic);
}

/* The memory goes with the VM's devices. */
void virqchip_destroy(struct vm *vm)
{
    struct virqchip *gic = vm->irqchip;

    if (gic == NULL)
        return;
    vm->irqchip = NULL;
    for (unsigned id = 0; id < gic->cpus; id++) {
        vtimer_drain(&gic->cpu[id]);
        vm->vcpus[id].irqchip = NULL;
    }
}

void virqchip_reset(struct vm *vm)
{
    vgic_reset(&vm->irqchip->dev);
}

void virqchip_reset_vcpu(struct vcpu *vcpu)
{
    reset_interface(vcpu->irqchip);
}

/*
 * Running.
 */

void virqchip_load(struct vcpu *vcpu)
{
    struct virqchip_cpu *cpu = vcpu->irqchip;

    spin_lock(&cpu->lock);
    vtimer_load(cpu);
    vgic_load(cpu);
    spin_unlock(&cpu->lock);
}

void virqchip_put(struct vcpu *vcpu)
{
    struct virqchip_cpu *cpu = vcpu->irqchip;

    spin_lock(&cpu->lock);
    vgic_put(cpu);
    vtimer_put(cpu);
    spin_unlock(&cpu->lock);
}

void virqchip_sync(struct vcpu *vcpu)
{
    struct virqchip_cpu *cpu = vcpu->irqchip;

    spin_lock(&cpu->lock);
    vgic_sync(cpu);
    spin_unlock(&cpu->lock);
}

bool virqchip_wakes(struct vcpu *vcpu)
{
    struct virqchip_cpu *cpu = vcpu->irqchip;
    bool wakes;

    spin_lock(&cpu->lock);
    wakes = vgic_signals(cpu);
    spin_unlock(&cpu->lock);
    return wakes;
}

/*
 * Interrupts from devices and from management.
 */

struct irq_line virqchip_line(struct vm *vm, uint32_t irq)
{
    if (irq < VGIC_PRIVATE || irq >= VGIC_INTIDS)
        return (struct irq_line){ 0 };
    return (struct irq_line){ .set = vgic_set_line, .controller = vm->irqchip, .irq = irq };
}

status_t virqchip_inject(struct vm *vm, uint64_t cpu_mask, uint32_t irq)
{
    struct virqchip *gic = vm->irqchip;

    if (irq >= VGIC_INTIDS)
        return ERR_INVALID_ARGS;
    if (irq >= VGIC_PRIVATE) {
        vgic_pulse_spi(gic, irq);
        return OK;
    }
    if (cpu_mask >> gic->cpus != 0)
        return ERR_NOT_FOUND;
    for (; cpu_mask != 0; cpu_mask &= cpu_mask - 1) {
        unsigned id = (unsigned)__builtin_ctzll(cpu_mask);

        vgic_pulse_private(&gic->cpu[id], irq, id);
    }
    return OK;
}

/*
 * The host.
 */

/* List registers have run low, or something listed has ended that is to be looked at. */
static enum irq_result maintain(uint32_t irq, void *arg)
{
    struct virqchip_cpu *cpu = vgic_loaded();

    (void)irq;
    (void)arg;
    if (cpu != NULL) {
        spin_lock(&cpu->lock);
        vgic_sync(cpu);
        spin_unlock(&cpu->lock);
    }
    return IRQ_DONE;
}

status_t virqchip_host_init(void)
{
    status_t status;

    if (gich.version == 0)
        return ERR_UNSUPPORTED;
    status = irq_register(gich.maintenance_irq, maintain, NULL);
    return status != OK ? status : vtimer_host_init();
}

void virqchip_cpu_init(void)
{
    gich.ops->cpu_init();
    irq_chip()->enable(gich.maintenance_irq, false);
    vtimer_cpu_init();
}
