/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A whole VM, machine pc, over the real vm/ and kernel/, on two host CPUs that take turns at a
 * guest's exits: where a CPU of the machine holds no lock, the other one may do anything. What
 * the guest's exits are, and when somebody pauses, restarts or stops the VM, is at random.
 *
 *     sched_turn -> vcpu_run (here) -> exit -> vm/exit.c … -> back here
 *                       +-> the other CPU's sched_turn, timers, work of the management
 *
 * It fails when something spins for ever, when a lock is left held, when the VM does not come
 * to rest, or when it leaves memory behind.
 */
#include <arch/vcpu.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch/fake/fake.h"
#include "arch/hv.h"
#include "arch/mmu.h"
#include "drivers/rtc/rtc.h"
#include "kernel/bootmem.h"
#include "kernel/irq.h"
#include "kernel/log.h"
#include "kernel/panic.h"
#include "kernel/percpu.h"
#include "kernel/pmm.h"
#include "tests/fuzz/fuzz.h"
#include "vm/machine/machine_pc.h"
#include "vm/ram_disk.h"
#include "vm/vm.h"

#define CPUS 2
#define ARENA_BYTES ((size_t)64 << 20)
#define ROUNDS 150
#define EXITS 1500
#define REST_TURNS 100000
#define SPINS 1000000

static struct cpu *cpus[CPUS];
static bool in_guest[CPUS];
static unsigned exits_left;
static struct vm *vm;

uint32_t rtc_now(void)
{
    return 1700000000;
}

void fuzz_spins(void)
{
    static unsigned spins;

    if (++spins == SPINS)
        panic("a lock, or what else is waited for, never comes");
}

/* --- the world around the VM --- */

static void manage(struct sched_work *work)
{
    static const uint8_t keys[] = "keys\r\x1d"
                                  "1";

    (void)work;
    switch (fuzz_below(9)) {
    case 0: (void)vm_pause(vm); break;
    case 1:
    case 2:
    case 3: (void)vm_resume(vm); break;
    case 4: (void)vm_restart(vm); break;
    case 5: (void)vm_shutdown(vm, (unsigned)fuzz_below(100)); break;
    case 6: (void)vm_inject_interrupt(vm, fuzz_below(16), (uint32_t)fuzz_below(32)); break;
    case 7: (void)vm_write_guest_u64(vm, gpa(8 * fuzz_below(1 << 20)), fuzz_value()); break;
    default: console_typed(keys, (unsigned)(1 + fuzz_below(sizeof(keys) - 1))); break;
    }
}

static struct sched_work management = { .run = manage };

static void pass_time(void)
{
    fake_counter_set(arch_counter() + (fuzz_next() >> 34 >> fuzz_below(30)));
}

/* Pending: time has passed, so timers are due. */
static uint32_t ack(void)
{
    pass_time();
    timer_interrupt();
    if (fuzz_one_in(8))
        (void)sched_post(cpus[fuzz_below(CPUS)], &management);
    return IRQ_NONE;
}

static void send_ipi(unsigned cpu)
{
    assert_true(cpu < CPUS);
}

static const struct irqchip chip = { .name = "fuzz", .ack = ack, .send_ipi = send_ipi };

static void turn_of(unsigned id)
{
    void *const before = arch_this_cpu();

    arch_set_this_cpu(cpus[id]);
    (void)sched_turn();
    timer_interrupt();
    arch_set_this_cpu(before);
}

/* While this CPU is in its guest, those do something that are not. */
static void let_others_run(void)
{
    for (unsigned id = 0; id < CPUS; id++)
        if (!in_guest[id] && fuzz_one_in(2))
            turn_of(id);
}

static void check_locks(void)
{
    assert_int_equal(vm->lock.held, 0);
    assert_int_equal(vm->space.stage2.lock.held, 0);
    assert_int_equal(vm->space.guard, 0);
    for (const struct vdev *dev = vm->devices; dev != NULL; dev = dev->next)
        assert_int_equal(dev->lock.held, 0);
    for (unsigned id = 0; id < CPUS; id++)
        assert_int_equal(cpus[id]->sched.lock.held | cpus[id]->timers.lock.held, 0);
}

/* --- the guest --- */

static gpa_t address(void)
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
static uint64_t written(void)
{
    static const uint8_t bytes[] = { 0x00, 0x01, 0x02, 0x11, 0x13, 0x20, 0x30, 0x34,
                                     0x36, 0xa1, 0xd1, 0xec, 0xed, 0xf0, 0xfe, 0xff };

    return fuzz_one_in(2) ? bytes[fuzz_below(sizeof(bytes))] : fuzz_value();
}

