/* SPDX-License-Identifier: BSD-2-Clause */
/* A PC's interrupt controllers as a whole: wiring, life, and irqchip.h's calls. */

#include "vm/irqchip/x86/pc_irqchip.h"

#include "kernel/pmm.h"
#include "vm/state.h"

#define MSI_ADDRESS GENMASK(63, 20)
#define MSI_BASE 0xfee00000u
#define MSI_DESTINATION GENMASK(19, 12)
#define MSI_LOGICAL BIT(2)
#define MSI_VECTOR GENMASK(7, 0)
#define MSI_DELIVERY GENMASK(10, 8)
#define MSI_ASSERT BIT(14)
#define MSI_LEVEL BIT(15)

#define PIT_ISA_IRQ 0
#define PIT_PIN 2 /* of the IOAPIC */
#define EXTINT_PIN 0

/* --- wires --- */

static bool has_isa_irq(uint32_t gsi)
{
    return gsi < PC_ISA_IRQS && gsi != VPIC_CASCADE;
}

static unsigned pin_of(uint32_t gsi)
{
    return gsi == PIT_ISA_IRQ ? PIT_PIN : gsi;
}

static void set_gsi(void *controller, uint32_t gsi, bool level)
{
    struct virqchip *chip = controller;

    if (has_isa_irq(gsi))
        vpic_set_irq(&chip->pic, gsi, level);
    vioapic_set_pin(&chip->ioapic, pin_of(gsi), level);
}

static void pic_output(struct vpic *pic, bool level)
{
    struct virqchip *chip = container_of(pic, struct virqchip, pic);

    vlapic_set_lint0(&chip->cpu[0], level);
    vioapic_set_pin(&chip->ioapic, EXTINT_PIN, level);
}

struct irq_line virqchip_line(struct vm *vm, uint32_t irq)
{
    if (irq >= PC_GSIS || irq == VPIC_CASCADE)
        return (struct irq_line){ 0 };
    return (struct irq_line){ .set = set_gsi, .controller = vm->irqchip, .irq = irq };
}

status_t virqchip_inject(struct vm *vm, uint64_t cpu_mask, uint32_t irq)
{
    struct virqchip *chip = vm->irqchip;

    (void)cpu_mask; /* there are no private interrupts */
    if (irq >= PC_GSIS || irq == VPIC_CASCADE)
        return ERR_INVALID_ARGS;
    if (has_isa_irq(irq))
        vpic_pulse(&chip->pic, irq);
    vioapic_pulse(&chip->ioapic, pin_of(irq));
    return OK;
}

void pc_msi(struct vm *vm, uint64_t address, uint32_t data)
{
    const struct apic_message message = {
        .destination = (uint32_t)FIELD_GET(MSI_DESTINATION, address),
        .vector = (uint8_t)FIELD_GET(MSI_VECTOR, data),
        .delivery = (uint8_t)FIELD_GET(MSI_DELIVERY, data),
        .logical = (address & MSI_LOGICAL) != 0,
        .level = (data & MSI_LEVEL) != 0,
    };

    if ((address & MSI_ADDRESS) == MSI_BASE && (data & (MSI_LEVEL | MSI_ASSERT)) != MSI_LEVEL)
        vlapic_send(vm->irqchip, &message);
}

void pc_nmi(struct vm *vm)
{
    for (unsigned id = 0; id < vm->irqchip->cpus; id++)
        vlapic_fire_lvt(&vm->irqchip->cpu[id], APIC_LVT_LINT1);
}

/* --- the local APICs as one device --- */

static void lapics_reset(struct vdev *dev)
{
    struct virqchip *chip = container_of(dev, struct virqchip, lapics);

    for (unsigned id = 0; id < chip->cpus; id++)
        vlapic_reset(&chip->cpu[id]);
    vlapic_place(chip);
}

static void lapics_save(const struct vdev *dev, struct state_writer *out)
{
    const struct virqchip *chip = container_of(dev, const struct virqchip, lapics);

    state_put_u8(out, (uint8_t)chip->cpus);
    for (unsigned id = 0; id < chip->cpus; id++)
        vlapic_save(&chip->cpu[id], out);
}

static status_t lapics_restore(struct vdev *dev, struct state_reader *in)
{
    struct virqchip *chip = container_of(dev, struct virqchip, lapics);

    if (state_get_u8(in) != chip->cpus)
        return ERR_INVALID_ARGS;
    for (unsigned id = 0; id < chip->cpus; id++)
        vlapic_restore(&chip->cpu[id], in);
    vlapic_place(chip);
    return state_status(in);
}

