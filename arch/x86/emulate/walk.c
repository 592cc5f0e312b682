/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One walk for the paging modes, which differ in a table of levels:
 *
 *                 47     39 38     30 29     21 20     12 11      0
 *     4 levels   |  PML4   |  PDPT   |   PD    |   PT    | offset |   8-byte entries
 *     PAE                    31 30 = PDPT, PD and PT as above         8-byte entries
 *     32 bits              31 ... 22 = PD, 21 ... 12 = PT             4-byte entries
 *
 * A leaf is in the last level, or higher with PS set: 1 GiB, 2 MiB; 4 MiB with 32 bits.
 */
#include "arch/x86/emulate/walk.h"

#include "arch/bits.h"
#include "arch/x86/guest.h"

#define ENTRY_P BIT(0)
#define ENTRY_W BIT(1)
#define ENTRY_U BIT(2)
#define ENTRY_A BIT(5)
#define ENTRY_D BIT(6)
#define ENTRY_PS BIT(7)
#define ENTRY_NX BIT(63)

#define MAX_LEVELS 4
#define RIGHTS (ENTRY_W | ENTRY_U | ENTRY_A)

struct level {
    uint8_t shift;
    uint8_t index_bits;
    uint64_t large;          /* ENTRY_PS where that makes a leaf */
    uint64_t reserved;       /* bits that must be 0 */
    uint64_t large_reserved; /* in a leaf of this level with PS */
    uint64_t given;          /* PAE's PDPTE says nothing of RIGHTS: they are as if set */
};

struct format {
    uint8_t levels, entry_bytes;
    uint64_t root;  /* CR3's bits that are the top table's address */
    uint64_t frame; /* an entry's */
    struct level level[MAX_LEVELS];
};

#define PAE_RESERVED GENMASK(62, 52)
#define FRAME_2M_RESERVED GENMASK(20, 13) /* 12 is PAT's */
#define FRAME_1G_RESERVED GENMASK(29, 13)

static const struct format four_levels = {
    .levels = 4,
    .entry_bytes = 8,
    .root = GENMASK(51, 12),
    .frame = GENMASK(51, 12),
    .level = {
        { .shift = 39, .index_bits = 9, .reserved = ENTRY_PS },
        { .shift = 30, .index_bits = 9, .large = ENTRY_PS, .large_reserved = FRAME_1G_RESERVED },
        { .shift = 21, .index_bits = 9, .large = ENTRY_PS, .large_reserved = FRAME_2M_RESERVED },
        { .shift = 12, .index_bits = 9 },
    },
};

static const struct format pae = {
    .levels = 3,
    .entry_bytes = 8,
    .root = GENMASK(31, 5),
    .frame = GENMASK(51, 12),
    .level = {
        { .shift = 30, .index_bits = 2, .given = RIGHTS },
        { .shift = 21, .index_bits = 9, .large = ENTRY_PS, .reserved = PAE_RESERVED,
          .large_reserved = FRAME_2M_RESERVED },
        { .shift = 12, .index_bits = 9, .reserved = PAE_RESERVED },
    },
};

/* Without CR4.PSE, and with it. */
static const struct format two_levels[2] = {
    {
        .levels = 2,
        .entry_bytes = 4,
        .root = GENMASK(31, 12),
        .frame = GENMASK(31, 12),
        .level = { { .shift = 22, .index_bits = 10 }, { .shift = 12, .index_bits = 10 } },
    },
    {
        .levels = 2,
        .entry_bytes = 4,
        .root = GENMASK(31, 12),
        .frame = GENMASK(31, 12),
        .level = { { .shift = 22, .index_bits = 10, .large = ENTRY_PS, .large_reserved = BIT(21) },
                   { .shift = 12, .index_bits = 10 } },
    },
};

/* The entries that led to a page. */
struct path {
    unsigned leaf; /* the last one's level */
    gpa_t at[MAX_LEVELS];
    uint64_t value[MAX_LEVELS];
    uint64_t all, any; /* bits that all entries have, and that one has */
};

struct x86_paging x86_paging_of(const struct hv_vcpu *vcpu)
{
    return (struct x86_paging){
        .cr0 = x86_guest->get(vcpu, REG_CR0),
        .cr3 = x86_guest->get(vcpu, REG_CR3),
        .cr4 = x86_guest->get(vcpu, REG_CR4),
        .efer = x86_guest->get(vcpu, REG_EFER),
        .smap_off = x86_guest->get(vcpu, REG_RFLAGS) & RFLAGS_AC,
        .physical_bits = 52,
    };
}

static const struct format *format_of(const struct x86_paging *paging)
{
    if (paging->efer & EFER_LMA)
        return &four_levels;
    return paging->cr4 & CR4_PAE ? &pae : &two_levels[!!(paging->cr4 & CR4_PSE)];
}

/* At every level. */
static uint64_t reserved_bits(const struct x86_paging *paging, const struct format *format)
{
    uint64_t bits = paging->efer & EFER_NXE ? 0 : ENTRY_NX;

    if (format->entry_bytes == 4)
        return 0;
    if (paging->physical_bits < 52)
        bits |= GENMASK(51, paging->physical_bits);
    return bits;
}

