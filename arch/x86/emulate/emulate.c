/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Emulation: fetch, decode, carry out, then either retire or give the guest its fault.
 */
#include "arch/x86/emulate/emulate.h"

#include "arch/x86/emulate/emulation.h"
#include "arch/x86/emulate/watch.h"

/* --- registers --- */

static bool is_high_byte(const struct emulation *e, unsigned reg, unsigned size)
{
    return size == 1 && !e->insn.rex && reg >= GPR_RSP && reg <= GPR_RDI;
}

static uint64_t get_full(const struct emulation *e, unsigned reg)
{
    return reg == GPR_RSP ? x86_guest->get(e->vcpu, REG_RSP) : e->vcpu->gpr[reg];
}

static void set_full(struct emulation *e, unsigned reg, uint64_t value)
{
    if (reg == GPR_RSP)
        x86_guest->set(e->vcpu, REG_RSP, value);
    else
        e->vcpu->gpr[reg] = value;
}

uint64_t emulate_get(const struct emulation *e, unsigned reg, unsigned size)
{
    if (is_high_byte(e, reg, size))
        return get_full(e, reg - 4) >> 8 & 0xff;
    return low_bytes(get_full(e, reg), size);
}

/* Of 4 bytes: the rest becomes 0; of less: it stays. */
void emulate_set(struct emulation *e, unsigned reg, unsigned size, uint64_t value)
{
    if (is_high_byte(e, reg, size))
        set_full(e, reg - 4, (get_full(e, reg - 4) & ~0xff00ULL) | (value & 0xff) << 8);
    else if (size >= 4)
        set_full(e, reg, low_bytes(value, size));
    else
        set_full(e, reg, (get_full(e, reg) & ~low_bytes(~0ULL, size)) | low_bytes(value, size));
}

/* --- fetch --- */

/* Where the code at RIP is, and how many bytes of it the segment allows. */
static status_t code_span(struct emulation *e, const struct x86_segment_state *cs, uint64_t *linear,
                          uint64_t *allowed)
{
    *linear = e->rip;
    *allowed = INSN_MAX_BYTES;
    if (e->mode == INSN_MODE_64)
        return OK;
    *linear = (uint32_t)(cs->base + e->rip);
    if (e->rip > cs->limit)
        return emulate_raise(e, VECTOR_GP);
    *allowed = MIN(cs->limit - e->rip + 1, (uint64_t)INSN_MAX_BYTES);
    return OK;
}

static status_t fetch_bytes(struct emulation *e, uint64_t linear, uint8_t *to, uint64_t bytes)
{
    gpa_t at;
    status_t status = emulate_translate(e, linear, PF_FETCH, &at);

    return status == OK ? e->bus->read_memory(e->bus->context, at, to, bytes) : status;
}

/* A port access is INS or OUTS, unless that was written over meanwhile. */
static bool has_what_exited(const struct emulation *e)
{
    return e->exit->reason != VM_EXIT_PIO || e->insn.op == INSN_INS || e->insn.op == INSN_OUTS;
}

/* The second page is looked at only if the instruction goes on there. */
static status_t fetch(struct emulation *e, const struct x86_segment_state *cs)
{
    uint8_t code[INSN_MAX_BYTES];
    uint64_t linear, allowed, first;
    status_t status = code_span(e, cs, &linear, &allowed);

    if (status != OK)
        return status;
    first = MIN(PAGE_SIZE - (linear & PAGE_MASK), allowed);
    status = fetch_bytes(e, linear, code, first);
    if (status != OK)
        return status;
    status = insn_decode(code, first, e->mode, &e->insn);
    if (status == ERR_NOT_FOUND && first < allowed) {
        linear += first;
        if (e->mode != INSN_MODE_64)
            linear = (uint32_t)linear;
        status = fetch_bytes(e, linear, code + first, allowed - first);
        if (status != OK)
            return status;
        status = insn_decode(code, allowed, e->mode, &e->insn);
    }
    if (status == ERR_NOT_FOUND || status == ERR_INVALID_ARGS)
        return emulate_raise(e, VECTOR_GP); /* beyond the segment; too long */
    return has_what_exited(e) ? status : emulate_again(e);
}

/* --- dispatch --- */

