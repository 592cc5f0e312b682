/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest's memory and instructions, as the backends and reports look at them:
 *
 *     linear --guest's tables (walk.h)--> guest-physical --second stage--> host's direct map
 */
#include "arch/x86/guest.h"

#include <arch/layout.h>

#include "arch/image.h"
#include "arch/mmu.h"
#include "arch/x86/cpuid.h"
#include "arch/x86/emulate/emulate.h"
#include "arch/x86/emulate/insn.h"
#include "arch/x86/emulate/walk.h"
#include "arch/x86/exception.h"

#define SEGMENT_L BIT(9)
#define SEGMENT_DB BIT(10)

#define LAST_LEVEL 3

const struct x86_guest_ops *x86_guest SEALED;

/* --- memory --- */

const void *x86_guest_find(const struct hv_vcpu *vcpu, gpa_t address, uint64_t *left)
{
    const struct pt_format *format = arch_guest_format;
    paddr_t table = vcpu->root;

    if (address.raw >= BIT(format->va_bits))
        return NULL;
    for (unsigned level = format->top_level; level <= LAST_LEVEL; level++) {
        const uint64_t bytes = BIT(PAGE_SHIFT + 9 * (LAST_LEVEL - level));
        const uint64_t *entries = phys_to_virt(table);
        const uint64_t entry =
            __atomic_load_n(&entries[address.raw / bytes % 512], __ATOMIC_RELAXED);

        if (!format->is_present(entry))
            return NULL;
        if (format->is_leaf(entry, level)) {
            const uint64_t offset = address.raw & (bytes - 1);

            *left = bytes - offset;
            return format->prot(entry) & PT_DEVICE
                       ? NULL
                       : phys_to_virt(paddr_add(format->target(entry), offset));
        }
        table = format->target(entry);
    }
    return NULL;
}

status_t x86_guest_read(struct hv_vcpu *vcpu, gpa_t address, void *to, size_t bytes)
{
    uint8_t *out = to;

    while (bytes > 0) {
        uint64_t left = 0;
        const void *from = x86_guest_find(vcpu, address, &left);
        const size_t part = MIN(bytes, left);

        if (from == NULL)
            return ERR_NOT_FOUND;
        __builtin_memcpy(out, from, part);
        out += part;
        bytes -= part;
        address = gpa_add(address, part);
    }
    return OK;
}

static status_t read_memory(void *context, gpa_t address, void *to, size_t bytes)
{
    return x86_guest_read(context, address, to, bytes);
}

/* --- linear addresses --- */

/* `access` is of walk.h. */
static status_t walk(struct hv_vcpu *vcpu, uint64_t linear, uint32_t access, gpa_t *out)
{
    const struct x86_paging paging = x86_paging_of(vcpu);
    const struct hv_bus bus = { .context = vcpu, .read_memory = read_memory };
    uint32_t error;

    return x86_walk(&paging, &bus, linear, access, out, &error);
}

static uint32_t privilege(const struct hv_vcpu *vcpu)
{
    return x86_guest->get(vcpu, REG_CPL) == 3 ? PF_USER : 0;
}

status_t x86_guest_translate(struct hv_vcpu *vcpu, uint64_t gva, uint8_t access, gpa_t *out)
{
    const uint32_t how = (access & VM_ACCESS_WRITE ? PF_WRITE : 0) |
                         (access & VM_ACCESS_EXEC ? PF_FETCH : 0) | privilege(vcpu);

    return walk(vcpu, gva, how, out) == OK ? OK : ERR_NOT_FOUND;
}

static enum insn_mode code_mode(const struct hv_vcpu *vcpu)
{
    const uint16_t attributes = x86_guest->segment(vcpu, SEG_CS).attributes;

    if (attributes & SEGMENT_L && x86_guest->get(vcpu, REG_EFER) & EFER_LMA)
        return INSN_MODE_64;
    return attributes & SEGMENT_DB ? INSN_MODE_32 : INSN_MODE_16;
}

uint64_t x86_guest_pc(const struct hv_vcpu *vcpu)
{
    const uint64_t rip = x86_guest->get(vcpu, REG_RIP);

    return code_mode(vcpu) == INSN_MODE_64
               ? rip
               : (uint32_t)(x86_guest->segment(vcpu, SEG_CS).base + rip);
}

status_t x86_guest_fetch(struct hv_vcpu *vcpu, uint8_t *to, size_t *got)
{
    const uint64_t linear = x86_guest_pc(vcpu);
    const size_t first = MIN((size_t)INSN_MAX_BYTES, PAGE_SIZE - (linear & PAGE_MASK));
    const uint32_t access = PF_FETCH | privilege(vcpu);
    gpa_t at;

    if (walk(vcpu, linear, access, &at) != OK || x86_guest_read(vcpu, at, to, first) != OK)
        return ERR_NOT_FOUND;
    *got = first;
    if (first < INSN_MAX_BYTES && walk(vcpu, linear + first, access, &at) == OK &&
        x86_guest_read(vcpu, at, to + first, INSN_MAX_BYTES - first) == OK)
        *got = INSN_MAX_BYTES;
    return OK;
}

