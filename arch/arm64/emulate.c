/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory accesses of a guest that trapped without a syndrome.
 *
 *     fetch -> insn_decode -> translate -> registers <-> bytes of memory <-> bus -> write back
 *
 * Between registers and bus stands the image of the memory, lowest address first. A big-endian
 * guest has each element's bytes reversed in it.
 */
#include "arch/arm64/emulate.h"

#include <arch/cpu.h>
#include <arch/vcpu.h>

#include "arch/arm64/at.h"
#include "arch/arm64/endian.h"
#include "arch/arm64/fpreg.h"
#include "arch/arm64/inject.h"
#include "arch/arm64/insn.h"
#include "arch/arm64/skip.h"

/* The memory that an instruction accesses: in at most two pages. */
struct span {
    uint64_t va;
    unsigned bytes;
    gpa_t page[2];
};

/* The registers that it moves, least significant byte first. */
struct register_image {
    uint8_t byte[4][16];
};

static uint64_t get_le(const uint8_t *from, unsigned bytes)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < bytes; i++)
        value |= (uint64_t)from[i] << (8 * i);
    return value;
}

static void put_le(uint8_t *to, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        to[i] = (uint8_t)(value >> (8 * i));
}

static uint64_t get_x(const struct hv_vcpu *vcpu, unsigned n)
{
    return n == INSN_ZERO ? 0 : vcpu->x[n];
}

static void set_x(struct hv_vcpu *vcpu, unsigned n, uint64_t value)
{
    if (n != INSN_ZERO)
        vcpu->x[n] = value;
}

/* SP of the level that the guest was in. */
static bool uses_sp_el1(const struct hv_vcpu *vcpu)
{
    return !in_el0(vcpu) && (vcpu->pstate & PSTATE_SP);
}

static uint64_t get_base(const struct hv_vcpu *vcpu, unsigned n)
{
    if (n == INSN_BASE_PC)
        return vcpu->pc;
    if (n != 31)
        return vcpu->x[n];
    return uses_sp_el1(vcpu) ? sysreg_read(sp_el1) : sysreg_read(sp_el0);
}

static void set_base(struct hv_vcpu *vcpu, unsigned n, uint64_t value)
{
    if (n != 31)
        vcpu->x[n] = value;
    else if (uses_sp_el1(vcpu))
        sysreg_write(sp_el1, value);
    else
        sysreg_write(sp_el0, value);
}

static uint64_t index_value(const struct hv_vcpu *vcpu, const struct insn_access *insn)
{
    uint64_t value = get_x(vcpu, insn->index);

    if (insn->extend == EXTEND_UXTW)
        value = (uint32_t)value;
    else if (insn->extend == EXTEND_SXTW)
        value = (uint64_t)(int32_t)value;
    return value << insn->shift;
}

/*
 * Where the instruction at the PC is. EL1 may read whatever is executable, also what EL0 may
 * only execute. False: the guest's mapping is gone by now.
 */
static bool find_instruction(const struct hv_vcpu *vcpu, gpa_t *out)
{
    uint64_t par = arm64_at(AT_EL1_READ, vcpu->pc);

    *out = gpa((par & PAR_PA) | (vcpu->pc & PAGE_MASK));
    return !(par & PAR_F);
}

static enum arm64_at translation_kind(const struct hv_vcpu *vcpu, const struct insn_access *insn)
{
    bool user = in_el0(vcpu) || (insn->user && !(vcpu->pstate & PSTATE_UAO));

    if (user)
        return insn->store ? AT_EL0_WRITE : AT_EL0_READ;
    return insn->store ? AT_EL1_WRITE : AT_EL1_READ;
}

/*
 * Translates the pages of the span. False: the guest has to act or to try again. A fault is
 * injected, as to try again would only trap on the first page again. But a walk of the first
 * page that faults at stage 2 is the CPU's to find when it does try again.
 */
static bool translate_span(struct hv_vcpu *vcpu, const struct insn_access *insn, struct span *span)
{
    enum arm64_at kind = translation_kind(vcpu, insn);
    unsigned pages = (span->va & PAGE_MASK) + span->bytes > PAGE_SIZE ? 2 : 1;

    for (unsigned i = 0; i < pages; i++) {
        uint64_t va = i == 0 ? span->va : ALIGN_DOWN(span->va, PAGE_SIZE) + PAGE_SIZE;
        uint64_t par = arm64_at(kind, va);

        if (par & PAR_F) {
            if (i > 0 || !(par & PAR_S))
                arm64_inject_data_abort(vcpu, va,
                                        (uint32_t)((insn->store ? ISS_WNR : 0) |
                                                   FIELD_PREP(ISS_FSC, FIELD_GET(PAR_FST, par))));
            return false;
        }
        span->page[i] = gpa(par & PAR_PA);
    }
    return true;
}

static gpa_t span_address(const struct span *span, unsigned at)
{
    uint64_t offset = (span->va & PAGE_MASK) + at;

    return gpa_add(span->page[offset >> PAGE_SHIFT], offset & PAGE_MASK);
}

/* Bus accesses are of one size, and aligned to it: bytes if need be. So none crosses a page. */
static unsigned bus_unit(const struct insn_access *insn, uint64_t va)
{
    unsigned unit = MIN(insn->size, 8u);

    return IS_ALIGNED(va, (uint64_t)unit) ? unit : 1;
}

static status_t read_span(const struct hv_bus *bus, const struct span *span, unsigned unit,
                          uint8_t *memory)
{
    for (unsigned at = 0; at < span->bytes; at += unit) {
        uint64_t value = 0;
        status_t status = bus->read(bus->context, span_address(span, at), unit, &value);

        if (status != OK)
            return status;
        put_le(memory + at, value, unit);
    }
    return OK;
}

