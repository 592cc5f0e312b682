/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The I/O APIC. An edge is passed on when it comes, and lost while its pin is masked; a level
 * is passed on while the pin is asserted and not still being served (remote IRR).
 *
 * INIT for a pin is not passed on: what stops and starts vCPUs takes the VM's lock, which comes
 * before a device's.
 */

#include "arch/bits.h"
#include "vm/irqchip/x86/pc_irqchip.h"
#include "vm/state.h"

enum { IOREGSEL = 0x00, IOWIN = 0x10, IOEOI = 0x40 };
enum { IOAPICID = 0x00, IOAPICVER = 0x01, IOAPICARB = 0x02, IOREDTBL = 0x10 };

#define VERSION (0x20u | (VIOAPIC_PINS - 1) << 16)
#define ID GENMASK(27, 24)

#define ENTRY_VECTOR GENMASK(7, 0)
#define ENTRY_DELIVERY GENMASK(10, 8)
#define ENTRY_LOGICAL BIT(11)
#define ENTRY_REMOTE_IRR BIT(14)
#define ENTRY_LEVEL BIT(15)
#define ENTRY_MASKED BIT(16)
#define ENTRY_DESTINATION GENMASK(63, 56)
#define ENTRY_WRITABLE (ENTRY_DESTINATION | 0x1afff) /* not delivery status, not remote IRR */

static struct vioapic *from_vdev(const struct vdev *dev)
{
    return container_of(dev, struct vioapic, dev);
}

/* --- interrupts --- */

static void send(struct vioapic *ioapic, unsigned pin)
{
    uint64_t entry = ioapic->entry[pin];
    const struct apic_message message = {
        .destination = (uint32_t)FIELD_GET(ENTRY_DESTINATION, entry),
        .vector = (uint8_t)FIELD_GET(ENTRY_VECTOR, entry),
        .delivery = (uint8_t)FIELD_GET(ENTRY_DELIVERY, entry),
        .logical = (entry & ENTRY_LOGICAL) != 0,
        .level = (entry & ENTRY_LEVEL) != 0,
    };

    if (message.level)
        ioapic->entry[pin] |= ENTRY_REMOTE_IRR;
    vlapic_send(ioapic->chip, &message);
}

/* For a level: passed on if it is there and not being served. */
static void look_at_level(struct vioapic *ioapic, unsigned pin)
{
    const uint64_t relevant = ENTRY_LEVEL | ENTRY_MASKED | ENTRY_REMOTE_IRR;

    if ((ioapic->line >> pin & 1) && (ioapic->entry[pin] & relevant) == ENTRY_LEVEL)
        send(ioapic, pin);
}

void vioapic_set_pin(struct vioapic *ioapic, unsigned pin, bool level)
{
    bool rises;

    spin_lock(&ioapic->dev.lock);
    rises = level && !(ioapic->line >> pin & 1);
    ioapic->line = (ioapic->line & ~(1u << pin)) | (uint32_t)level << pin;
    if (ioapic->entry[pin] & ENTRY_LEVEL)
        look_at_level(ioapic, pin);
    else if (rises && !(ioapic->entry[pin] & ENTRY_MASKED))
        send(ioapic, pin);
    spin_unlock(&ioapic->dev.lock);
}

void vioapic_pulse(struct vioapic *ioapic, unsigned pin)
{
    spin_lock(&ioapic->dev.lock);
    if (!(ioapic->entry[pin] & (ENTRY_MASKED | ENTRY_REMOTE_IRR)))
        send(ioapic, pin);
    spin_unlock(&ioapic->dev.lock);
}

static void end(struct vioapic *ioapic, uint8_t vector)
{
    for (unsigned pin = 0; pin < VIOAPIC_PINS; pin++) {
        uint64_t *entry = &ioapic->entry[pin];

        if (FIELD_GET(ENTRY_VECTOR, *entry) != vector || !(*entry & ENTRY_REMOTE_IRR))
            continue;
        *entry &= ~ENTRY_REMOTE_IRR;
        look_at_level(ioapic, pin);
    }
}

void vioapic_eoi(struct vioapic *ioapic, uint8_t vector)
{
    spin_lock(&ioapic->dev.lock);
    end(ioapic, vector);
    spin_unlock(&ioapic->dev.lock);
}

/* --- registers --- */