/* PSE-36: bits 20 to 13 of a 4 MiB page's entry are bits 39 to 32 of its address. */
static uint64_t leaf_frame(const struct format *format, uint64_t entry, unsigned shift)
{
    uint64_t frame = entry & format->frame & GENMASK(63, shift);

    if (format->entry_bytes == 4 && shift == 22)
        frame |= FIELD_GET(GENMASK(20, 13), entry) << 32;
    return frame;
}

static bool is_permitted(const struct x86_paging *paging, const struct path *path, uint32_t access)
{
    const bool users = path->all & ENTRY_U, writable = path->all & ENTRY_W;

    if (access & PF_USER && !users)
        return false;
    if (access & PF_WRITE && !writable && (access & PF_USER || paging->cr0 & CR0_WP))
        return false;
    if (access & PF_FETCH && path->any & ENTRY_NX)
        return false;
    if (access & PF_USER || !users)
        return true;
    if (access & PF_FETCH)
        return !(paging->cr4 & CR4_SMEP);
    return !(paging->cr4 & CR4_SMAP) || paging->smap_off;
}

/* Down to a leaf. *error: as x86_walk's, less the access's own bits. */
static status_t descend(const struct x86_paging *paging, const struct format *format,
                        const struct hv_bus *bus, uint64_t linear, struct path *path,
                        uint32_t *error)
{
    const uint64_t reserved = reserved_bits(paging, format);
    uint64_t table = paging->cr3 & format->root, all = ~0ULL, any = 0;

    for (unsigned i = 0;; i++) {
        const struct level *const level = &format->level[i];
        const uint64_t index = linear >> level->shift & ((1u << level->index_bits) - 1);
        const gpa_t at = gpa(table + index * format->entry_bytes);
        uint64_t value = 0;

        if (unlikely(bus->read_memory(bus->context, at, &value, format->entry_bytes) != OK))
            return ERR_UNSUPPORTED;
        path->at[i] = at;
        path->value[i] = value;
        all &= value | level->given;
        any |= value;
        *error = value & ENTRY_P ? PF_PRESENT | PF_RESERVED : 0;
        if (unlikely(!(value & ENTRY_P) || value & (level->reserved | reserved)))
            return ERR_NOT_FOUND;
        table = value & format->frame;
        if (i + 1 < format->levels && !(value & level->large))
            continue;
        path->leaf = i;
        path->all = all;
        path->any = any;
        return value & level->large && value & level->large_reserved ? ERR_NOT_FOUND : OK;
    }
}

static status_t set_accessed(const struct format *format, const struct hv_bus *bus,
                             const struct path *path, uint64_t leaf_bits)
{
    if (bus->exchange_memory == NULL)
        return OK;
    for (unsigned i = 0; i <= path->leaf; i++) {
        const uint64_t value = path->value[i];
        const uint64_t wanted = value | (i == path->leaf ? leaf_bits : ENTRY_A);

        if (value == wanted || format->level[i].given)
            continue;
        /* Any other error: tables in a ROM stay as they are. */
        if (bus->exchange_memory(bus->context, path->at[i], format->entry_bytes, value, wanted) ==
            ERR_BAD_STATE)
            return ERR_BAD_STATE;
    }
    return OK;
}

/* FETCH is told only where fetching is checked. */
static uint32_t error_code(const struct x86_paging *paging, uint32_t why, uint32_t access)
{
    const bool checks_fetch =
        paging->cr4 & CR4_SMEP || (paging->efer & EFER_NXE && paging->cr4 & CR4_PAE);

    return why | (checks_fetch ? access : access & ~(uint32_t)PF_FETCH);
}

status_t x86_walk(const struct x86_paging *paging, const struct hv_bus *bus, uint64_t linear,
                  uint32_t access, gpa_t *out, uint32_t *error)
{
    const struct format *const format = format_of(paging);
    const uint64_t leaf_bits = access & PF_WRITE ? ENTRY_A | ENTRY_D : ENTRY_A;
    struct path path;
    status_t status;
    uint64_t leaf;
    unsigned shift;

    *error = 0;
    *out = gpa((uint32_t)linear);
    if (!(paging->cr0 & CR0_PG))
        return OK;
    if (format->levels == 4 && !x86_is_canonical(linear))
        return ERR_INVALID_ARGS;
    status = descend(paging, format, bus, linear, &path, error);
    if (status == OK && !is_permitted(paging, &path, access)) {
        *error = PF_PRESENT;
        status = ERR_NOT_FOUND;
    }
    if (unlikely(status != OK)) {
        *error = error_code(paging, *error, access);
        return status;
    }
    leaf = path.value[path.leaf];
    shift = format->level[path.leaf].shift;
    *out = gpa(leaf_frame(format, leaf, shift) | (linear & (BIT(shift) - 1)));
    if (likely(path.all & ENTRY_A && (leaf & leaf_bits) == leaf_bits))
        return OK;
    return set_accessed(format, bus, &path, leaf_bits);
}
