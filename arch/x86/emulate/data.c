/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Moves and arithmetic with one operand in memory.
 *
 *     locate -> load -> compute -> store, where it may still fail -> registers, flags
 */
#include "arch/x86/emulate/alu.h"
#include "arch/x86/emulate/emulation.h"

enum { READS = 1 << 0, WRITES = 1 << 1 }; /* its destination */

/* clang-format off */
static const uint8_t traits[INSN_OPS] = {
    [INSN_ADD ... INSN_XOR] = READS | WRITES, [INSN_CMP ... INSN_TEST] = READS,
    [INSN_NOT ... INSN_DEC] = READS | WRITES,
    [INSN_BT] = READS, [INSN_BTS ... INSN_BTC] = READS | WRITES,
    [INSN_ROL ... INSN_SAR] = READS | WRITES, [INSN_IMUL] = WRITES,
    [INSN_MOV ... INSN_SET] = WRITES, [INSN_XCHG ... INSN_CMPXCHG] = READS | WRITES,
};
/* clang-format on */

struct computation {
    uint64_t target, source; /* before */
    uint64_t result;         /* for the target */
    uint64_t rflags;
    unsigned second; /* register that changes as well; INSN_NONE: none */
    uint64_t second_result;
};

static bool is_bit_test(enum insn_op op)
{
    return op >= INSN_BT && op <= INSN_BTC;
}

static bool targets_memory(const struct insn *insn)
{
    return insn->form != FORM_REG_RM && insn->form != FORM_REG_RM_IMM &&
           insn->form != FORM_A_OFFSET;
}

/* The operand that is not in memory. */
static uint64_t other_operand(const struct emulation *e)
{
    const struct insn *insn = &e->insn;

    switch (insn->form) {
    case FORM_RM_IMM:
    case FORM_REG_RM_IMM: return insn->immediate;
    case FORM_RM_1: return 1;
    case FORM_RM_CL: return emulate_get(e, GPR_RCX, 1) & 0xff;
    case FORM_A_OFFSET:
    case FORM_OFFSET_A: return emulate_get(e, GPR_RAX, insn->size);
    default: return emulate_get(e, insn->reg, insn->size);
    }
}

/* A bit number in a register counts from the operand on, either way, in units of its size. */
static uint64_t bit_displacement(const struct emulation *e)
{
    const unsigned size = e->insn.size, unused = 64 - 8 * size;
    const int64_t bit = (int64_t)(emulate_get(e, e->insn.reg, size) << unused) >> unused;

    return (uint64_t)((bit >> 3) & -(int64_t)size);
}

static status_t locate(struct emulation *e, bool write, struct place *out)
{
    const struct insn *insn = &e->insn;
    uint64_t offset = emulate_offset(e);

    if (is_bit_test(insn->op) && insn->form == FORM_RM_REG)
        offset = low_bytes(offset + bit_displacement(e), insn->address_size);
    return emulate_locate(e, SLOT_SOURCE, insn->segment, offset, insn->memory_size, write, out);
}

static uint64_t sign_extend(uint64_t value, unsigned from)
{
    const unsigned unused = 64 - 8 * from;

    return (uint64_t)((int64_t)(value << unused) >> unused);
}

static void compare_exchange(const struct emulation *e, struct computation *c)
{
    const unsigned size = e->insn.size;
    const uint64_t expected = emulate_get(e, GPR_RAX, size);

    x86_alu(INSN_CMP, size, expected, c->target, &c->rflags);
    if (c->rflags & RFLAGS_ZF) {
        c->result = c->source;
    } else {
        c->result = c->target; /* written all the same */
        c->second = GPR_RAX;
        c->second_result = c->target;
    }
}

/* Conditions as opcodes number them, SDM 2B appendix B, table B-10; odd ones are negated. */
static bool holds(unsigned condition, uint64_t rflags)
{
    const bool less = !(rflags & RFLAGS_SF) != !(rflags & RFLAGS_OF);
    const bool even[] = {
        rflags & RFLAGS_OF,
        rflags & RFLAGS_CF,
        rflags & RFLAGS_ZF,
        rflags & (RFLAGS_CF | RFLAGS_ZF),
        rflags & RFLAGS_SF,
        rflags & RFLAGS_PF,
        less,
        less || rflags & RFLAGS_ZF,
    };

    return even[condition >> 1 & 7] != (condition & 1);
}

static void compute(const struct emulation *e, struct computation *c)
{
    const struct insn *insn = &e->insn;

    switch (insn->op) {
    case INSN_MOV:
    case INSN_MOVZX: c->result = c->source; break;
    case INSN_MOVSX: c->result = sign_extend(c->source, insn->memory_size); break;
    case INSN_MOVBE: c->result = __builtin_bswap64(c->source << (64 - 8 * insn->size)); break;
    case INSN_CMOV: c->result = holds(insn->opcode, c->rflags) ? c->source : c->target; break;
    case INSN_SET: c->result = holds(insn->opcode, c->rflags); break;
    case INSN_XCHG:
        c->result = c->source;
        c->second = insn->reg;
        c->second_result = c->target;
        break;
    case INSN_XADD:
        c->result = x86_alu(INSN_ADD, insn->size, c->target, c->source, &c->rflags);
        c->second = insn->reg;
        c->second_result = c->target;
        break;
    case INSN_CMPXCHG: compare_exchange(e, c); break;
    default: c->result = x86_alu(insn->op, insn->size, c->target, c->source, &c->rflags); break;
    }
}

static status_t commit(struct emulation *e, const struct place *place, const struct computation *c)
{
    const struct insn *insn = &e->insn;
    const bool writes = traits[insn->op] & WRITES;

    if (writes && targets_memory(insn)) {
        const status_t status = emulate_store(e, place, c->result);

        if (status != OK)
            return status;
    } else if (writes) {
        emulate_set(e, insn->form == FORM_A_OFFSET ? GPR_RAX : insn->reg, insn->size, c->result);
    }
    if (c->second != INSN_NONE)
        emulate_set(e, c->second, insn->size, c->second_result);
    e->rflags = c->rflags;
    return OK;
}

static bool may_be_locked(const struct insn *insn)
{
    return targets_memory(insn) && traits[insn->op] == (READS | WRITES) &&
           (insn->op < INSN_ROL || insn->op > INSN_SAR);
}

status_t emulate_data(struct emulation *e)
{
    const struct insn *insn = &e->insn;
    const bool to_memory = targets_memory(insn);
    const unsigned does = traits[insn->op];
    struct computation c = { .rflags = e->rflags, .second = INSN_NONE };
    uint64_t *const in_memory = to_memory ? &c.target : &c.source;
    uint64_t *const other = to_memory ? &c.source : &c.target;
    struct place place;
    status_t status;

    if (insn->lock && !may_be_locked(insn))
        return emulate_raise(e, VECTOR_UD);
    status = locate(e, to_memory && does & WRITES, &place);
    if (status == OK && !(to_memory && !(does & READS)))
        status = emulate_load(e, &place, in_memory);
    if (status != OK)
        return status;
    *other = other_operand(e);
    compute(e, &c);
    return commit(e, &place, &c);
}
