/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Operands wider than the bus, in parts of 8 bytes: CMPXCHG8B, CMPXCHG16B, moves of XMM
 * registers.
 */
#include "arch/x86/emulate/emulation.h"
#include "arch/x86/emulate/xmm.h"

#define PART 8u
#define WIDEST 16u

/* Where the operand's part from byte `at` on is; `whole` is perhaps in two pages. */
static struct place part_of(const struct place *whole, unsigned at)
{
    const unsigned size = MIN(whole->size - at, PART);
    struct place part = { .size = (uint8_t)size };

    if (at >= whole->in_first) {
        part.first = gpa_add(whole->second, at - whole->in_first);
        part.in_first = part.size;
        return part;
    }
    part.first = gpa_add(whole->first, at);
    part.second = whole->second;
    part.in_first = (uint8_t)MIN(whole->in_first - at, size);
    return part;
}

static status_t load(struct emulation *e, const struct place *place, uint64_t value[2])
{
    for (unsigned at = 0; at < place->size; at += PART) {
        const struct place part = part_of(place, at);
        const status_t status = emulate_load(e, &part, &value[at / PART]);

        if (status != OK)
            return status;
    }
    return OK;
}

static status_t store(struct emulation *e, const struct place *place, const uint64_t value[2])
{
    for (unsigned at = 0; at < place->size; at += PART) {
        const struct place part = part_of(place, at);
        const status_t status = emulate_store(e, &part, value[at / PART]);

        if (status != OK)
            return status;
    }
    return OK;
}

/* The offset's alignment is the linear address's, where segments start at multiples of it. */
static status_t locate(struct emulation *e, bool write, bool aligned, struct place *out)
{
    const struct insn *insn = &e->insn;
    const status_t status = emulate_locate(e, SLOT_SOURCE, insn->segment, emulate_offset(e),
                                           insn->memory_size, write, out);

    if (status == OK && aligned && out->first.raw % WIDEST != 0)
        return emulate_raise(e, VECTOR_GP);
    return status;
}

/* RDX:RAX is what is expected, RCX:RBX what is to come; or their lower halves. */
static status_t compare_exchange_pair(struct emulation *e)
{
    const unsigned size = e->insn.size;
    const uint64_t expected[2] = { emulate_get(e, GPR_RAX, size), emulate_get(e, GPR_RDX, size) };
    const uint64_t wanted[2] = { emulate_get(e, GPR_RBX, size), emulate_get(e, GPR_RCX, size) };
    uint64_t found[2] = { 0 };
    uint64_t put[2];
    struct place place;
    bool equal;
    status_t status = locate(e, true, size == PART, &place);

    if (status == OK)
        status = load(e, &place, found);
    if (status != OK)
        return status;
    if (size == 4) {
        found[1] = found[0] >> 32;
        found[0] = (uint32_t)found[0];
    }
    equal = found[0] == expected[0] && found[1] == expected[1];
    put[0] = equal ? wanted[0] : found[0]; /* written all the same */
    put[1] = equal ? wanted[1] : found[1];
    if (size == 4)
        put[0] |= put[1] << 32;
    status = store(e, &place, put);
    if (status != OK)
        return status;
    if (!equal) {
        emulate_set(e, GPR_RAX, size, found[0]);
        emulate_set(e, GPR_RDX, size, found[1]);
    }
    e->rflags = equal ? e->rflags | RFLAGS_ZF : e->rflags & ~RFLAGS_ZF;
    return OK;
}

static status_t load_xmm(struct emulation *e, const struct place *place)
{
    const struct insn *insn = &e->insn;
    const bool high = insn->xmm & XMM_HIGH;
    uint64_t value[2] = { 0 }, found[2] = { 0 };
    const status_t status = load(e, place, found);

    if (status != OK)
        return status;
    if (insn->xmm & XMM_KEEPS)
        x86_xmm_read(insn->reg, value);
    value[high] = found[0];
    if (insn->memory_size == WIDEST)
        value[1] = found[1];
    x86_xmm_write(insn->reg, value);
    return OK;
}

static status_t move_xmm(struct emulation *e)
{
    const struct insn *insn = &e->insn;
    const bool write = insn->form == FORM_RM_REG;
    uint64_t value[2];
    struct place place;
    const status_t status = locate(e, write, insn->xmm & XMM_ALIGNED, &place);

    if (status != OK)
        return status;
    if (!write)
        return load_xmm(e, &place);
    x86_xmm_read(insn->reg, value);
    if (insn->xmm & XMM_HIGH)
        value[0] = value[1];
    return store(e, &place, value);
}

status_t emulate_wide(struct emulation *e)
{
    if (e->insn.op == INSN_CMPXCHG_PAIR)
        return compare_exchange_pair(e);
    return e->insn.lock ? emulate_raise(e, VECTOR_UD) : move_xmm(e);
}