static void lapics_destroy(struct vdev *dev)
{
    struct virqchip *chip = container_of(dev, struct virqchip, lapics);

    virqchip_destroy(chip->vm);
    pmm_free_wired(chip);
}

static const struct vdev_ops lapics_ops = {
    .name = "lapic",
    .unlocked = true,
    .read = vlapic_read,
    .write = vlapic_write,
    .reset = lapics_reset,
    .save = lapics_save,
    .restore = lapics_restore,
    .destroy = lapics_destroy,
};

/* --- life --- */

static struct virqchip *make(struct vm *vm)
{
    unsigned cpus = vm->config.cpus;
    struct virqchip *chip = pmm_alloc_wired(sizeof(*chip) + cpus * sizeof(chip->cpu[0]));

    if (chip == NULL)
        return NULL;
    chip->vm = vm;
    chip->cpus = cpus;
    chip->lapics.ops = &lapics_ops;
    chip->ioapic.dev.ops = &vioapic_ops;
    chip->ioapic.chip = chip;
    chip->pic.dev.ops = &vpic_ops;
    chip->pic.output = pic_output;
    for (unsigned id = 0; id < cpus; id++) {
        struct virqchip_cpu *cpu = &chip->cpu[id];

        cpu->chip = chip;
        cpu->vcpu = &vm->vcpus[id];
        cpu->id = id;
        vlapic_init(cpu);
        vm->vcpus[id].irqchip = cpu;
    }
    return chip;
}

/* The local APICs first: they own the memory of all, and so they are the last to go. */
static status_t attach(struct virqchip *chip)
{
    const struct {
        struct vdev *dev;
        uint16_t first, count;
    } ports[] = {
        { &chip->pic.dev, VPIC_PORT_FIRST, 2 },   { &chip->pic.dev, VPIC_PORT_SECOND, 2 },
        { &chip->pic.dev, VPIC_PORT_ELCR, 2 },    { &chip->pit.dev, VPIT_PORT, 4 },
        { &chip->pit.dev, VPIT_PORT_SPEAKER, 1 },
    };
    struct vm *vm = chip->vm;
    status_t status = vm_attach_device(vm, &chip->lapics, gpa(VLAPIC_BASE), VLAPIC_BYTES);

    if (status == OK)
        status = vm_attach_device(vm, &chip->ioapic.dev, gpa(VIOAPIC_BASE), VIOAPIC_BYTES);
    for (unsigned i = 0; i < ARRAY_SIZE(ports) && status == OK; i++)
        status = vm_attach_ports(vm, ports[i].dev, ports[i].first, ports[i].count);
    return status;
}

status_t virqchip_create(struct vm *vm)
{
    struct virqchip *chip = make(vm);

    if (chip == NULL)
        return ERR_NO_MEMORY;
    vm->irqchip = chip;
    vpit_init(&chip->pit, virqchip_line(vm, PIT_ISA_IRQ));
    virqchip_reset(vm);
    return attach(chip);
}

/* The memory goes with the VM's devices. */
void virqchip_destroy(struct vm *vm)
{
    struct virqchip *chip = vm->irqchip;

    if (chip == NULL)
        return;
    vm->irqchip = NULL;
    vdev_timer_put_away(&chip->pit.timer);
    for (unsigned id = 0; id < chip->cpus; id++) {
        vlapic_drain(&chip->cpu[id]);
        vm->vcpus[id].irqchip = NULL;
    }
}

void virqchip_reset(struct vm *vm)
{
    struct virqchip *chip = vm->irqchip;

    vdev_reset(&chip->lapics);
    vdev_reset(&chip->ioapic.dev);
    vdev_reset(&chip->pic.dev);
    vdev_reset(&chip->pit.dev);
}

void virqchip_reset_vcpu(struct vcpu *vcpu)
{
    vlapic_init_reset(vcpu->irqchip);
    vcpu->irqchip->awaited = 0; /* as the backend has forgotten it */
}

/* --- running --- */

void virqchip_load(struct vcpu *vcpu)
{
    vlapic_timer_load(vcpu->irqchip);
    vlapic_look_again(vcpu->irqchip);
}

/* All state is in memory already, and the timer keeps running. */
void virqchip_put(struct vcpu *vcpu)
{
    (void)vcpu;
}

/* --- the host: guests' timers are the hypervisor's own, so nothing of it is handed over --- */

status_t virqchip_host_init(void)
{
    return OK;
}

void virqchip_cpu_init(void)
{
}
