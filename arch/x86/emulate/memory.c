/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From a segment and an offset to the bus: SDM 1 3.3, SDM 3A chapters 3 to 5.
 *
 * A page that an operand was found in is remembered until the instruction ends, as a TLB
 * would: the elements of a string are mostly in the same one.
 */
#include "arch/x86/emulate/emulation.h"

status_t emulate_raise(struct emulation *e, uint8_t vector)
{
    e->outcome = OUTCOME_FAULT;
    e->fault.vector = vector;
    return ERR_BAD_STATE;
}

status_t emulate_again(struct emulation *e)
{
    e->outcome = OUTCOME_AGAIN;
    return ERR_BAD_STATE;
}

status_t emulate_step(struct emulation *e)
{
    e->outcome = OUTCOME_STEP;
    return ERR_BAD_STATE;
}

static status_t raise_page_fault(struct emulation *e, uint64_t address, uint32_t error)
{
    e->fault.address = address;
    e->fault.error = error;
    return emulate_raise(e, VECTOR_PF);
}

/* --- offset to linear --- */

uint64_t emulate_offset(const struct emulation *e)
{
    const struct insn *insn = &e->insn;
    uint64_t offset = (uint64_t)insn->displacement;

    if (insn->base == INSN_RIP)
        offset += e->rip + insn->length;
    else if (insn->base != INSN_NONE)
        offset += emulate_get(e, insn->base, 8);
    if (insn->index != INSN_NONE)
        offset += emulate_get(e, insn->index, 8) << insn->scale;
    return low_bytes(offset, insn->address_size);
}

static bool has_rights(const struct x86_segment_state *segment, bool write)
{
    const bool code = segment->attributes & SEGMENT_CODE;

    if (!(segment->attributes & SEGMENT_PRESENT))
        return false;
    if (segment->attributes & SEGMENT_WRITE_OR_READ)
        return !(write && code);
    return !(write || code);
}

static bool is_in_limit(const struct emulation *e, const struct x86_segment_state *segment,
                        uint64_t offset, unsigned size)
{
    const uint64_t last = offset + size - 1;

    if (!e->descriptors || (segment->attributes & (SEGMENT_CODE | SEGMENT_DOWN)) != SEGMENT_DOWN)
        return last <= segment->limit;
    return offset > segment->limit &&
           last <= (segment->attributes & SEGMENT_BIG ? 0xffffffffu : 0xffffu);
}

static const struct x86_segment_state *segment_of(struct emulation *e, enum emulation_slot slot,
                                                  enum x86_segment which)
{
    struct emulation_window *window = &e->window[slot];

    if (!window->has_segment)
        window->segment = x86_guest->segment(e->vcpu, which);
    window->has_segment = true;
    return &window->segment;
}

/* In 64-bit mode only FS and GS have a base, and only canonical addresses are checked. */
static status_t to_linear(struct emulation *e, enum emulation_slot slot, enum x86_segment which,
                          uint64_t offset, unsigned size, bool write, uint64_t *linear)
{
    const uint8_t vector = which == SEG_SS ? VECTOR_SS : VECTOR_GP;
    const struct x86_segment_state *segment;

    if (e->mode == INSN_MODE_64) {
        *linear = offset + (which >= SEG_FS ? segment_of(e, slot, which)->base : 0);
        if (!x86_is_canonical(*linear) || !x86_is_canonical(*linear + size - 1))
            return emulate_raise(e, vector);
        return OK;
    }
    segment = segment_of(e, slot, which);
    if (e->descriptors && !has_rights(segment, write))
        return emulate_raise(e, VECTOR_GP);
    if (!is_in_limit(e, segment, offset, size))
        return emulate_raise(e, vector);
    *linear = (uint32_t)(segment->base + offset);
    return OK;
}

/* --- linear to guest-physical --- */

status_t emulate_translate(struct emulation *e, uint64_t linear, uint32_t access, gpa_t *out)
{
    uint32_t error;
    status_t status;

    if (e->cpl == 3)
        access |= PF_USER;
    status = x86_walk(&e->paging, e->bus, linear, access, out, &error);
    if (status == ERR_NOT_FOUND)
        return raise_page_fault(e, linear, error);
    if (status == ERR_INVALID_ARGS)
        return emulate_raise(e, VECTOR_GP);
    return status == ERR_BAD_STATE ? emulate_again(e) : status;
}

