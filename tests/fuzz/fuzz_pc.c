/* SPDX-License-Identifier: BSD-2-Clause */
/* Machine pc, whose guest makes exits at random (world.h). */
#include <arch/vcpu.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "arch/hv.h"
#include "arch/timer.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/guest.h"
#include "tests/fuzz/world.h"
#include "vm/irqchip/x86/vlapic.h"
#include "vm/machine/machine_pc.h"
#include "vm/ram_disk.h"

#define ROUNDS 150
#define EXITS 1500

/* --- the guest --- */

gpa_t guest_address(void)
{
    static const uint64_t places[] = {
        0,          0x1000,     0x9f000,    PC_VGA_TEXT_BASE, 0xbf000,    PC_ACPI_BASE,
        0x100000,   0x3ff000,   0x400000,   PC_ECAM_BASE,     0xb00ff000, PC_PCI_MEMORY_BASE,
        0xfec00000, 0xfee00000, 0xfffff000, 1ULL << 32,       1ULL << 40, (1ULL << 48) - 4096,
        1ULL << 51,
    };
    static const uint64_t registers[] = { 0xfec00000, 0xfec00010, 0xfee00300, 0xfee00310 };

    switch (fuzz_below(4)) {
    case 0: return gpa(registers[fuzz_below(ARRAY_SIZE(registers))]);
    case 1: return gpa(0xfee00000 + 16 * fuzz_below(64));
    case 2: return gpa(fuzz_value());
    default: return gpa(places[fuzz_below(ARRAY_SIZE(places))] + fuzz_below(4096 + 64));
    }
}

static uint16_t port(void)
{
    static const uint16_t ports[] = {
        0x20,  0x21,  0x40,  0x43,  0x60,  0x61,  0x64,  0x70,  0x71,  0x80,  0x92,
        0xa0,  0xa1,  0xe9,  0xf4,  0x1f0, 0x1f2, 0x1f6, 0x1f7, 0x3c0, 0x3d4, 0x3d5,
        0x3f6, 0x3f8, 0x3f9, 0x3fa, 0x4d0, 0x600, 0x604, 0x608, 0xcf8, 0xcf9, 0xcfc,
    };

    return fuzz_one_in(4) ? (uint16_t)fuzz_next()
                          : (uint16_t)(ports[fuzz_below(ARRAY_SIZE(ports))] + fuzz_below(3));
}

/* A byte as a guest's driver writes it, or anything. */
uint64_t guest_written(void)
{
    static const uint8_t bytes[] = { 0x00, 0x01, 0x02, 0x11, 0x13, 0x20, 0x30, 0x34,
                                     0x36, 0xa1, 0xd1, 0xec, 0xed, 0xf0, 0xfe, 0xff };

    return fuzz_one_in(2) ? bytes[fuzz_below(sizeof(bytes))] : fuzz_value();
}

/* What ends the VM, or one of its CPUs, is seldom: 0xfe to 0x64, the reset and power ports. */
static struct vm_exit port_access(void)
{
    struct vm_exit exit = { .reason = VM_EXIT_PIO };

    exit.pio.port = port();
    exit.pio.size = (uint8_t)(1 << fuzz_below(3));
    exit.pio.value = guest_written();
    exit.pio.write = fuzz_one_in(2);
    exit.pio.decoded = !fuzz_one_in(8);
    if ((exit.pio.port == 0xf4 || exit.pio.port == 0x604) && !fuzz_one_in(8))
        exit.pio.write = false;
    return exit;
}

/* Messages between CPUs are what most x2APIC registers are not. */
static struct vm_exit msr(void)
{
    static const uint32_t indices[] = { 0x1b,  0x6e0, X86_MSR_CR8, 0x808, 0x80b, 0x80f,
                                        0x830, 0x832, 0x838,       0x83e, 0x83f };
    struct vm_exit exit = { .reason = VM_EXIT_MSR };

    exit.msr.index = fuzz_one_in(4) ? 0x800 + (uint32_t)fuzz_below(0x100)
                                    : indices[fuzz_below(ARRAY_SIZE(indices))];
    exit.msr.write = !fuzz_one_in(3);
    exit.msr.value = guest_written();
    if (exit.msr.index == 0x1b)
        exit.msr.value = 0xfee00000 | fuzz_below(4) << 10 | fuzz_below(2) << 8;
    if (exit.msr.index == 0x830)
        exit.msr.value = fuzz_below(5) << 32 | fuzz_below(16) << 16 | (fuzz_next() & 0xffff);
    if (exit.msr.index == 0x6e0)
        exit.msr.value = arch_counter() + fuzz_value();
    return exit;
}