static status_t write_span(const struct hv_bus *bus, const struct span *span, unsigned unit,
                           const uint8_t *memory)
{
    for (unsigned at = 0; at < span->bytes; at += unit) {
        status_t status =
            bus->write(bus->context, span_address(span, at), unit, get_le(memory + at, unit));

        if (status != OK)
            return status;
    }
    return OK;
}

/* Element `k` of the memory, within the registers that it belongs to. */
static uint8_t *element(const struct insn_access *insn, struct register_image *image, unsigned k)
{
    unsigned reg = insn->interleaved ? k % insn->count : k / insn->lanes;
    unsigned lane = insn->lane + (insn->interleaved ? k / insn->count : k % insn->lanes);

    return &image->byte[reg][lane * insn->size];
}

static void copy_element(uint8_t *to, const uint8_t *from, unsigned bytes, bool reversed)
{
    for (unsigned i = 0; i < bytes; i++)
        /* NOLINTNEXTLINE(clang-analyzer-core.uninitialized.Assign): get_registers filled it */
        to[i] = from[reversed ? bytes - 1 - i : i];
}

/* The registers as they are: what is stored, or what a load leaves in place. */
static void get_registers(const struct hv_vcpu *vcpu, const struct insn_access *insn,
                          struct register_image *image)
{
    for (unsigned i = 0; i < insn->count; i++) {
        if (insn->simd)
            arm64_fpreg_get(insn->reg[i], image->byte[i]);
        else
            put_le(image->byte[i], get_x(vcpu, insn->reg[i]), 8);
    }
}

static uint64_t extend_loaded(const struct insn_access *insn, const uint8_t *bytes)
{
    unsigned unused = 64 - 8u * insn->size;
    uint64_t value = get_le(bytes, insn->size);

    if (insn->sign_extend)
        value = (uint64_t)((int64_t)(value << unused) >> unused);
    return low_bytes(value, insn->width);
}

static void set_registers(struct hv_vcpu *vcpu, const struct insn_access *insn,
                          struct register_image *image)
{
    for (unsigned i = 0; i < insn->count; i++) {
        uint8_t *bytes = image->byte[i];

        if (insn->replicate)
            for (unsigned at = insn->size; at < insn->width; at++)
                bytes[at] = bytes[at - insn->size];
        if (insn->simd)
            arm64_fpreg_set(insn->reg[i], bytes);
        else
            set_x(vcpu, insn->reg[i], extend_loaded(insn, bytes));
    }
}

static void write_back(struct hv_vcpu *vcpu, const struct insn_access *insn)
{
    if (insn->writeback)
        set_base(vcpu, insn->base,
                 get_base(vcpu, insn->base) + (uint64_t)(int64_t)insn->increment +
                     get_x(vcpu, insn->index_increment));
}

static status_t store(struct hv_vcpu *vcpu, const struct insn_access *insn, const struct span *span,
                      const struct hv_bus *bus)
{
    struct register_image image = { 0 };
    uint8_t memory[INSN_MAX_BYTES];
    bool swap = swaps_data(vcpu);
    status_t status;

    get_registers(vcpu, insn, &image);
    for (unsigned k = 0; k < (unsigned)insn->count * insn->lanes; k++)
        copy_element(memory + k * insn->size, element(insn, &image, k), insn->size, swap);
    status = write_span(bus, span, bus_unit(insn, span->va), memory);
    if (status == OK)
        write_back(vcpu, insn);
    return status;
}

static status_t load(struct hv_vcpu *vcpu, const struct insn_access *insn, const struct span *span,
                     const struct hv_bus *bus)
{
    struct register_image image = { 0 };
    uint8_t memory[INSN_MAX_BYTES];
    bool swap = swaps_data(vcpu);
    status_t status = read_span(bus, span, bus_unit(insn, span->va), memory);

    if (status != OK)
        return status;
    if (insn->merge)
        get_registers(vcpu, insn, &image);
    for (unsigned k = 0; k < (unsigned)insn->count * insn->lanes; k++)
        copy_element(element(insn, &image, k), memory + k * insn->size, insn->size, swap);
    write_back(vcpu, insn);
    set_registers(vcpu, insn, &image);
    return OK;
}

static status_t carry_out(struct hv_vcpu *vcpu, const struct insn_access *insn,
                          const struct hv_bus *bus)
{
    struct span span = {
        .va =
            get_base(vcpu, insn->base) + (uint64_t)(int64_t)insn->offset + index_value(vcpu, insn),
        .bytes = (unsigned)insn->count * insn->lanes * insn->size,
    };
    status_t status;

    if (!translate_span(vcpu, insn, &span))
        return OK;
    status = insn->store ? store(vcpu, insn, &span, bus) : load(vcpu, insn, &span, bus);
    if (status == OK)
        arm64_skip(vcpu);
    return status;
}

status_t arm64_emulate(struct hv_vcpu *vcpu, const struct vm_exit *exit, const struct hv_bus *bus)
{
    struct insn_access insn;
    uint32_t word;
    gpa_t at;
    status_t status;

    (void)exit;
    if (vcpu->esr & ISS_CM) { /* nothing is cached where there is no memory */
        arm64_skip(vcpu);
        return OK;
    }
    if (vcpu->pstate & PSTATE_NRW)
        return ERR_UNSUPPORTED;
    if (!find_instruction(vcpu, &at))
        return OK;
    status = bus->read_memory(bus->context, at, &word, sizeof(word));
    if (status == OK)
        status = insn_decode(word, &insn);
    return status == OK ? carry_out(vcpu, &insn, bus) : status;
}