/* --- instructions that exited --- */

status_t x86_guest_decode(struct hv_vcpu *vcpu, struct insn *out)
{
    uint8_t bytes[INSN_MAX_BYTES];
    size_t got;
    const status_t status = x86_guest_fetch(vcpu, bytes, &got);

    return status == OK ? insn_decode(bytes, got, code_mode(vcpu), out) : status;
}

uint64_t x86_guest_next(const struct hv_vcpu *vcpu, unsigned length)
{
    const uint64_t next = x86_guest->get(vcpu, REG_RIP) + length;

    return code_mode(vcpu) == INSN_MODE_64 ? next : (uint32_t)next;
}

/* Code that cannot be read now (it ran, but another CPU changed it) is taken for plain. */
void x86_guest_skip(struct hv_vcpu *vcpu, unsigned plain)
{
    const uint64_t rip = x86_guest->get(vcpu, REG_RIP);
    uint64_t *known = &vcpu->plain_at[rip % ARRAY_SIZE(vcpu->plain_at)];
    unsigned length = plain;
    struct insn insn;

    if (*known != x86_plain_key(rip, plain) && x86_guest_decode(vcpu, &insn) == OK) {
        length = insn.length;
        if (length == plain)
            *known = x86_plain_key(rip, plain);
    }
    x86_guest->set(vcpu, REG_RIP, x86_guest_next(vcpu, length));
    x86_guest->retired(vcpu, 0);
}

static status_t open_read(void *context, gpa_t address, unsigned size, uint64_t *value)
{
    (void)context;
    (void)address;
    *value = low_bytes(UINT64_MAX, size);
    return OK;
}

static status_t open_write(void *context, gpa_t address, unsigned size, uint64_t value)
{
    (void)context;
    (void)address;
    (void)size;
    (void)value;
    return OK;
}

static status_t open_port_read(void *context, uint16_t port, unsigned size, uint64_t *value)
{
    return open_read(context, gpa(port), size, value);
}

static status_t open_port_write(void *context, uint16_t port, unsigned size, uint64_t value)
{
    return open_write(context, gpa(port), size, value);
}

void x86_open_bus(struct hv_vcpu *vcpu, const struct vm_exit *exit)
{
    const struct hv_bus bus = {
        .context = vcpu,
        .read = open_read,
        .write = open_write,
        .port_read = open_port_read,
        .port_write = open_port_write,
        .read_memory = read_memory,
    };

    const bool data = exit->reason != VM_EXIT_MEMORY ||
                      (exit->memory.access != VM_ACCESS_EXEC && !exit->memory.table_walk);

    if (!data || x86_emulate(vcpu, exit, &bus) != OK)
        x86_inject_gp(vcpu);
}

/* --- reports --- */

void x86_guest_describe(const struct hv_vcpu *vcpu, hv_print print, void *context)
{
    static const char *const general[GPR_COUNT] = { "rax", "rcx", "rdx", "rbx", "rsp", "rbp",
                                                    "rsi", "rdi", "r8",  "r9",  "r10", "r11",
                                                    "r12", "r13", "r14", "r15" };
    static const char *const special[REG_COUNT] = {
        [REG_RIP] = "rip", [REG_RFLAGS] = "rflags", [REG_RSP] = "rsp",
        [REG_CR0] = "cr0", [REG_CR2] = "cr2",       [REG_CR3] = "cr3",
        [REG_CR4] = "cr4", [REG_EFER] = "efer",     [REG_CPL] = "cpl",
    };
    static const char *const segments[SEG_COUNT] = { "es", "cs", "ss",   "ds",
                                                     "fs", "gs", "ldtr", "tr" };
    static const char *const bases[SEG_COUNT] = { "es.base", "cs.base", "ss.base",   "ds.base",
                                                  "fs.base", "gs.base", "ldtr.base", "tr.base" };

    for (unsigned i = 0; i < GPR_COUNT; i++)
        if (i != GPR_RSP)
            print(context, general[i], vcpu->gpr[i]);
    for (unsigned i = 0; i < REG_COUNT; i++)
        if (special[i] != NULL)
            print(context, special[i], x86_guest->get(vcpu, i));
    for (unsigned i = 0; i < SEG_COUNT; i++) {
        const struct x86_segment_state state = x86_guest->segment(vcpu, i);

        print(context, segments[i], state.selector);
        print(context, bases[i], state.base);
    }
}