static uint32_t read_window(const struct vioapic *ioapic)
{
    unsigned n = ioapic->select - (unsigned)IOREDTBL;

    switch (ioapic->select) {
    case IOAPICID:
    case IOAPICARB: return (uint32_t)FIELD_PREP(ID, ioapic->id);
    case IOAPICVER: return VERSION;
    default: break;
    }
    if (n >= 2 * VIOAPIC_PINS)
        return 0;
    return (uint32_t)(ioapic->entry[n / 2] >> 32 * (n % 2));
}

/* An entry that becomes edge-triggered serves no level any more. */
static void write_entry(struct vioapic *ioapic, unsigned n, uint32_t value)
{
    uint64_t *entry = &ioapic->entry[n / 2];
    uint64_t half = GENMASK(31, 0) << 32 * (n % 2) & ENTRY_WRITABLE;

    *entry = (*entry & ~half) | ((uint64_t)value << 32 * (n % 2) & half);
    if (!(*entry & ENTRY_LEVEL))
        *entry &= ~ENTRY_REMOTE_IRR;
    look_at_level(ioapic, n / 2);
}

static void write_window(struct vioapic *ioapic, uint32_t value)
{
    unsigned n = ioapic->select - (unsigned)IOREDTBL;

    if (ioapic->select == IOAPICID)
        ioapic->id = (uint8_t)FIELD_GET(ID, value);
    else if (n < 2 * VIOAPIC_PINS)
        write_entry(ioapic, n, value);
}

static uint64_t vioapic_read(struct vdev *dev, struct vdev_access access)
{
    struct vioapic *ioapic = from_vdev(dev);
    uint64_t offset = access.offset & ~3ull;
    uint32_t value = 0;

    if (offset == IOREGSEL)
        value = ioapic->select;
    else if (offset == IOWIN)
        value = read_window(ioapic);
    return (uint64_t)value >> 8 * (access.offset & 3);
}

static void vioapic_write(struct vdev *dev, struct vdev_access access, uint64_t value)
{
    struct vioapic *ioapic = from_vdev(dev);

    if (access.offset == IOREGSEL)
        ioapic->select = (uint8_t)value;
    else if (access.offset == IOWIN && access.size >= 4)
        write_window(ioapic, (uint32_t)value);
    else if (access.offset == IOEOI)
        end(ioapic, (uint8_t)value);
}

static void vioapic_reset(struct vdev *dev)
{
    struct vioapic *ioapic = from_vdev(dev);

    ioapic->select = ioapic->id = 0;
    ioapic->line = 0;
    for (unsigned pin = 0; pin < VIOAPIC_PINS; pin++)
        ioapic->entry[pin] = ENTRY_MASKED;
}

/* --- snapshots --- */

static void vioapic_save(const struct vdev *dev, struct state_writer *out)
{
    const struct vioapic *ioapic = from_vdev(dev);

    state_put_u8(out, ioapic->select);
    state_put_u8(out, ioapic->id);
    state_put_u32(out, ioapic->line);
    for (unsigned pin = 0; pin < VIOAPIC_PINS; pin++)
        state_put_u64(out, ioapic->entry[pin]);
}

static void restore_entry(struct vioapic *ioapic, unsigned pin, struct state_reader *in)
{
    uint64_t entry = state_get_u64(in);

    if ((entry & ~(ENTRY_WRITABLE | ENTRY_REMOTE_IRR)) != 0 ||
        (entry & (ENTRY_LEVEL | ENTRY_REMOTE_IRR)) == ENTRY_REMOTE_IRR) {
        state_reject(in);
        entry = ENTRY_MASKED;
    }
    ioapic->entry[pin] = entry;
}

static status_t vioapic_restore(struct vdev *dev, struct state_reader *in)
{
    struct vioapic *ioapic = from_vdev(dev);

    ioapic->select = state_get_u8(in);
    ioapic->id = state_get_u8(in);
    ioapic->line = state_get_u32(in);
    if (ioapic->id > 0xf || ioapic->line >> VIOAPIC_PINS != 0)
        state_reject(in);
    ioapic->id &= 0xf;
    ioapic->line &= (uint32_t)BIT(VIOAPIC_PINS) - 1;
    for (unsigned pin = 0; pin < VIOAPIC_PINS; pin++)
        restore_entry(ioapic, pin, in);
    return state_status(in);
}

const struct vdev_ops vioapic_ops = {
    .name = "ioapic",
    .read = vioapic_read,
    .write = vioapic_write,
    .reset = vioapic_reset,
    .save = vioapic_save,
    .restore = vioapic_restore,
};