static struct vm_exit memory(void)
{
    static const uint8_t accesses[] = { VM_ACCESS_READ, VM_ACCESS_WRITE, VM_ACCESS_WRITE,
                                        VM_ACCESS_EXEC };
    struct vm_exit exit = { .reason = VM_EXIT_MEMORY };

    exit.memory.gpa = address();
    exit.memory.value = written();
    exit.memory.access = accesses[fuzz_below(fuzz_one_in(64) ? 4 : 3)];
    exit.memory.size = (uint8_t)(1 << fuzz_below(4));
    exit.memory.decoded = exit.memory.access != VM_ACCESS_EXEC && !fuzz_one_in(4);
    exit.memory.table_walk = !exit.memory.decoded && fuzz_one_in(4);
    exit.memory.permission = fuzz_one_in(8);
    return exit;
}

/* What ends the VM, or one of its CPUs, is seldom: 0xfe to 0x64, the reset and power ports. */
static struct vm_exit port_access(void)
{
    struct vm_exit exit = { .reason = VM_EXIT_PIO };

    exit.pio.port = port();
    exit.pio.size = (uint8_t)(1 << fuzz_below(3));
    exit.pio.value = written();
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
    exit.msr.value = written();
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

static struct vm_exit random_exit(struct hv_vcpu *vcpu)
{
    static const uint8_t others[] = { VM_EXIT_IRQ,   VM_EXIT_IRQ,       VM_EXIT_HALT,
                                      VM_EXIT_YIELD, VM_EXIT_HYPERCALL, VM_EXIT_IPI };
    struct vm_exit exit = { .reason = others[fuzz_below(ARRAY_SIZE(others))] };