/*
 * The exit told where the operand is, and the guest's rights were checked then; it is in this
 * page if the rest of the address agrees. Saves the walk.
 */
static bool is_exits_address(const struct emulation *e, uint64_t linear, bool write)
{
    const struct vm_exit *exit = e->exit;

    return e->one_operand && exit->reason == VM_EXIT_MEMORY && !exit->memory.table_walk &&
           ((exit->memory.gpa.raw ^ linear) & PAGE_MASK) == 0 &&
           (exit->memory.access == VM_ACCESS_WRITE ||
            (exit->memory.access == VM_ACCESS_READ && !write));
}

static status_t find_page(struct emulation *e, enum emulation_slot slot, uint64_t linear,
                          bool write, gpa_t *out)
{
    struct emulation_window *window = &e->window[slot];
    status_t status;

    if (window->has_page && (linear ^ window->page) <= PAGE_MASK && window->writable >= write) {
        *out = gpa_add(window->frame, linear & PAGE_MASK);
        return OK;
    }
    status = emulate_translate(e, linear, write ? PF_WRITE : 0, out);
    if (status != OK)
        return status;
    window->has_page = true;
    window->writable = write;
    window->page = ALIGN_DOWN(linear, PAGE_SIZE);
    window->frame = gpa(ALIGN_DOWN(out->raw, PAGE_SIZE));
    return OK;
}

static bool is_unaligned_for_user(const struct emulation *e, uint64_t linear, unsigned size)
{
    return e->cpl == 3 && e->paging.cr0 & CR0_AM && e->rflags & RFLAGS_AC && linear % size != 0;
}

status_t emulate_locate(struct emulation *e, enum emulation_slot slot, enum x86_segment segment,
                        uint64_t offset, unsigned size, bool write, struct place *out)
{
    uint64_t linear, rest;
    status_t status = to_linear(e, slot, segment, offset, size, write, &linear);

    if (status != OK)
        return status;
    if (unlikely(is_unaligned_for_user(e, linear, size)))
        return emulate_raise(e, VECTOR_AC);
    if (unlikely(e->watched != 0))
        emulate_watch(e, write ? WATCH_WRITE : WATCH_READ, linear, size);
    rest = PAGE_SIZE - (linear & PAGE_MASK);
    out->size = (uint8_t)size;
    out->in_first = (uint8_t)MIN(rest, (uint64_t)size);
    if (rest >= size && is_exits_address(e, linear, write)) {
        out->first = e->exit->memory.gpa;
        return OK;
    }
    status = find_page(e, slot, linear, write, &out->first);
    if (status != OK || rest >= size)
        return status;
    linear += rest;
    if (e->mode != INSN_MODE_64)
        linear = (uint32_t)linear;
    return find_page(e, slot, linear, write, &out->second);
}

/* --- the bus --- */

static gpa_t byte_of(const struct place *place, unsigned i)
{
    return i < place->in_first ? gpa_add(place->first, i)
                               : gpa_add(place->second, i - place->in_first);
}

/* Across two pages: byte by byte. Of what a device gives, only `size` bytes count. */
status_t emulate_load(struct emulation *e, const struct place *place, uint64_t *value)
{
    const struct hv_bus *bus = e->bus;

    *value = 0;
    if (likely(place->in_first == place->size)) {
        const status_t status = bus->read(bus->context, place->first, place->size, value);

        *value = low_bytes(*value, place->size);
        return status;
    }
    for (unsigned i = 0; i < place->size; i++) {
        uint64_t byte = 0;
        const status_t status = bus->read(bus->context, byte_of(place, i), 1, &byte);

        if (status != OK)
            return status;
        *value |= (byte & 0xff) << (8 * i);
    }
    return OK;
}

status_t emulate_store(struct emulation *e, const struct place *place, uint64_t value)
{
    const struct hv_bus *bus = e->bus;

    if (likely(place->in_first == place->size))
        return bus->write(bus->context, place->first, place->size, low_bytes(value, place->size));
    for (unsigned i = 0; i < place->size; i++) {
        const status_t status =
            bus->write(bus->context, byte_of(place, i), 1, value >> (8 * i) & 0xff);

        if (status != OK)
            return status;
    }
    return OK;
}