static status_t carry_out(struct emulation *e)
{
    const enum insn_op op = e->insn.op;
    const bool string = op >= INSN_MOVS && op <= INSN_OUTS;
    const bool stack = op == INSN_PUSH || op == INSN_POP;
    const bool wide = op == INSN_CMPXCHG_PAIR || op == INSN_MOVE_XMM;

    if (op == INSN_OTHER || op > INSN_OUTS)
        return ERR_UNSUPPORTED;
    if (string)
        return emulate_string(e);
    if (!e->insn.memory) /* not what exited, unless its stack is in a device */
        return stack ? ERR_UNSUPPORTED : emulate_again(e);
    e->one_operand = !stack;
    if (unlikely(wide))
        return emulate_wide(e);
    return stack ? emulate_stack(e) : emulate_data(e);
}

static void retire(struct emulation *e, uint64_t rflags_before)
{
    const uint64_t rip = e->rip + e->insn.length;

    x86_guest->set(e->vcpu, REG_RIP, e->mode == INSN_MODE_64 ? rip : (uint32_t)rip);
    e->rflags &= ~RFLAGS_RF;
    if (e->rflags != rflags_before)
        x86_guest->set(e->vcpu, REG_RFLAGS, e->rflags);
    x86_guest->retired(e->vcpu, e->met);
}

/* A trap behind an element of a string that is not the last has RF set, SDM 3B 17.3.1.1. */
static void step(struct emulation *e)
{
    x86_guest->retired(e->vcpu, e->met);
    x86_guest->set(e->vcpu, REG_RFLAGS, e->rflags | RFLAGS_RF);
}

/* The saved flags of a fault have RF set, SDM 3B 17.3.1.1. Real mode knows no error codes. */
static void inject(struct emulation *e, uint64_t rflags_before)
{
    const bool has_error = e->fault.vector != VECTOR_UD && e->paging.cr0 & CR0_PE;

    x86_guest->set(e->vcpu, REG_RFLAGS, rflags_before | RFLAGS_RF);
    if (e->fault.vector == VECTOR_PF)
        x86_inject_page_fault(e->vcpu, e->fault.address, e->fault.error);
    else
        x86_guest->inject_exception(e->vcpu, e->fault.vector, has_error ? 0 : -1);
}

static enum insn_mode mode_of(const struct emulation *e, const struct x86_segment_state *cs)
{
    if (e->paging.efer & EFER_LMA && cs->attributes & SEGMENT_LONG)
        return INSN_MODE_64;
    return cs->attributes & SEGMENT_BIG ? INSN_MODE_32 : INSN_MODE_16;
}

status_t x86_emulate(struct hv_vcpu *vcpu, const struct vm_exit *exit, const struct hv_bus *bus)
{
    const struct x86_segment_state cs = x86_guest->segment(vcpu, SEG_CS);
    const uint64_t rflags = x86_guest->get(vcpu, REG_RFLAGS);
    struct emulation e; /* the windows are not worth clearing */
    status_t status;

    if (exit->reason == VM_EXIT_MEMORY && x86_guest->delivering(vcpu))
        return ERR_UNSUPPORTED; /* an event's stack is in a device */
    e.vcpu = vcpu;
    e.exit = exit;
    e.bus = bus;
    e.paging = x86_paging_of(vcpu);
    e.cpl = (uint8_t)x86_guest->get(vcpu, REG_CPL);
    e.rip = x86_guest->get(vcpu, REG_RIP);
    e.rflags = rflags;
    e.one_operand = false;
    e.watched = x86_watched(vcpu);
    e.met = 0;
    e.outcome = OUTCOME_NONE;
    for (unsigned slot = 0; slot < SLOT_COUNT; slot++)
        e.window[slot].has_segment = e.window[slot].has_page = false;
    e.mode = mode_of(&e, &cs);
    e.descriptors = e.paging.cr0 & CR0_PE && !(rflags & RFLAGS_VM);
    status = fetch(&e, &cs);
    if (status == OK)
        status = carry_out(&e);
    if (status == OK)
        retire(&e, rflags);
    else if (e.outcome == OUTCOME_FAULT)
        inject(&e, rflags);
    else if (e.outcome == OUTCOME_STEP)
        step(&e);
    return e.outcome == OUTCOME_NONE ? status : OK;
}
