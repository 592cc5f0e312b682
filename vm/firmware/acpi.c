/* SPDX-License-Identifier: BSD-2-Clause */
/* The ACPI tables of a machine pc (ACPI 6.4, chapter 5), one behind the other. */

#include "vm/firmware/acpi.h"

#include "arch/bits.h"
#include "kernel/lib/string.h"
#include "vm/devices/acpi_pm.h"
#include "vm/firmware/acpi_aml.h"
#include "vm/machine/machine_pc.h"

#define TABLE_ALIGN 16
#define FACS_ALIGN 64

struct acpi_header {
    char signature[4];
    uint32_t length;
    uint8_t revision, checksum;
    char oem_id[6], oem_table_id[8];
    uint32_t oem_revision;
    char creator_id[4];
    uint32_t creator_revision;
};

_Static_assert(sizeof(struct acpi_header) == 36, "5.2.6");

struct rsdp {
    char signature[8];
    uint8_t checksum; /* of the first 20 bytes */
    char oem_id[6];
    uint8_t revision;
    uint32_t rsdt;
    uint32_t length;
    uint32_t xsdt[2];
    uint8_t extended_checksum; /* of all */
    uint8_t reserved[3];
};

_Static_assert(sizeof(struct rsdp) == 36, "5.2.5.3");
#define RSDP_OLD_BYTES 20

struct facs {
    char signature[4];
    uint32_t length;
    uint32_t hardware_signature, waking_vector, global_lock, flags;
    uint64_t x_waking_vector;
    uint8_t version, reserved[31];
};

_Static_assert(sizeof(struct facs) == 64, "5.2.10");

/* Generic address structure, 5.2.3.2. */
struct gas {
    uint8_t space, bits, offset, access;
    uint32_t address[2];
};

enum { GAS_IO = 1, GAS_BYTE = 1, GAS_WORD = 2, GAS_DWORD = 3 };

struct fadt {
    struct acpi_header header;
    uint32_t facs, dsdt;
    uint8_t reserved, profile;
    uint16_t sci;
    uint32_t smi_command;
    uint8_t acpi_enable, acpi_disable, s4bios, pstate;
    uint32_t pm1a_event, pm1b_event, pm1a_control, pm1b_control, pm2_control, pm_timer;
    uint32_t gpe0, gpe1;
    uint8_t pm1_event_length, pm1_control_length, pm2_control_length, pm_timer_length;
    uint8_t gpe0_length, gpe1_length, gpe1_base, cst;
    uint16_t c2_latency, c3_latency, flush_size, flush_stride;
    uint8_t duty_offset, duty_width, day_alarm, month_alarm, century, boot_flags[2], reserved2;
    uint32_t flags;
    struct gas reset;
    uint8_t reset_value;
    uint16_t arm_boot_flags __attribute__((packed));
    uint8_t minor;
    uint32_t x_facs[2], x_dsdt[2];
    struct gas x_pm1a_event, x_pm1b_event, x_pm1a_control, x_pm1b_control, x_pm2_control;
    struct gas x_pm_timer, x_gpe0, x_gpe1, sleep_control, sleep_status;
    uint32_t hypervisor[2];
};

_Static_assert(offsetof(struct fadt, flags) == 112, "5.2.9");
_Static_assert(offsetof(struct fadt, x_facs) == 132, "5.2.9");
_Static_assert(sizeof(struct fadt) == 276, "5.2.9");

enum fadt_flag {
    FADT_WBINVD = 1 << 0,
    FADT_PROC_C1 = 1 << 2,
    FADT_NO_SLEEP_BUTTON = 1 << 5,
    FADT_NO_RTC_WAKE = 1 << 6,
    FADT_RESET_REGISTER = 1 << 10,
};

enum boot_flag { BOOT_LEGACY_DEVICES = 1 << 0, BOOT_8042 = 1 << 1 };

#define NO_C2 0xfff /* a latency that says that there is none */
#define NO_C3 0xfff
#define RTC_CENTURY 0x32 /* in CMOS */

struct madt {
    struct acpi_header header;
    uint32_t lapic, flags;
};

#define MADT_PCAT_COMPAT 1 /* there are two 8259s, too */

enum madt_type { MADT_LAPIC = 0, MADT_IOAPIC = 1, MADT_OVERRIDE = 2, MADT_LAPIC_NMI = 4 };
enum mps_flag { MPS_BUS = 0, MPS_HIGH_LEVEL = 0xd }; /* polarity and trigger, 5.2.12.5 */