    if (vcpu->id == 0 && vcpu->length < ARRAY_SIZE(first_exits))
        return first_exits[vcpu->length++];
    if (vcpu->register_of && hv->irq_ready(vcpu))
        return (struct vm_exit){ .reason = VM_EXIT_WINDOW };
    switch (fuzz_below(8)) {
    case 0:
    case 1: return memory();
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
 * opposite, length how many of the first exits there were --- */

static void vcpu_reset(struct hv_vcpu *vcpu, const struct hv_reset *reset)
{
    assert_false(vcpu->loaded);
    vcpu->id = reset->id;
    vcpu->event = 0;
    vcpu->register_of = 0;
    vcpu->length = 0;
    vcpu->nmi_blocked = false;
    vcpu->gpr[GPR_RAX] = reset->entry;
}

static void vcpu_set_space(struct hv_vcpu *vcpu, paddr_t root, uint32_t tag)
{
    vcpu->root = root;
    vcpu->tag = tag;
}

static void vcpu_load(struct hv_vcpu *vcpu)
{
    assert_false(vcpu->loaded);
    vcpu->loaded = true;
}

static void vcpu_put(struct hv_vcpu *vcpu)
{
    assert_true(vcpu->loaded);
    vcpu->loaded = false;
}

static void vcpu_run(struct hv_vcpu *vcpu, hv_answer answer)
{
    const unsigned here = this_cpu()->id;
    struct vm_exit exit;
    bool again;

    do {
        assert_true(vcpu->loaded);
        vcpu->event = 0; /* delivered */
        vcpu->nmi_blocked = fuzz_one_in(3);
        in_guest[here] = true;
        let_others_run();
        in_guest[here] = false;
        if (exits_left != 0) {
            exits_left--;
            exit = random_exit(vcpu);
        } else {
            exit = (struct vm_exit){ .reason = VM_EXIT_YIELD };
            (void)vm_stop(vm);
        }
        again = answer(vcpu, &exit);
        check_locks();
    } while (again);
}

static void vcpu_trap_halt(struct hv_vcpu *vcpu, bool trap)
{
    assert_true(vcpu->loaded);
    vcpu->trap_halt = trap;
}

static void finish_read(struct hv_vcpu *vcpu, const struct vm_exit *exit, uint64_t value)
{
    (void)exit;
    vcpu->gpr[GPR_RAX] = value;
}

static void finish_write(struct hv_vcpu *vcpu, const struct vm_exit *exit)
{
    (void)vcpu;
    (void)exit;
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
    case 0: return bus->read(bus->context, address(), size, &value);
    case 1: return bus->write(bus->context, address(), size, value);
    case 2: return bus->read_memory(bus->context, address(), &value, 1 + fuzz_below(8));
    default:
        return bus->exchange_memory(bus->context, gpa(address().raw & ~7ULL),
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

static void nothing_for_exit(struct hv_vcpu *vcpu, const struct vm_exit *exit)
{
    (void)vcpu;
    (void)exit;
}

static void nothing(struct hv_vcpu *vcpu)
{
    (void)vcpu;
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

static uint64_t pc(const struct hv_vcpu *vcpu)
{
    return vcpu->gpr[GPR_RAX];
}

static status_t translate(struct hv_vcpu *vcpu, uint64_t gva, uint8_t access, gpa_t *out)
{
    (void)vcpu;
    (void)access;
    *out = gpa(gva);
    return fuzz_one_in(2) ? OK : ERR_NOT_FOUND;
}

static void describe(const struct hv_vcpu *vcpu, hv_print print, void *context)
{
    print(context, "rax", vcpu->gpr[GPR_RAX]);
}

static const struct hv_ops ops = {
    .name = "fuzz",
    .vcpu_reset = vcpu_reset,
    .vcpu_set_space = vcpu_set_space,
    .vcpu_load = vcpu_load,
    .vcpu_put = vcpu_put,
    .vcpu_run = vcpu_run,
    .vcpu_trap_halt = vcpu_trap_halt,
    .finish_read = finish_read,
    .finish_write = finish_write,
    .emulate = emulate,
    .inject_bus_fault = nothing_for_exit,
    .skip = nothing,
    .irq_ready = irq_ready,
    .inject_irq = inject_irq,
    .inject_nmi = nothing,
    .ask_window = ask_window,
    .inject_gp = nothing,
    .pc = pc,
    .frame_pointer = pc,
    .translate = translate,
    .describe = describe,
};
const struct hv_ops *hv = &ops;

/* --- rounds --- */

static struct vm_config config(void)
{
    static const char kernel[] = "a kernel";
    struct vm_config out;

    vm_config_init(&out);
    strcpy(out.name, "fuzz");
    strcpy(out.machine, "pc");
    out.cpus = 1 + (unsigned)fuzz_below(4);
    out.memory = 4 << 20;
    out.kernel = (struct blob){ kernel, sizeof(kernel) };
    out.format = VM_IMAGE_RAW;
    out.affinity = 1 + fuzz_below(3);
    out.restart = (enum vm_restart)fuzz_below(3);
    out.device_count = 1;
    out.devices[0] = (struct vm_config_device){ .type = "ide", .irq = 14, .disk = "disk" };
    return out;
}

static bool is_at_rest(void)
{
    return vm->state == VM_STOPPED || vm->state == VM_CRASHED;
}

static void come_to_rest(void)
{
    for (unsigned turns = 0; !is_at_rest() || vm_destroy(vm) != OK; turns++) {
        if (turns == REST_TURNS)
            panic("it does not come to rest: %s", vm_state_name(vm->state));
        pass_time();
        turn_of(turns % CPUS);
        if (exits_left == 0 && vm->end == VM_END_NONE && !vm->busy && !is_at_rest())
            (void)vm_stop(vm);
    }
}

static void one_life(void)
{
    const struct vm_config it = config();
    const size_t free_before = pmm_free_count();

    exits_left = EXITS;
    assert_int_equal(vm_create(&it, &vm), OK);
    assert_int_equal(vm_boot(vm), OK);
    for (unsigned turns = 0; exits_left != 0 && turns < EXITS; turns++) {
        (void)ack();
        turn_of((unsigned)fuzz_below(CPUS));
    }
    exits_left = 0;
    come_to_rest();
    assert_int_equal(pmm_free_count(), free_before);
}

static void a_pc_survives_its_guest_and_its_management(void **state)
{
    (void)state;
    fuzz(ROUNDS, one_life);
}

static void swallow(const char *text, unsigned length)
{
    (void)text;
    (void)length;
}

static int make_world(void **state)
{
    static uint8_t pages[2 << 20] __attribute__((aligned(4096)));
    static pmm_arena_t arena;
    static const struct ram_disk_config disk = { .name = "disk", .size = 1 << 20 };

    (void)state;
    fake_ram_init();
    bootmem_add(pages, sizeof(pages));
    if (pmm_arena_init(&arena, paddr(FAKE_RAM_BASE), ARENA_BYTES) != OK)
        return -1;
    pmm_add_arena(&arena);
    for (unsigned id = 0; id < CPUS; id++) {
        cpus[id] = cpu_new(id);
        cpu_set_online(cpus[id]);
    }
    arch_set_this_cpu(cpus[0]);
    irq_set_chip(&chip);
    console_init(swallow);
    log_set_sink(swallow);
    return ram_disk_create(&disk) == OK ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pc_survives_its_guest_and_its_management),
    };

    return cmocka_run_group_tests(tests, make_world, NULL);
}
