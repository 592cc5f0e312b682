/* SPDX-License-Identifier: BSD-2-Clause */
/* See x86_fake_guest.h. */
#include "tests/unit/x86_fake_guest.h"

#include "arch/x86/emulate/xmm.h"
#include "arch/x86/switch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

struct fake_guest guest;

/* --- registers --- */

static uint64_t get(const struct hv_vcpu *vcpu, enum x86_register which)
{
    assert_ptr_equal(vcpu, &guest.vcpu);
    return guest.reg[which];
}

static void set(struct hv_vcpu *vcpu, enum x86_register which, uint64_t value)
{
    assert_ptr_equal(vcpu, &guest.vcpu);
    guest.reg[which] = value;
}

static struct x86_segment_state segment(const struct hv_vcpu *vcpu, enum x86_segment which)
{
    (void)vcpu;
    return guest.segment[which];
}

static void inject_exception(struct hv_vcpu *vcpu, uint8_t vector, int64_t error_code)
{
    (void)vcpu;
    assert_int_equal(guest.vector, -1);
    guest.vector = vector;
    guest.error = error_code;
}

static void retired(struct hv_vcpu *vcpu, uint64_t met)
{
    (void)vcpu;
    guest.retired++;
    guest.met = met;
}

static bool delivering(const struct hv_vcpu *vcpu)
{
    (void)vcpu;
    return guest.delivering;
}

static const struct x86_guest_ops fake_guest_ops = {
    .get = get,
    .set = set,
    .segment = segment,
    .inject_exception = inject_exception,
    .retired = retired,
    .delivering = delivering,
};

const struct x86_guest_ops *x86_guest = &fake_guest_ops;

void x86_inject_page_fault(struct hv_vcpu *vcpu, uint64_t address, uint32_t error)
{
    inject_exception(vcpu, 14, error);
    guest.fault_address = address;
}

void x86_xmm_read(unsigned n, uint64_t value[2])
{
    memcpy(value, guest.xmm[n], sizeof(guest.xmm[n]));
}

void x86_xmm_write(unsigned n, const uint64_t value[2])
{
    memcpy(guest.xmm[n], value, sizeof(guest.xmm[n]));
}

void x86_switch_breakpoints(uint64_t address[4])
{
    memcpy(address, guest.breakpoint, sizeof(guest.breakpoint));
}

/* --- the bus --- */

static status_t note(uint64_t address, unsigned size, bool write, bool port)
{
    assert_true(size == 1 || size == 2 || size == 4 || size == 8);
    if (guest.accesses < FAKE_NOTES)
        guest.note[guest.accesses] = (struct fake_note){ address, size, write, port };
    guest.accesses++;
    return guest.fail_at != 0 && guest.accesses >= guest.fail_at ? ERR_NOT_FOUND : OK;
}

static bool is_in_memory(gpa_t address, size_t size)
{
    return address.raw < FAKE_MEMORY && size <= FAKE_MEMORY - address.raw;
}

/* What a device gives beyond the size is noise. */
static status_t bus_read(void *context, gpa_t address, unsigned size, uint64_t *value)
{
    status_t status = note(address.raw, size, false, false);

    (void)context;
    assert_true((address.raw & PAGE_MASK) + size <= PAGE_SIZE);
    if (status != OK || !is_in_memory(address, size))
        return ERR_NOT_FOUND;
    *value = 0xa5a5a5a5a5a5a5a5;
    memcpy(value, guest.memory + address.raw, size);
    return OK;
}

static status_t bus_write(void *context, gpa_t address, unsigned size, uint64_t value)
{
    status_t status = note(address.raw, size, true, false);

    (void)context;
    assert_true((address.raw & PAGE_MASK) + size <= PAGE_SIZE);
    assert_true(size == 8 || value >> (8 * size) == 0);
    if (status != OK || !is_in_memory(address, size))
        return ERR_NOT_FOUND;
    memcpy(guest.memory + address.raw, &value, size);
    return OK;
}

static status_t port_read(void *context, uint16_t port, unsigned size, uint64_t *value)
{
    (void)context;
    *value = guest.port_value++;
    return note(port, size, false, true);
}

static status_t port_write(void *context, uint16_t port, unsigned size, uint64_t value)
{
    (void)context;
    guest.port_value = value;
    return note(port, size, true, true);
}