#define OUT(at, byte)                                                                    \
    {                                                                                    \
        .reason = VM_EXIT_PIO,                                                           \
        .pio = { .port = at, .size = 1, .value = byte, .write = true, .decoded = true }, \
    }
#define APIC(offset, word)                          \
    {                                               \
        .reason = VM_EXIT_MEMORY,                   \
        .memory = { .gpa = { 0xfee00000 + offset }, \
                    .size = 4,                      \
                    .value = word,                  \
                    .access = VM_ACCESS_WRITE,      \
                    .decoded = true },              \
    }

/* What wakes it: both timers, and interrupt controllers that let them through; its other CPUs. */
static const struct vm_exit first_exits[] = {
    OUT(0x20, 0x11),      OUT(0x21, 0x20),      OUT(0x21, 0x04),      OUT(0x21, 0x03),
    OUT(0x21, 0x00),      OUT(0x43, 0x34),      OUT(0x40, 0xa9),      OUT(0x40, 0x04),
    APIC(0xf0, 0x1ff),    APIC(0x3e0, 0xb),     APIC(0x320, 0x20040), APIC(0x380, 25000),
    APIC(0x300, 0xc4500), APIC(0x300, 0xc4601),
};

/* MOV CR8, where it makes no exit unless TPR falls below what is watched. */
static bool move_priority(struct hv_vcpu *vcpu)
{
    uint32_t *const tpr = &vcpu->apic_registers[4 * APIC_TPR];

    assert_true(vcpu->dr6 <= *tpr >> 4); /* else no entry is possible */
    if (fuzz_one_in(4))
        *tpr = (uint32_t)fuzz_below(256);
    return *tpr >> 4 < vcpu->dr6;
}

/* A register that hardware has written already, as it does with a page that it shows. */
static struct vm_exit apic_write(const struct hv_vcpu *vcpu)
{
    static const uint16_t offsets[] = { 0x20,  0xb0,  0xd0,  0xe0,  0xf0,  0x280, 0x300, 0x320,
                                        0x330, 0x340, 0x350, 0x360, 0x370, 0x380, 0x3e0 };
    const uint16_t offset = offsets[fuzz_below(ARRAY_SIZE(offsets))];
    const struct vm_exit exit = APIC(offset, (uint32_t)guest_written());

    vcpu->apic_registers[4 * APIC_ICR2] = (uint32_t)fuzz_below(5) << 24; /* without an exit */
    vcpu->apic_registers[offset / 4] = (uint32_t)exit.memory.value;
    return exit;
}

struct vm_exit guest_exit(struct hv_vcpu *vcpu)
{
    static const uint8_t others[] = { VM_EXIT_IRQ,   VM_EXIT_IRQ,       VM_EXIT_HALT,
                                      VM_EXIT_YIELD, VM_EXIT_HYPERCALL, VM_EXIT_IPI };
    struct vm_exit exit = { .reason = others[fuzz_below(ARRAY_SIZE(others))] };

    if (vcpu->id == 0 && vcpu->length < ARRAY_SIZE(first_exits))
        return first_exits[vcpu->length++];
    if ((vcpu->register_of && hv->irq_ready(vcpu)) || move_priority(vcpu))
        return (struct vm_exit){ .reason = VM_EXIT_WINDOW };
    if (vcpu->apic == HV_APIC_PAGE && fuzz_one_in(8))
        return apic_write(vcpu);
    switch (fuzz_below(8)) {
    case 0:
    case 1: return guest_memory_exit();
    case 2:
    case 3: return port_access();
    case 4:
    case 5: return msr();
    case 6:
        if (!fuzz_one_in(128))
            return exit;
        exit.reason = fuzz_one_in(2) ? VM_EXIT_RESET : VM_EXIT_FATAL;
        exit.fatal.what = exit.reason == VM_EXIT_FATAL ? "chance" : NULL;
        return exit;
    default: exit.ipi.value = fuzz_below(5) << 56 | (fuzz_next() & 0xfffff); return exit;
    }
}

/* --- the backend: event is a queued vector + 1, register_of an asked window, nmi_blocked IF's
 * opposite, length how many of the first exits there were, dr6 the class that TPR is to fall below
 * --- */

static void vcpu_reset(struct hv_vcpu *vcpu, const struct hv_reset *reset)
{
    assert_false(vcpu->loaded);
    vcpu->id = reset->id;
    vcpu->event = 0;
    vcpu->register_of = 0;
    vcpu->length = 0;
    vcpu->dr6 = 0;
    vcpu->nmi_blocked = false;
    vcpu->gpr[GPR_RAX] = reset->entry;
}

/* What was injected is delivered, and it allows the next one or not. */
void guest_act(struct hv_vcpu *vcpu)
{
    vcpu->event = 0;
    vcpu->nmi_blocked = fuzz_one_in(3);
}

