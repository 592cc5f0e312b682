/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * String instructions, element by element:
 *
 *     MOVS  [seg:SI] -> [ES:DI]   CMPS  [seg:SI] - [ES:DI]   INS   port -> [ES:DI]
 *     STOS        rAX -> [ES:DI]   SCAS      rAX - [ES:DI]   OUTS  [seg:SI] -> port
 *     LODS  [seg:SI] -> rAX
 *
 * Registers are up to date after each element, so whatever ends a repetition leaves them as
 * the CPU does. Flags are the instruction's end's: a fault in the midst leaves them alone.
 */
#include "arch/x86/emulate/alu.h"
#include "arch/x86/emulate/emulate.h"
#include "arch/x86/emulate/emulation.h"

enum {
    LOADS_SI = 1 << 0,
    LOADS_DI = 1 << 1,
    STORES_DI = 1 << 2,
    USES_DI = LOADS_DI | STORES_DI,
    READS_PORT = 1 << 3,
    WRITES_PORT = 1 << 4,
    COMPARES = 1 << 5, /* REPE and REPNE: ZF ends it */
};

/* clang-format off */
static const uint8_t traits[INSN_OPS] = {
    [INSN_MOVS] = LOADS_SI | STORES_DI,    [INSN_CMPS] = LOADS_SI | LOADS_DI | COMPARES,
    [INSN_STOS] = STORES_DI,               [INSN_SCAS] = LOADS_DI | COMPARES,
    [INSN_LODS] = LOADS_SI,                [INSN_INS] = STORES_DI | READS_PORT,
    [INSN_OUTS] = LOADS_SI | WRITES_PORT,
};
/* clang-format on */

static uint16_t port_of(const struct emulation *e)
{
    return (uint16_t)e->vcpu->gpr[GPR_RDX];
}

/*
 * Privileges were checked by the CPU before the exit, for that access. Anything else is as
 * IOPL says; the TSS's bitmap is left to the CPU, which then exits for the port.
 */
static bool may_use_port(const struct emulation *e, unsigned does)
{
    const struct vm_exit *exit = e->exit;

    if (exit->reason == VM_EXIT_PIO && exit->pio.port == port_of(e) &&
        exit->pio.size == e->insn.size && exit->pio.write == !!(does & WRITES_PORT))
        return true;
    return !(e->paging.cr0 & CR0_PE) ||
           (e->descriptors && e->cpl <= FIELD_GET(RFLAGS_IOPL, e->rflags));
}

static void advance(struct emulation *e, enum x86_gpr reg)
{
    const unsigned width = e->insn.address_size, size = e->insn.size;
    const uint64_t at = emulate_get(e, reg, width);

    emulate_set(e, reg, width, e->rflags & RFLAGS_DF ? at - size : at + size);
}

static status_t locate_both(struct emulation *e, unsigned does, struct place *from,
                            struct place *to)
{
    const struct insn *insn = &e->insn;
    const unsigned width = insn->address_size;
    status_t status = OK;

    if (does & LOADS_SI)
        status = emulate_locate(e, SLOT_SOURCE, insn->segment, emulate_get(e, GPR_RSI, width),
                                insn->size, false, from);
    if (status == OK && does & USES_DI)
        status = emulate_locate(e, SLOT_TARGET, SEG_ES, emulate_get(e, GPR_RDI, width), insn->size,
                                does & STORES_DI, to);
    return status;
}

static status_t take_in(struct emulation *e, unsigned does, const struct place *from,
                        uint64_t *value)
{
    const struct hv_bus *bus = e->bus;

    if (does & LOADS_SI)
        return emulate_load(e, from, value);
    if (does & READS_PORT)
        return bus->port_read(bus->context, port_of(e), e->insn.size, value);
    *value = emulate_get(e, GPR_RAX, e->insn.size);
    return OK;
}

static status_t give_out(struct emulation *e, unsigned does, const struct place *to, uint64_t value)
{
    const unsigned size = e->insn.size;
    const struct hv_bus *bus = e->bus;
    uint64_t other;
    status_t status;

    if (does & STORES_DI)
        return emulate_store(e, to, value);
    if (does & WRITES_PORT)
        return bus->port_write(bus->context, port_of(e), size, low_bytes(value, size));
    if (!(does & COMPARES)) {
        emulate_set(e, GPR_RAX, size, value);
        return OK;
    }
    status = emulate_load(e, to, &other);
    if (status == OK)
        x86_alu(INSN_CMP, size, value, other, &e->rflags);
    return status;
}

static status_t element(struct emulation *e, unsigned does)
{
    struct place from, to;
    uint64_t value = 0;
    status_t status = locate_both(e, does, &from, &to);

    if (unlikely(e->watched != 0) && does & (READS_PORT | WRITES_PORT))
        emulate_watch(e, WATCH_PORT, port_of(e), e->insn.size);
    if (status == OK)
        status = take_in(e, does, &from, &value);
    if (status == OK)
        status = give_out(e, does, &to, value);
    if (status != OK)
        return status;
    if (does & LOADS_SI)
        advance(e, GPR_RSI);
    if (does & USES_DI)
        advance(e, GPR_RDI);
    return OK;
}

static status_t repeat(struct emulation *e, unsigned does)
{
    const unsigned width = e->insn.address_size;
    const uint64_t zf_wanted = e->insn.repeat == REPEAT_F3 ? RFLAGS_ZF : 0;
    uint64_t count = emulate_get(e, GPR_RCX, width);

    for (unsigned done = 0; count != 0; done++) {
        status_t status;

        if (done == X86_STRING_BOUND)
            return emulate_again(e);
        status = element(e, does);
        if (status != OK)
            return status;
        emulate_set(e, GPR_RCX, width, --count);
        if (does & COMPARES && (e->rflags & RFLAGS_ZF) != zf_wanted)
            return OK;
        if (unlikely(e->met != 0 || e->rflags & RFLAGS_TF) && count != 0)
            return emulate_step(e);
    }
    return OK;
}

status_t emulate_string(struct emulation *e)
{
    const unsigned does = traits[e->insn.op];

    if (e->insn.lock)
        return emulate_raise(e, VECTOR_UD);
    if (does & (READS_PORT | WRITES_PORT)) {
        if (e->bus->port_read == NULL)
            return ERR_UNSUPPORTED;
        if (!may_use_port(e, does))
            return emulate_again(e);
    }
    return e->insn.repeat == REPEAT_NONE ? element(e, does) : repeat(e, does);
}