struct mcfg {
    struct acpi_header header;
    uint32_t reserved[2];
    uint32_t base[2];
    uint16_t segment;
    uint8_t first_bus, last_bus;
    uint32_t reserved2;
};

_Static_assert(sizeof(struct mcfg) == 60, "PCI Firmware Specification, MCFG");

static uint8_t checksum(const void *bytes, size_t count)
{
    const uint8_t *at = bytes;
    uint8_t sum = 0;

    while (count-- != 0)
        sum = (uint8_t)(sum + *at++);
    return (uint8_t)-sum;
}

/* The next place for a table, as an offset; zeroes up to there. */
static size_t align(struct aml *out, size_t to)
{
    static const uint8_t zeroes[FACS_ALIGN];

    aml_put(out, zeroes, ALIGN_UP(out->used, to) - out->used);
    return out->used;
}

static uint32_t address_of(size_t offset)
{
    return (uint32_t)(PC_ACPI_BASE + offset);
}

static struct acpi_header header(const char *signature, unsigned revision)
{
    struct acpi_header made = {
        .revision = (uint8_t)revision,
        .oem_revision = 1,
        .creator_revision = 1,
    };

    memcpy(made.signature, signature, sizeof(made.signature));
    memcpy(made.oem_id, "SOCLE ", sizeof(made.oem_id));
    memcpy(made.oem_table_id, "SOCLEPC ", sizeof(made.oem_table_id));
    memcpy(made.creator_id, "SOCL", sizeof(made.creator_id));
    return made;
}

/* The table from `start` on is whole: its length, then its checksum. */
static void finish(struct aml *out, size_t start)
{
    struct acpi_header *table = (void *)(out->bytes + start);

    if (out->full)
        return;
    table->length = (uint32_t)(out->used - start);
    table->checksum = checksum(table, table->length);
}

static size_t put_dsdt(struct aml *out)
{
    const size_t start = align(out, TABLE_ALIGN);
    const struct acpi_header dsdt = header("DSDT", 2); /* 2: integers of 64 bits */

    aml_put(out, &dsdt, sizeof(dsdt));
    acpi_dsdt(out);
    finish(out, start);
    return start;
}

static size_t put_facs(struct aml *out)
{
    const size_t start = align(out, FACS_ALIGN);
    const struct facs facs = { .signature = "FACS", .length = sizeof(facs), .version = 2 };

    aml_put(out, &facs, sizeof(facs));
    return start;
}

static struct gas io_register(unsigned port, unsigned bytes, unsigned access)
{
    return (struct gas){
        .space = GAS_IO,
        .bits = (uint8_t)(8 * bytes),
        .access = (uint8_t)access,
        .address = { port },
    };
}

static size_t put_fadt(struct aml *out, uint32_t dsdt, uint32_t facs)
{
    const size_t start = align(out, TABLE_ALIGN);
    const struct fadt fadt = {
        .header = header("FACP", 6),
        .minor = 4,
        .facs = facs,
        .dsdt = dsdt,
        .x_dsdt = { dsdt },
        .profile = 1, /* desktop */
        .sci = PC_SCI_IRQ,
        .pm1a_event = PC_PM_PORT,
        .pm1a_control = PC_PM_PORT + ACPI_PM_CONTROL,
        .pm_timer = PC_PM_PORT + ACPI_PM_TIMER,
        .pm1_event_length = 4,
        .pm1_control_length = 2,
        .pm_timer_length = 4,
        .x_pm1a_event = io_register(PC_PM_PORT, 4, GAS_WORD),
        .x_pm1a_control = io_register(PC_PM_PORT + ACPI_PM_CONTROL, 2, GAS_WORD),
        .x_pm_timer = io_register(PC_PM_PORT + ACPI_PM_TIMER, 4, GAS_DWORD),
        .c2_latency = NO_C2,
        .c3_latency = NO_C3,
        .century = RTC_CENTURY,
        .boot_flags = { BOOT_LEGACY_DEVICES | BOOT_8042 },
        .flags = FADT_WBINVD | FADT_PROC_C1 | FADT_NO_SLEEP_BUTTON | FADT_NO_RTC_WAKE |
                 FADT_RESET_REGISTER,
        .reset = io_register(PC_RESET_PORT, 1, GAS_BYTE),
        .reset_value = PC_RESET_VALUE,
    };

    aml_put(out, &fadt, sizeof(fadt));
    finish(out, start);
    return start;
}

