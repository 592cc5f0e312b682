/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading the host's ACPI tables; offsets are those of ACPI 6.5, chapter 5.2. */

#include "drivers/firmware/acpi.h"

#include "arch/bits.h"
#include "kernel/lib/string.h"

#define HEADER_BYTES 36
#define TABLE_MAX_BYTES (16u << 20)
#define RSDP_V1_BYTES 20
#define RSDP_V2_BYTES 36

#define BIOS_START 0xe0000
#define BIOS_HALF 0x10000 /* most have it in the upper one */
#define EBDA_POINTER 0x40e
#define EBDA_LOWEST 0x80000
#define EBDA_SEARCHED 1024

enum { RSDP_REVISION = 15, RSDP_RSDT = 16, RSDP_XSDT = 24 };
enum { HEADER_LENGTH = 4 };

/* A table with a good checksum; at is NULL where there is none. */
struct table {
    const uint8_t *at;
    uint32_t bytes;
};

/* Little-endian, at any alignment. */
static uint64_t number(const uint8_t *at, unsigned bytes)
{
    uint64_t value = 0;

    while (bytes-- > 0)
        value = value << 8 | at[bytes];
    return value;
}

/* A field of the table, 0 where the table ends before it: older revisions are shorter. */
static uint64_t field(struct table table, uint32_t offset, unsigned bytes)
{
    return offset + bytes <= table.bytes ? number(table.at + offset, bytes) : 0;
}

static bool sums_to_zero(const uint8_t *at, uint32_t bytes)
{
    uint8_t sum = 0;

#pragma GCC unroll 16 /* a DSDT is long, and read at every boot */
    for (uint32_t i = 0; i < bytes; i++)
        sum = (uint8_t)(sum + at[i]);
    return sum == 0;
}

static struct table table_at(acpi_memory memory, uint64_t address)
{
    const struct table none = { NULL, 0 };
    const uint8_t *const header = address != 0 ? memory(address, HEADER_BYTES) : NULL;

    if (header == NULL)
        return none;
    const uint32_t bytes = (uint32_t)number(header + HEADER_LENGTH, 4);

    if (bytes < HEADER_BYTES || bytes > TABLE_MAX_BYTES)
        return none;
    const uint8_t *const at = memory(address, bytes);

    return at != NULL && sums_to_zero(at, bytes) ? (struct table){ at, bytes } : none;
}

/* --- RSDP --- */

static uint64_t search(acpi_memory memory, uint64_t base, uint64_t bytes)
{
    const uint8_t *const at = memory(base, bytes);

    if (at == NULL)
        return 0;
    for (uint64_t i = 0; i + RSDP_V1_BYTES <= bytes; i += 16) {
        if (at[i] == 'R' && memcmp(at + i, "RSD PTR ", 8) == 0 &&
            sums_to_zero(at + i, RSDP_V1_BYTES))
            return base + i;
    }
    return 0;
}

uint64_t acpi_find_rsdp(acpi_memory memory)
{
    const uint8_t *const pointer = memory(EBDA_POINTER, 2);
    const uint64_t ebda = pointer != NULL ? number(pointer, 2) << 4 : 0;
    uint64_t found = 0;

    if (ebda >= EBDA_LOWEST)
        found = search(memory, ebda, EBDA_SEARCHED);
    if (found == 0)
        found = search(memory, BIOS_START + BIOS_HALF, BIOS_HALF);
    return found != 0 ? found : search(memory, BIOS_START, BIOS_HALF);
}

/* The table of tables, and how wide its pointers are. */
static struct table root_table(acpi_memory memory, uint64_t rsdp, unsigned *width)
{
    const uint8_t *const v1 = rsdp != 0 ? memory(rsdp, RSDP_V1_BYTES) : NULL;
    const uint8_t *v2 = NULL;
    struct table root = { NULL, 0 };

