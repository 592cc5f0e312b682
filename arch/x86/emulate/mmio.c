/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Device accesses recalled: see mmio.h.
 *
 *     RIP, CR3 --entry[0]--> … --entry[n]--> page of code --> bytes --> what it does
 *
 * Each arrow is a pointer into RAM with what stood there. The pointers hold while the second
 * stage does not change (its generation); what they point at is compared each time. So a
 * guest may rewrite its tables and its code as it likes.
 */
#include "arch/x86/emulate/mmio.h"

#include "arch/x86/emulate/insn.h"
#include "arch/x86/emulate/watch.h"
#include "arch/x86/guest.h"
#include "arch/x86/tlb.h"

#define ENTRY_P BIT(0)
#define ENTRY_PS BIT(7)
#define ENTRY_ADDRESS GENMASK(51, 12)
#define LEVELS 4
#define CODE_BYTES 16
#define SEGMENT_L BIT(9)

static struct x86_mmio *slot(struct hv_vcpu *vcpu, uint64_t rip)
{
    return &vcpu->known[(rip ^ rip >> 4) % X86_MMIO_KNOWN];
}

static uint64_t load(const void *from)
{
    uint64_t value;

    __builtin_memcpy(&value, from, sizeof(value));
    return value;
}

/* --- recall --- */

static bool is_unchanged(const struct x86_mmio *known)
{
    const uint8_t *code = known->code;

    for (unsigned i = 0; i < known->entries; i++)
        if (__atomic_load_n(known->entry[i], __ATOMIC_RELAXED) != known->value[i])
            return false;
    return (((load(code) ^ known->bytes[0]) & known->mask[0]) |
            ((load(code + 8) ^ known->bytes[1]) & known->mask[1])) == 0;
}

static uint64_t general(const struct hv_vcpu *vcpu, uint8_t which)
{
    return which == INSN_NONE ? 0 : vcpu->gpr[which];
}

/* Within its page: the low bits of the address that the instruction computes. */
static uint64_t offset(const struct hv_vcpu *vcpu, const struct x86_mmio *known)
{
    return (known->displacement + general(vcpu, known->base) +
            (general(vcpu, known->index) << known->scale)) &
           PAGE_MASK;
}

bool x86_mmio_recall(struct hv_vcpu *vcpu, uint64_t rip, uint64_t cr3, struct vm_exit *exit)
{
    const struct x86_mmio *known = slot(vcpu, rip);
    uint64_t at;

    if (known->rip != rip || known->cr3 != cr3 || known->access != exit->memory.access ||
        known->generation != __atomic_load_n(&x86_tlb_generation[vcpu->tag], __ATOMIC_RELAXED) ||
        exit->memory.table_walk || !is_unchanged(known))
        return false;
    /* Of an access across a page's end, the exit may name the second page. */
    at = offset(vcpu, known);
    if (at != (exit->memory.gpa.raw & PAGE_MASK) || at + known->size > PAGE_SIZE)
        return false;
    exit->memory.size = known->size;
    exit->memory.value =
        low_bytes(known->reg == INSN_NONE ? known->immediate : vcpu->gpr[known->reg], known->size);
    vcpu->mmio = known;
    return true;
}

void x86_mmio_forget(struct hv_vcpu *vcpu, uint64_t rip)
{
    slot(vcpu, rip)->access = 0; /* as no exit has it */
}

/* --- learn --- */

