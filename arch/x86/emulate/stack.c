/* SPDX-License-Identifier: BSD-2-Clause */
/* PUSH and POP of an operand in memory. */
#include "arch/x86/emulate/emulation.h"

/* Bytes of the stack pointer that count. */
static unsigned stack_width(const struct emulation *e)
{
    if (e->mode == INSN_MODE_64)
        return 8;
    return x86_guest->segment(e->vcpu, SEG_SS).attributes & SEGMENT_BIG ? 4 : 2;
}

static status_t push(struct emulation *e)
{
    const struct insn *insn = &e->insn;
    const unsigned width = stack_width(e);
    const uint64_t top = low_bytes(emulate_get(e, GPR_RSP, width) - insn->size, width);
    struct place from, to;
    uint64_t value;
    status_t status =
        emulate_locate(e, SLOT_SOURCE, insn->segment, emulate_offset(e), insn->size, false, &from);

    if (status == OK)
        status = emulate_locate(e, SLOT_TARGET, SEG_SS, top, insn->size, true, &to);
    if (status == OK)
        status = emulate_load(e, &from, &value);
    if (status == OK)
        status = emulate_store(e, &to, value);
    if (status == OK)
        emulate_set(e, GPR_RSP, width, top);
    return status;
}

/* An address with RSP as its base is computed with what RSP becomes. */
static status_t pop(struct emulation *e)
{
    const struct insn *insn = &e->insn;
    const unsigned width = stack_width(e);
    const uint64_t top = emulate_get(e, GPR_RSP, width);
    const uint64_t offset = emulate_offset(e) + (insn->base == GPR_RSP ? insn->size : 0);
    struct place from, to;
    uint64_t value;
    status_t status = emulate_locate(e, SLOT_SOURCE, SEG_SS, top, insn->size, false, &from);

    if (status == OK)
        status = emulate_locate(e, SLOT_TARGET, insn->segment,
                                low_bytes(offset, insn->address_size), insn->size, true, &to);
    if (status == OK)
        status = emulate_load(e, &from, &value);
    if (status == OK)
        status = emulate_store(e, &to, value);
    if (status == OK)
        emulate_set(e, GPR_RSP, width, top + insn->size);
    return status;
}

status_t emulate_stack(struct emulation *e)
{
    if (e->insn.lock)
        return emulate_raise(e, VECTOR_UD);
    return e->insn.op == INSN_PUSH ? push(e) : pop(e);
}