    if (v1 == NULL || memcmp(v1, "RSD PTR ", 8) != 0)
        return root;
    if (v1[RSDP_REVISION] >= 2)
        v2 = memory(rsdp, RSDP_V2_BYTES);
    if (v2 != NULL) {
        *width = 8;
        root = table_at(memory, number(v2 + RSDP_XSDT, 8));
    }
    if (root.at == NULL) {
        *width = 4;
        root = table_at(memory, number(v1 + RSDP_RSDT, 4));
    }
    return root;
}

/* --- MADT --- */

enum { MADT_LAPIC = 36, MADT_FLAGS = 40, MADT_ENTRIES = 44 };
#define MADT_HAS_PICS BIT(0)

#define LAPIC_BYTES 0x1000
#define CPU_ENABLED BIT(0)
#define XAPIC_BROADCAST 255

#define INTI_POLARITY GENMASK(1, 0) /* 0: the bus's, 1: active high, 3: active low */
#define INTI_TRIGGER GENMASK(3, 2)  /* 0: the bus's, 1: edge, 3: level */
#define INTI_LOW 3
#define INTI_LEVEL 3

static void add_cpu(struct host_info *out, uint64_t id, uint64_t flags)
{
    if (!(flags & CPU_ENABLED))
        return;
    if (out->cpu_count == HOST_MAX_CPUS) {
        out->left_out++;
        return;
    }
    out->cpus[out->cpu_count++] = (struct host_cpu){ id, HOST_CPU_STARTUP };
}

static void take_lapic(struct host_info *out, struct table entry)
{
    const uint64_t id = field(entry, 3, 1);

    if (id != XAPIC_BROADCAST)
        add_cpu(out, id, field(entry, 4, 4));
}

static void take_x2apic(struct host_info *out, struct table entry)
{
    add_cpu(out, field(entry, 4, 4), field(entry, 8, 4));
}

static void take_ioapic(struct host_info *out, struct table entry)
{
    struct host_pc *const pc = &out->pc;

    if (pc->ioapic_count < HOST_MAX_IOAPICS)
        pc->ioapics[pc->ioapic_count++] =
            (struct host_ioapic){ paddr(field(entry, 4, 4)), (uint32_t)field(entry, 8, 4) };
}

static void take_override(struct host_info *out, struct table entry)
{
    const uint64_t source = field(entry, 3, 1), flags = field(entry, 8, 2);

    if (source < HOST_ISA_IRQS)
        out->pc.isa[source] = (struct host_gsi){
            .gsi = (uint32_t)field(entry, 4, 4),
            .level = FIELD_GET(INTI_TRIGGER, flags) == INTI_LEVEL,
            .active_low = FIELD_GET(INTI_POLARITY, flags) == INTI_LOW,
        };
}

static void take_lapic_address(struct host_info *out, struct table entry)
{
    out->pc.lapic.base = paddr(field(entry, 4, 8));
}

static const struct madt_entry {
    uint8_t type, bytes;
    void (*take)(struct host_info *out, struct table entry);
} madt_entries[] = {
    { 0, 8, take_lapic },          { 1, 12, take_ioapic }, { 2, 10, take_override },
    { 5, 12, take_lapic_address }, { 9, 16, take_x2apic },
};

static void take_madt_entry(struct host_info *out, struct table entry)
{
    for (unsigned i = 0; i < ARRAY_SIZE(madt_entries); i++) {
        if (madt_entries[i].type == entry.at[0] && madt_entries[i].bytes <= entry.bytes)
            madt_entries[i].take(out, entry);
    }
}

static void take_madt(struct host_info *out, struct table madt)
{
    uint32_t offset = MADT_ENTRIES;

    out->pc.lapic = (struct host_range){ paddr(field(madt, MADT_LAPIC, 4)), LAPIC_BYTES };
    out->pc.has_pics = field(madt, MADT_FLAGS, 4) & MADT_HAS_PICS;
    while (offset + 2 <= madt.bytes) {
        const struct table entry = { madt.at + offset, madt.at[offset + 1] };

        if (entry.bytes < 2 || entry.bytes > madt.bytes - offset)
            return;
        take_madt_entry(out, entry);
        offset += entry.bytes;
    }
}

/* --- FADT --- */