/* From CR3 to the code, all of which is in one page. */
static bool learn_path(const struct hv_vcpu *vcpu, struct x86_mmio *out)
{
    uint64_t table = out->cr3 & ENTRY_ADDRESS, left;

    if ((out->rip & PAGE_MASK) + CODE_BYTES > PAGE_SIZE)
        return false;
    for (unsigned level = 0; level < LEVELS; level++) {
        const unsigned shift = PAGE_SHIFT + 9 * (LEVELS - 1 - level);
        const uint64_t at = table + (out->rip >> shift & 511) * sizeof(uint64_t);
        const uint64_t *entry = x86_guest_find(vcpu, gpa(at), &left);

        if (entry == NULL)
            return false;
        out->entry[level] = entry;
        out->value[level] = __atomic_load_n(entry, __ATOMIC_RELAXED);
        out->entries = (uint8_t)(level + 1);
        if (!(out->value[level] & ENTRY_P))
            return false;
        table = out->value[level] & ENTRY_ADDRESS;
        if (level == LEVELS - 1 || (level > 0 && out->value[level] & ENTRY_PS)) {
            const uint64_t inside = BIT(shift) - 1;

            out->code = x86_guest_find(vcpu, gpa((table & ~inside) | (out->rip & inside)), &left);
            return out->code != NULL;
        }
    }
    return false;
}

static bool is_register(const struct insn *insn, unsigned size)
{
    return insn->reg != GPR_RSP && (size > 1 || insn->rex || insn->reg < GPR_RSP);
}

/* MOV and MOVZX between memory and a general register or an immediate. */
static bool learn_operands(const struct insn *insn, struct x86_mmio *out)
{
    const bool zero_extends = insn->op == INSN_MOVZX;

    if ((insn->op != INSN_MOV && !zero_extends) || !insn->memory || insn->lock ||
        insn->repeat != REPEAT_NONE || insn->segment == SEG_FS || insn->segment == SEG_GS ||
        insn->base == GPR_RSP)
        return false;
    out->reg = insn->reg;
    out->register_size = insn->size;
    out->size = zero_extends ? insn->memory_size : insn->size;
    out->immediate = insn->immediate;
    switch (insn->form) {
    case FORM_REG_RM: out->access = VM_ACCESS_READ; return is_register(insn, insn->size);
    case FORM_RM_REG: out->access = VM_ACCESS_WRITE; return is_register(insn, insn->size);
    case FORM_RM_IMM:
        out->access = VM_ACCESS_WRITE;
        out->reg = INSN_NONE;
        return true;
    default: return false;
    }
}

static void learn_address(const struct insn *insn, struct x86_mmio *out)
{
    const bool relative = insn->base == INSN_RIP;

    out->displacement = (uint64_t)insn->displacement + (relative ? out->rip + insn->length : 0);
    out->base = relative ? INSN_NONE : insn->base;
    out->index = insn->index;
    out->scale = insn->scale;
    out->length = insn->length;
}

static void learn_bytes(struct x86_mmio *out, const uint8_t *bytes)
{
    const unsigned length = out->length;

    out->mask[0] = length < 8 ? BIT(8 * length) - 1 : UINT64_MAX;
    out->mask[1] = length < 8 ? 0 : BIT(8 * (length - 8)) - 1;
    out->bytes[0] = load(bytes);
    out->bytes[1] = load(bytes + 8);
}

void x86_mmio_learn(struct hv_vcpu *vcpu)
{
    const uint64_t rip = x86_guest->get(vcpu, REG_RIP);
    struct x86_mmio *known = slot(vcpu, rip);
    uint8_t bytes[CODE_BYTES];
    struct x86_mmio found;
    struct insn insn;

    known->access = 0; /* nothing known, unless all of it is in the end */
    if (x86_watched(vcpu) != 0 || !(x86_guest->get(vcpu, REG_EFER) & EFER_LMA) ||
        !(x86_guest->segment(vcpu, SEG_CS).attributes & SEGMENT_L))
        return;
    found = (struct x86_mmio){
        .rip = rip,
        .cr3 = x86_guest->get(vcpu, REG_CR3),
        .generation = __atomic_load_n(&x86_tlb_generation[vcpu->tag], __ATOMIC_ACQUIRE),
    };
    if (!learn_path(vcpu, &found))
        return;
    __builtin_memcpy(bytes, found.code, sizeof(bytes)); /* once: the guest may write them */
    if (insn_decode(bytes, INSN_MAX_BYTES, INSN_MODE_64, &insn) != OK ||
        !learn_operands(&insn, &found))
        return;
    learn_address(&insn, &found);
    learn_bytes(&found, bytes);
    *known = found;
}