static void finish_read(struct hv_vcpu *vcpu, const struct vm_exit *exit, uint64_t value)
{
    (void)exit;
    vcpu->gpr[GPR_RAX] = value;
}

static status_t port_element(const struct vm_exit *exit, const struct hv_bus *bus)
{
    uint64_t value = fuzz_value();

    if (exit->pio.write)
        return bus->port_write(bus->context, exit->pio.port, exit->pio.size, value);
    return bus->port_read(bus->context, exit->pio.port, exit->pio.size, &value);
}

static status_t bus_access(const struct hv_bus *bus)
{
    const unsigned size = 1u << fuzz_below(4);
    uint64_t value = fuzz_value();

    switch (fuzz_below(4)) {
    case 0: return bus->read(bus->context, guest_address(), size, &value);
    case 1: return bus->write(bus->context, guest_address(), size, value);
    case 2: return bus->read_memory(bus->context, guest_address(), &value, 1 + fuzz_below(8));
    default:
        return bus->exchange_memory(bus->context, gpa(guest_address().raw & ~7ULL),
                                    fuzz_one_in(2) ? 4 : 8, value, fuzz_value());
    }
}

static status_t emulate(struct hv_vcpu *vcpu, const struct vm_exit *exit, const struct hv_bus *bus)
{
    status_t status = OK;

    (void)vcpu;
    for (uint64_t n = fuzz_below(6); n > 0 && status == OK; n--)
        status = exit->reason == VM_EXIT_PIO && fuzz_one_in(2) ? port_element(exit, bus)
                                                               : bus_access(bus);
    return fuzz_one_in(32) ? ERR_UNSUPPORTED : status == ERR_BAD_STATE ? OK : status;
}

static bool irq_ready(const struct hv_vcpu *vcpu)
{
    assert_true(vcpu->loaded);
    return vcpu->event == 0 && !vcpu->nmi_blocked;
}

static void inject_irq(struct hv_vcpu *vcpu, uint8_t vector)
{
    assert_true(irq_ready(vcpu));
    vcpu->event = vector + 1u;
}

static void ask_window(struct hv_vcpu *vcpu, bool ask)
{
    assert_true(vcpu->loaded);
    vcpu->register_of = ask;
}

static void watch_priority(struct hv_vcpu *vcpu, uint8_t class)
{
    assert_true(vcpu->loaded);
    vcpu->dr6 = class;
}

static bool set_apic(struct hv_vcpu *vcpu, enum hv_apic how, uint32_t *registers)
{
    vcpu->apic = (uint8_t)how;
    vcpu->apic_registers = registers;
    return how == HV_APIC_PAGE;
}

/* Of no machine: that it is mapped is enough. */
static bool apic_place(paddr_t *page)
{
    *page = paddr(0x123000);
    return true;
}

static uint64_t pc(const struct hv_vcpu *vcpu)
{
    return vcpu->gpr[GPR_RAX];
}

static void describe(const struct hv_vcpu *vcpu, hv_print print, void *context)
{
    print(context, "rax", vcpu->gpr[GPR_RAX]);
}

static const struct hv_ops ops = {
    .vcpu_reset = vcpu_reset,
    .finish_read = finish_read,
    .emulate = emulate,
    .irq_ready = irq_ready,
    .inject_irq = inject_irq,
    .inject_nmi = guest_nothing,
    .ask_window = ask_window,
    .watch_priority = watch_priority,
    .inject_gp = guest_nothing,
    .set_apic = set_apic,
    .apic_place = apic_place,
    .pc = pc,
    .frame_pointer = pc,
    .describe = describe,
    GUEST_OPS,
};
const struct hv_ops *hv = &ops;

/* --- rounds --- */

static struct vm_config config(void)
{
    static const char kernel[] = "a kernel";
    struct vm_config out = guest_config("pc");

    out.kernel = (struct blob){ kernel, sizeof(kernel) };
    out.device_count = 1;
    out.devices[0] = (struct vm_config_device){ .type = "ide", .irq = 14, .disk = "disk" };
    return out;
}

static void one_life(void)
{
    world_live(config, EXITS);
}

static void a_pc_survives_its_guest_and_its_management(void **state)
{
    static const struct ram_disk_config disk = { .name = "disk", .size = 1 << 16 };
    static const struct world_ops none = { 0 };
    static const uint8_t sectors[1 << 16];

    (void)state;
    world_make(&none);
    assert_int_equal(ram_disk_create(&disk), OK);
    /* Now, so that it takes no more memory later. */
    assert_int_equal(
        ram_disk_write(ram_disk_find("disk"), 0, sizeof(sectors) / RAM_DISK_SECTOR, sectors), OK);
    fuzz(ROUNDS, one_life);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pc_survives_its_guest_and_its_management),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
