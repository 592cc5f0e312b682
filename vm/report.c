/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The report of a guest's crash. What a person needs first stands first: what happened and
 * where, then the usual cause, then the evidence.
 *
 *     hello: vCPU 0 crashed: instruction fetch from where there is no memory
 *     hello:   at pc 0x0, address 0x0
 *     hello:   usual cause: ...
 *     hello:   x0 0x... x1 0x... x2 0x... x3 0x...
 *     hello:   code at 0x10030: 1f 20 03 d5 ...
 *     hello:   called from 0x10234
 */

#include "kernel/log.h"
#include "vm/exit.h"
#include "vm/vm.h"

#define CODE_BYTES 16
#define FRAMES_MAX 16
#define REGISTERS_A_LINE 4

/* --- usual causes --- */

struct crash {
    const struct vcpu *vcpu;
    const struct vm_exit *exit;
    uint64_t pc;
    const struct region *at; /* what is at the address; NULL: nothing */
};

static bool is_fetch(const struct crash *crash)
{
    return crash->exit->reason == VM_EXIT_MEMORY && crash->exit->memory.access == VM_ACCESS_EXEC;
}

static bool entry_is_wrong(const struct crash *crash)
{
    return is_fetch(crash) && crash->exit->memory.gpa.raw == crash->vcpu->start.entry;
}

static bool follows_a_stray(const struct crash *crash)
{
    return is_fetch(crash) && crash->vcpu->vm->strays != 0;
}

static bool is_near_null(const struct crash *crash)
{
    return is_fetch(crash) && crash->pc < PAGE_SIZE;
}

static bool is_in_device(const struct crash *crash)
{
    return is_fetch(crash) && crash->at != NULL && crash->at->kind == REGION_DEVICE;
}

static bool host_is_full(const struct crash *crash)
{
    return crash->exit->reason == VM_EXIT_MEMORY && crash->at != NULL &&
           crash->at->kind == REGION_ALLOCATED;
}

static bool is_fatal(const struct crash *crash)
{
    return crash->exit->reason == VM_EXIT_FATAL;
}

static bool always(const struct crash *crash)
{
    (void)crash;
    return true;
}

/* The first that applies. */
static const struct cause {
    bool (*applies)(const struct crash *crash);
    const char *text;
} causes[] = {
    { entry_is_wrong, "it did not run at all: the entry point is outside the VM's memory; check "
                      "'entry', 'load' and 'ram' of its configuration" },
    { follows_a_stray, "an access to a device that the machine lacks, or to a wrong address, and "
                       "no exception vectors yet to handle the fault" },
    { is_near_null, "a call through a null pointer, a return after the stack was overwritten, or "
                    "exception vectors that were never set" },
    { is_in_device, "a jump into device registers: a wild pointer, or an image linked for "
                    "another address than it was loaded at" },
    { is_fetch, "a jump to nowhere: an image linked for another address than it was loaded at, a "
                "wild pointer, or a stack that overflowed" },
    { host_is_full, "the host is short of memory: give its VMs less, or use 'prefault' to find "
                    "out before they run" },
    { is_fatal, "the hardware refused something the guest did" },
    { always, "an instruction used on a device that hardware would not allow there either" },
};

static const char *usual_cause(const struct crash *crash)
{
    const struct cause *cause = causes;

    while (!cause->applies(crash))
        cause++;
    return cause->text;
}

/* --- evidence --- */

/* Registers come one by one and go out some to a line. */
struct register_line {
    const char *vm;
    unsigned count;
    const char *name[REGISTERS_A_LINE];
    unsigned long value[REGISTERS_A_LINE];
};

static void flush_registers(struct register_line *line)
{
    static const unsigned last = REGISTERS_A_LINE;
    const char *const *name = line->name;
    const unsigned long *value = line->value;

    if (line->count == last)
        log_error("%s:   %9s %016lx %9s %016lx %9s %016lx %9s %016lx", line->vm, name[0], value[0],
                  name[1], value[1], name[2], value[2], name[3], value[3]);
    else
        for (unsigned i = 0; i < line->count; i++)
            log_error("%s:   %9s %016lx", line->vm, name[i], value[i]);
    line->count = 0;
}