static void put_override(struct aml *out, unsigned irq, unsigned gsi, unsigned flags)
{
    const uint8_t entry[] = {
        MADT_OVERRIDE, 10, 0, (uint8_t)irq, (uint8_t)gsi, 0, 0, 0, (uint8_t)flags, 0,
    };

    aml_put(out, entry, sizeof(entry));
}

static size_t put_madt(struct aml *out, unsigned cpus)
{
    static const uint8_t nmi[] = { MADT_LAPIC_NMI, 6, 0xff, MPS_BUS, 0, 1 }; /* all, LINT1 */
    static const uint32_t ioapic[] = { 12 << 8 | MADT_IOAPIC, PC_IOAPIC_BASE, 0 };
    const size_t start = align(out, TABLE_ALIGN);
    const struct madt madt = { header("APIC", 5), PC_LAPIC_BASE, MADT_PCAT_COMPAT };

    aml_put(out, &madt, sizeof(madt));
    for (unsigned i = 0; i < cpus; i++) {
        const uint8_t lapic[] = { MADT_LAPIC, 8, (uint8_t)i, (uint8_t)i, 1, 0, 0, 0 };

        aml_put(out, lapic, sizeof(lapic));
    }
    aml_put(out, ioapic, sizeof(ioapic));
    put_override(out, PC_PIT_IRQ, PC_PIT_GSI, MPS_BUS);
    put_override(out, PC_SCI_IRQ, PC_SCI_IRQ, MPS_HIGH_LEVEL);
    aml_put(out, nmi, sizeof(nmi));
    finish(out, start);
    return start;
}

static size_t put_mcfg(struct aml *out)
{
    const size_t start = align(out, TABLE_ALIGN);
    const struct mcfg mcfg = { .header = header("MCFG", 1), .base = { PC_ECAM_BASE } };

    aml_put(out, &mcfg, sizeof(mcfg));
    finish(out, start);
    return start;
}

/* The list of the others: addresses of 4 (RSDT) or 8 (XSDT) bytes. */
static size_t put_list(struct aml *out, const char *signature, size_t bytes, const size_t *tables,
                       size_t count)
{
    const size_t start = align(out, TABLE_ALIGN);
    const struct acpi_header list = header(signature, 1);

    aml_put(out, &list, sizeof(list));
    for (size_t i = 0; i < count; i++) {
        const uint64_t address = address_of(tables[i]);

        aml_put(out, &address, bytes);
    }
    finish(out, start);
    return start;
}

static void put_rsdp(struct aml *out, uint32_t rsdt, uint32_t xsdt)
{
    struct rsdp rsdp = { .revision = 2, .rsdt = rsdt, .length = sizeof(rsdp), .xsdt = { xsdt } };

    memcpy(rsdp.signature, "RSD PTR ", sizeof(rsdp.signature));
    memcpy(rsdp.oem_id, "SOCLE ", sizeof(rsdp.oem_id));
    rsdp.checksum = checksum(&rsdp, RSDP_OLD_BYTES);
    rsdp.extended_checksum = checksum(&rsdp, sizeof(rsdp));
    memcpy(out->bytes, &rsdp, sizeof(rsdp));
}

status_t acpi_generate(unsigned cpus, void *buffer, size_t room, size_t *bytes)
{
    struct aml out = { .bytes = buffer, .room = room };
    const struct rsdp room_for_it = { 0 };
    size_t tables[3], dsdt, facs, rsdt, xsdt;

    aml_put(&out, &room_for_it, sizeof(room_for_it));
    dsdt = put_dsdt(&out);
    facs = put_facs(&out);
    tables[0] = put_fadt(&out, address_of(dsdt), address_of(facs));
    tables[1] = put_madt(&out, cpus);
    tables[2] = put_mcfg(&out);
    rsdt = put_list(&out, "RSDT", sizeof(uint32_t), tables, ARRAY_SIZE(tables));
    xsdt = put_list(&out, "XSDT", sizeof(uint64_t), tables, ARRAY_SIZE(tables));
    if (out.full)
        return ERR_NO_MEMORY;
    put_rsdp(&out, address_of(rsdt), address_of(xsdt));
    *bytes = out.used;
    return OK;
}