enum {
    FADT_DSDT = 40,
    FADT_SMI_COMMAND = 48,
    FADT_ACPI_ENABLE = 52,
    FADT_PM1A_CONTROL = 64,
    FADT_PM1B_CONTROL = 68,
    FADT_PM_TIMER = 76,
    FADT_FLAGS = 112,
    FADT_RESET_REGISTER = 116,
    FADT_RESET_VALUE = 128,
    FADT_X_DSDT = 140,
    FADT_X_PM1A_CONTROL = 172,
    FADT_X_PM1B_CONTROL = 184,
    FADT_X_PM_TIMER = 208,
};
#define FADT_RESET_SUPPORTED BIT(10)

#define GAS_ADDRESS 4 /* generic address: space, width, offset, access size, address */
#define GAS_PORTS 1

/* A port by the generic address at `generic`, else by the old field at `plain`. */
static uint16_t port_of(struct table fadt, uint32_t generic, uint64_t plain)
{
    const uint64_t address = field(fadt, generic + GAS_ADDRESS, 8);

    if (address != 0 && field(fadt, generic, 1) == GAS_PORTS)
        plain = address;
    return plain <= UINT16_MAX ? (uint16_t)plain : 0;
}

static void take_sleep(acpi_memory memory, struct host_pc *pc, struct table fadt)
{
    struct table dsdt = table_at(memory, field(fadt, FADT_X_DSDT, 8));

    if (dsdt.at == NULL)
        dsdt = table_at(memory, field(fadt, FADT_DSDT, 4));
    if (dsdt.at != NULL)
        pc->has_sleep = acpi_find_sleep(dsdt.at + HEADER_BYTES, dsdt.bytes - HEADER_BYTES,
                                        &pc->sleep_a, &pc->sleep_b);
}

static void take_fadt(acpi_memory memory, struct host_pc *pc, struct table fadt)
{
    pc->pm1a_control = port_of(fadt, FADT_X_PM1A_CONTROL, field(fadt, FADT_PM1A_CONTROL, 4));
    pc->pm1b_control = port_of(fadt, FADT_X_PM1B_CONTROL, field(fadt, FADT_PM1B_CONTROL, 4));
    pc->pm_timer = port_of(fadt, FADT_X_PM_TIMER, field(fadt, FADT_PM_TIMER, 4));
    pc->smi_command = port_of(fadt, fadt.bytes, field(fadt, FADT_SMI_COMMAND, 4));
    pc->acpi_enable = (uint8_t)field(fadt, FADT_ACPI_ENABLE, 1);
    if (field(fadt, FADT_FLAGS, 4) & FADT_RESET_SUPPORTED) {
        pc->reset_port = port_of(fadt, FADT_RESET_REGISTER, 0);
        pc->reset_value = (uint8_t)field(fadt, FADT_RESET_VALUE, 1);
    }
    take_sleep(memory, pc, fadt);
}

/* --- all of them --- */

static void wire_isa_plainly(struct host_pc *pc)
{
    for (uint32_t i = 0; i < HOST_ISA_IRQS; i++)
        pc->isa[i] = (struct host_gsi){ .gsi = i };
}

status_t acpi_read(acpi_memory memory, uint64_t rsdp, struct host_info *out, const char **why)
{
    unsigned width = 0;
    const struct table root = root_table(memory, rsdp, &width);

    wire_isa_plainly(&out->pc);
    for (uint32_t at = HEADER_BYTES; root.at != NULL && at + width <= root.bytes; at += width) {
        const struct table table = table_at(memory, field(root, at, width));

        if (table.at != NULL && memcmp(table.at, "APIC", 4) == 0)
            take_madt(out, table);
        else if (table.at != NULL && memcmp(table.at, "FACP", 4) == 0)
            take_fadt(memory, &out->pc, table);
    }
    *why = root.at == NULL             ? "ACPI: no tables, or damaged ones"
           : out->cpu_count == 0       ? "ACPI: no CPU: its MADT is missing or damaged"
           : out->pc.ioapic_count == 0 ? "ACPI: no I/O APIC"
                                       : NULL;
    return *why == NULL ? OK : ERR_NOT_FOUND;
}