static status_t read_memory(void *context, gpa_t address, void *to, size_t bytes)
{
    (void)context;
    assert_true((address.raw & PAGE_MASK) + bytes <= PAGE_SIZE);
    if (!is_in_memory(address, bytes))
        return ERR_NOT_FOUND;
    if (address.raw >= FAKE_TABLES)
        guest.table_reads++;
    memcpy(to, guest.memory + address.raw, bytes);
    return OK;
}

static status_t exchange_memory(void *context, gpa_t address, unsigned size, uint64_t expected,
                                uint64_t value)
{
    (void)context;
    assert_true(size == 4 || size == 8);
    assert_int_equal(address.raw % size, 0);
    if (!is_in_memory(address, size))
        return ERR_NOT_FOUND;
    if (guest.lost_races > 0) {
        guest.lost_races--;
        return ERR_BAD_STATE;
    }
    assert_memory_equal(guest.memory + address.raw, &expected, size);
    memcpy(guest.memory + address.raw, &value, size);
    return OK;
}

const struct hv_bus fake_bus = {
    .read = bus_read,
    .write = bus_write,
    .port_read = port_read,
    .port_write = port_write,
    .read_memory = read_memory,
    .exchange_memory = exchange_memory,
};

/* --- modes --- */

static void reset(uint32_t limit, uint16_t code, uint16_t data)
{
    memset(&guest, 0, sizeof(guest));
    guest.vector = -1;
    guest.reg[REG_RIP] = FAKE_CODE;
    guest.reg[REG_RFLAGS] = RFLAGS_FIXED;
    guest.reg[REG_RSP] = 0x8000;
    for (unsigned i = 0; i < SEG_COUNT; i++)
        guest.segment[i] = (struct x86_segment_state){ .limit = limit, .attributes = data };
    guest.segment[SEG_CS].attributes = code;
    for (unsigned i = 0; i < FAKE_TABLES; i++)
        guest.memory[i] = (uint8_t)(i ^ i >> 8);
}

void fake_real_mode(void)
{
    reset(0xffff, FAKE_CODE_16, 0x0093);
    guest.reg[REG_CR0] = CR0_ET;
    for (unsigned i = 0; i < SEG_COUNT; i++)
        if (i != SEG_CS)
            guest.segment[i].base = FAKE_DATA;
}

void fake_protected_mode(unsigned bits)
{
    reset(0xffffffff, bits == 16 ? FAKE_CODE_16 : FAKE_CODE_32, FAKE_DATA_SEGMENT);
    guest.reg[REG_CR0] = CR0_PE | CR0_ET;
}

void fake_long_mode(void)
{
    reset(0xffffffff, FAKE_CODE_64, FAKE_DATA_SEGMENT);
    guest.reg[REG_CR0] = CR0_PE | CR0_PG | CR0_WP;
    guest.reg[REG_CR4] = CR4_PAE;
    guest.reg[REG_EFER] = EFER_LME | EFER_LMA | EFER_NXE;
    guest.reg[REG_CR3] = FAKE_TABLES;
    guest.next_table = FAKE_TABLES + PAGE_SIZE;
    fake_map(FAKE_CODE, FAKE_CODE, ENTRY_P | ENTRY_W | ENTRY_U);
}

static uint64_t *entry_at(uint64_t linear, bool create)
{
    uint64_t table = guest.reg[REG_CR3];

    for (unsigned shift = 39;; shift -= 9) {
        uint64_t *const entry =
            (uint64_t *)(void *)(guest.memory + table + (linear >> shift & 0x1ff) * 8);

        if (shift == 12)
            return entry;
        if (create && *entry == 0) {
            *entry = guest.next_table | ENTRY_P | ENTRY_W | ENTRY_U;
            guest.next_table += PAGE_SIZE;
            assert_true(guest.next_table < FAKE_MEMORY);
        }
        table = *entry & GENMASK(51, 12);
    }
}

uint64_t *fake_entry(uint64_t linear)
{
    return entry_at(linear, false);
}

void fake_map(uint64_t linear, uint64_t physical, uint64_t bits)
{
    *entry_at(linear, true) = physical | bits;
}

void fake_code(const void *bytes, size_t count)
{
    memcpy(guest.memory + FAKE_CODE, bytes, count);
}

uint64_t fake_memory(uint64_t address, unsigned size)
{
    uint64_t value = 0;

    memcpy(&value, guest.memory + address, size);
    return value;
}

void fake_store(uint64_t address, unsigned size, uint64_t value)
{
    memcpy(guest.memory + address, &value, size);
}