static void add_register(void *context, const char *name, uint64_t value)
{
    struct register_line *line = context;

    line->name[line->count] = name;
    line->value[line->count] = (unsigned long)value;
    if (++line->count == REGISTERS_A_LINE)
        flush_registers(line);
}

static void report_registers(const struct vcpu *vcpu)
{
    struct register_line line = { .vm = vcpu->vm->config.name };

    hv->describe(&vcpu->hv, add_register, &line);
    flush_registers(&line);
}

/* Guest memory at a guest-virtual address, within one page. */
static bool peek(struct vcpu *vcpu, uint64_t gva, uint8_t access, void *to, size_t bytes)
{
    gpa_t address;

    return (gva & PAGE_MASK) + bytes <= PAGE_SIZE &&
           hv->translate(&vcpu->hv, gva, access, &address) == OK &&
           aspace_read(&vcpu->vm->space, address, to, bytes) == OK;
}

static void report_code(struct vcpu *vcpu, uint64_t pc)
{
    const uint64_t start = ALIGN_DOWN(pc, CODE_BYTES);
    uint8_t b[CODE_BYTES];

    if (!peek(vcpu, start, VM_ACCESS_EXEC, b, sizeof(b))) {
        log_error("%s:   no code can be read at 0x%lx", vcpu->vm->config.name, (unsigned long)pc);
        return;
    }
    log_error("%s:   code at 0x%lx: %02x %02x %02x %02x  %02x %02x %02x %02x  "
              "%02x %02x %02x %02x  %02x %02x %02x %02x",
              vcpu->vm->config.name, (unsigned long)start, b[0], b[1], b[2], b[3], b[4], b[5], b[6],
              b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15]);
}

/* Frames are pairs { caller's frame, return address }, each above the one before. */
static void report_callers(struct vcpu *vcpu)
{
    uint64_t frame = hv->frame_pointer(&vcpu->hv);

    for (unsigned i = 0; i < FRAMES_MAX; i++) {
        uint64_t pair[2];

        if (frame == 0 || !IS_ALIGNED(frame, sizeof(uint64_t)) ||
            !peek(vcpu, frame, VM_ACCESS_READ, &pair[0], sizeof(pair[0])) ||
            !peek(vcpu, frame + sizeof(uint64_t), VM_ACCESS_READ, &pair[1], sizeof(pair[1])))
            return;
        log_error("%s:   called from 0x%lx", vcpu->vm->config.name, (unsigned long)pair[1]);
        if (pair[0] <= frame)
            return;
        frame = pair[0];
    }
}

static void report_place(const struct crash *crash)
{
    const struct vm *vm = crash->vcpu->vm;
    const struct vm_exit *exit = crash->exit;

    if (exit->reason == VM_EXIT_MEMORY)
        log_error("%s:   at pc 0x%lx, address 0x%lx (virtual 0x%lx)", vm->config.name,
                  (unsigned long)crash->pc, (unsigned long)exit->memory.gpa.raw,
                  (unsigned long)exit->memory.gva);
    else
        log_error("%s:   at pc 0x%lx, syndrome 0x%lx", vm->config.name, (unsigned long)crash->pc,
                  (unsigned long)(exit->reason == VM_EXIT_FATAL ? exit->fatal.syndrome : 0));
    if (vm->strays != 0)
        log_error("%s:   before that: %u accesses to nothing, the latest to 0x%lx at pc 0x%lx",
                  vm->config.name, vm->strays, (unsigned long)vm->stray_address.raw,
                  (unsigned long)vm->stray_pc);
}

void report_crash(struct vcpu *vcpu, const struct vm_exit *exit, const char *what)
{
    const struct crash crash = {
        .vcpu = vcpu,
        .exit = exit,
        .pc = hv->pc(&vcpu->hv),
        .at =
            exit->reason == VM_EXIT_MEMORY ? aspace_find(&vcpu->vm->space, exit->memory.gpa) : NULL,
    };

    log_error("%s: vCPU %u crashed: %s", vcpu->vm->config.name, vcpu->id, what);
    report_place(&crash);
    log_error("%s:   usual cause: %s", vcpu->vm->config.name, usual_cause(&crash));
    report_registers(vcpu);
    report_code(vcpu, crash.pc);
    report_callers(vcpu);
}
