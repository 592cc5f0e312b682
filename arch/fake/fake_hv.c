/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A backend whose guest is a script: the test writes the exits, vcpu_run hands them out, and
 * what vm/ did about each is left in struct hv_vcpu.
 */

#include <arch/vcpu.h>

#define INSTRUCTION_BYTES 4

static status_t probe(const char **why)
{
    (void)why;
    return OK;
}

static void vcpu_reset(struct hv_vcpu *vcpu, const struct hv_reset *reset)
{
    for (unsigned i = 0; i < 31; i++)
        vcpu->x[i] = i < 4 ? reset->arg[i] : 0;
    vcpu->pc = reset->entry;
    vcpu->reset = *reset;
}

static void vcpu_set_space(struct hv_vcpu *vcpu, paddr_t root, uint32_t tag)
{
    vcpu->root = root;
    vcpu->tag = tag;
}

static void vcpu_load(struct hv_vcpu *vcpu)
{
    vcpu->loaded = true;
}

static void vcpu_put(struct hv_vcpu *vcpu)
{
    vcpu->loaded = false;
}

static void vcpu_run(struct hv_vcpu *vcpu, hv_answer answer)
{
    struct vm_exit exit;

    do {
        vcpu->runs++;
        if (vcpu->next != vcpu->last)
            exit = *vcpu->next++;
        else
            exit = (struct vm_exit){ .reason = VM_EXIT_HALT };
    } while (answer(vcpu, &exit));
}

static void vcpu_trap_halt(struct hv_vcpu *vcpu, bool trap)
{
    vcpu->trap_halt = trap;
}

static void skip(struct hv_vcpu *vcpu)
{
    vcpu->pc += INSTRUCTION_BYTES;
}

static void finish_read(struct hv_vcpu *vcpu, const struct vm_exit *exit, uint64_t value)
{
    (void)exit;
    vcpu->last_read = value;
    skip(vcpu);
}

static void finish_write(struct hv_vcpu *vcpu, const struct vm_exit *exit)
{
    (void)exit;
    skip(vcpu);
}

/* The script's undecoded exit tells size and value all the same; size 0 is no known access. */
static status_t emulate(struct hv_vcpu *vcpu, const struct vm_exit *exit, const struct hv_bus *bus)
{
    status_t status = ERR_UNSUPPORTED;

    if (exit->memory.size == 0)
        return status;
    if (exit->memory.access & VM_ACCESS_WRITE)
        status = bus->write(bus->context, exit->memory.gpa, exit->memory.size, exit->memory.value);
    else
        status = bus->read(bus->context, exit->memory.gpa, exit->memory.size, &vcpu->last_read);
    if (status == OK)
        skip(vcpu);
    return status;
}

static void inject_bus_fault(struct hv_vcpu *vcpu, const struct vm_exit *exit)
{
    (void)exit;
    vcpu->bus_faults++;
}

static uint64_t pc(const struct hv_vcpu *vcpu)
{
    return vcpu->pc;
}

static uint64_t frame_pointer(const struct hv_vcpu *vcpu)
{
    return vcpu->x[29];
}

/* The guest's MMU is off. */
static status_t translate(struct hv_vcpu *vcpu, uint64_t gva, uint8_t access, gpa_t *out)
{
    (void)vcpu;
    (void)access;
    *out = gpa(gva);
    return OK;
}

static void describe(const struct hv_vcpu *vcpu, hv_print print, void *context)
{
    print(context, "pc", vcpu->pc);
}

static const struct hv_ops fake_ops = {
    .name = "fake",
    .probe = probe,
    .cpu_enable = probe,
    .vcpu_reset = vcpu_reset,
    .vcpu_set_space = vcpu_set_space,
    .vcpu_load = vcpu_load,
    .vcpu_put = vcpu_put,
    .vcpu_run = vcpu_run,
    .vcpu_trap_halt = vcpu_trap_halt,
    .finish_read = finish_read,
    .finish_write = finish_write,
    .emulate = emulate,
    .inject_bus_fault = inject_bus_fault,
    .skip = skip,
    .pc = pc,
    .frame_pointer = frame_pointer,
    .translate = translate,
    .describe = describe,
};

const struct hv_ops *hv = &fake_ops;

status_t arch_hv_select(const char **why)
{
    (void)why;
    return OK;
}
