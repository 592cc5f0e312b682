/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the nodes of the host's device tree mean for Socle. A device's registers are translated
 * through the `ranges` of the buses that it is behind; memory, CPUs and reservations are not
 * behind any.
 */

#include "arch/bits.h"
#include "drivers/firmware/fdt_parse.h"

/* From the address space of the children of `depth - 1` to the CPU's: Devicetree 2.3.8. */
static bool translate(const struct parse *p, unsigned depth, uint64_t *address)
{
    for (unsigned bus = depth - 1; bus > 0; bus--) {
        const struct level *inner = &p->levels[bus], *outer = &p->levels[bus - 1];
        uint32_t row = 4 * (inner->address_cells + outer->address_cells + inner->size_cells);
        uint64_t from = 0, to = 0, bytes = 0;
        bool found = inner->ranges.data && inner->ranges.bytes == 0; /* empty: the same space */

        for (size_t at = 0; !found && at < inner->ranges.bytes; at += row) {
            size_t to_at = at + 4 * inner->address_cells;
            size_t bytes_at = to_at + 4 * outer->address_cells;
            if (!fdt_cells(inner->ranges, at, inner->address_cells, &from) ||
                !fdt_cells(inner->ranges, to_at, outer->address_cells, &to) ||
                !fdt_cells(inner->ranges, bytes_at, inner->size_cells, &bytes))
                return false;
            found = *address >= from && *address - from < bytes;
        }
        if (!found)
            return false;
        *address = *address - from + to;
    }
    return true;
}

/* The n-th pair of `reg` in the parent's terms; false: there is none, or it makes no sense. */
static bool local_range(const struct parse *p, unsigned n, uint64_t *base, uint64_t *bytes)
{
    const struct level *parent = &p->levels[p->depth - 2];
    size_t at = (size_t)n * 4 * (parent->address_cells + parent->size_cells);

    return fdt_cells(p->node[REG], at, parent->address_cells, base) &&
           fdt_cells(p->node[REG], at + 4 * parent->address_cells, parent->size_cells, bytes) &&
           *base + *bytes >= *base;
}

/* The same for a device's registers, as the CPU sees them; 0 bytes: none. */
static struct host_range device_range(const struct parse *p, unsigned n)
{
    uint64_t base, bytes;

    if (!local_range(p, n, &base, &bytes) || !translate(p, p->depth - 1, &base))
        return (struct host_range){ 0 };
    return (struct host_range){ paddr(base), bytes };
}

status_t fdt_add_reserved(struct parse *p, uint64_t base, uint64_t bytes)
{
    struct host_info *out = p->out;

    if (out->reserved_count == HOST_MAX_RESERVED)
        return ERR_NO_MEMORY;
    out->reserved[out->reserved_count++] = (struct host_range){ paddr(base), bytes };
    return OK;
}

static status_t take_reserved(struct parse *p)
{
    status_t status = OK;
    uint64_t base, bytes;

    for (unsigned n = 0; status == OK && local_range(p, n, &base, &bytes); n++)
        if (bytes != 0)
            status = fdt_add_reserved(p, base, bytes);
    return status;
}

static void take_memory(struct parse *p)
{
    struct host_info *out = p->out;
    uint64_t base, bytes;

    for (unsigned n = 0; local_range(p, n, &base, &bytes); n++) {
        if (bytes == 0)
            continue;
        if (out->bank_count == HOST_MAX_BANKS)
            out->left_out++;
        else
            out->banks[out->bank_count++] = (struct host_range){ paddr(base), bytes };
    }
}

static void take_cpu(struct parse *p)
{
    struct host_info *out = p->out;
    const char *method = fdt_text(p->node[ENABLE_METHOD]);
    struct host_cpu cpu = { .enable = HOST_CPU_NO_METHOD };

    if (!fdt_cells(p->node[REG], 0, p->levels[p->depth - 2].address_cells, &cpu.hwid))
        return;
    if (strcmp(method, "psci") == 0)
        cpu.enable = HOST_CPU_PSCI;
    else if (strcmp(method, "spin-table") == 0)
        cpu.enable = HOST_CPU_SPIN_TABLE;
    if (out->cpu_count == HOST_MAX_CPUS)
        out->left_out++;
    else
        out->cpus[out->cpu_count++] = cpu;
}

/* 4 or 8 bytes, whichever the loader wrote. */
static uint64_t number(struct fdt_value value)
{
    uint64_t result = 0;

    fdt_cells(value, 0, value.bytes / 4, &result);
    return result;
}

static void take_chosen(struct parse *p)
{
    uint64_t start = number(p->node[INITRD_START]), end = number(p->node[INITRD_END]);

    if (end > start)
        p->out->initrd = (struct host_range){ paddr(start), end - start };
    p->out->bootargs = fdt_text(p->node[BOOTARGS]);
    p->stdout_path = fdt_text(p->node[STDOUT_PATH]);
}

static void take_psci(struct parse *p, uint32_t version)
{
    const char *method = fdt_text(p->node[METHOD]);

    p->out->psci = (struct host_psci){
        .conduit = strcmp(method, "smc") == 0   ? HOST_CONDUIT_SMC
                   : strcmp(method, "hvc") == 0 ? HOST_CONDUIT_HVC
                                                : HOST_CONDUIT_NONE,
        .version = version,
    };
}

static void take_gic_common(struct parse *p, uint32_t version)
{
    p->out->gic = (struct host_gic){ .version = version, .gicd = device_range(p, 0) };
    p->gic_interrupts = p->node[INTERRUPTS];
    p->interrupt_cells = fdt_u32(p->node[INTERRUPT_CELLS], 3);
}

static void take_gic_v2(struct parse *p, uint32_t version)
{
    struct host_gic *gic = &p->out->gic;

    take_gic_common(p, version);
    gic->gicc = device_range(p, 1);
    gic->gich = device_range(p, 2);
    gic->gicv = device_range(p, 3);
}

static void take_gic_v3(struct parse *p, uint32_t version)
{
    struct host_gic *gic = &p->out->gic;
    uint32_t regions = fdt_u32(p->node[REDISTRIBUTOR_REGIONS], 1);

    take_gic_common(p, version);
    gic->gicr_count = MIN(regions, (uint32_t)HOST_MAX_GICR);
    for (unsigned n = 0; n < gic->gicr_count; n++)
        gic->gicr[n] = device_range(p, 1 + n);
    gic->gicc = device_range(p, 1 + gic->gicr_count);
    gic->gich = device_range(p, 2 + gic->gicr_count);
    gic->gicv = device_range(p, 3 + gic->gicr_count);
}

static void take_timer(struct parse *p, uint32_t version)
{
    (void)version;
    p->timer_interrupts = p->node[INTERRUPTS];
}

static void take_pl011(struct parse *p, uint32_t version)
{
    struct uart_candidate uart = {
        .regs = device_range(p, 0),
        .interrupts = p->node[INTERRUPTS],
        .depth = p->depth - 1,
    };

    (void)version;
    if (p->uart_count == MAX_UARTS || uart.regs.bytes == 0)
        return;
    for (unsigned i = 0; i < uart.depth; i++)
        uart.path[i] = p->levels[i + 1].name;
    p->uarts[p->uart_count++] = uart;
}

static void take_pl031(struct parse *p, uint32_t version)
{
    (void)version;
    p->out->rtc = device_range(p, 0);
}

/* What has a driver, or needs none; all by Arm, whose name is left out. */
static const struct {
    const char *compatible;
    void (*take)(struct parse *p, uint32_t version);
    uint32_t version;
} devices[] = {
    { "gic-v3", take_gic_v3, 3 },         { "gic-400", take_gic_v2, 2 },
    { "cortex-a15-gic", take_gic_v2, 2 }, { "cortex-a7-gic", take_gic_v2, 2 },
    { "armv8-timer", take_timer, 0 },     { "pl011", take_pl011, 0 },
    { "pl031", take_pl031, 0 },           { "psci-1.0", take_psci, 0x10000 },
    { "psci-0.2", take_psci, 0x00002 },   { "psci", take_psci, 0 },
};

static bool take_device_as(struct parse *p, const char *compatible)
{
    for (size_t i = 0; i < ARRAY_SIZE(devices); i++) {
        if (fdt_same(compatible, devices[i].compatible)) {
            devices[i].take(p, devices[i].version);
            return true;
        }
    }
    return false;
}

/* As the first of the names that it is compatible with; they go from special to general. */
static void take_device(struct parse *p)
{
    static const char vendor[] = "arm,";
    struct fdt_value list = p->node[COMPATIBLE];
    const char *name;
    bool taken = false;

    while (!taken && (name = fdt_next_text(&list)) != NULL)
        if (strncmp(name, vendor, sizeof(vendor) - 1) == 0)
            taken = take_device_as(p, name + sizeof(vendor) - 1);
}

status_t fdt_take_node(struct parse *p)
{
    enum node_kind kind = p->levels[p->depth - 1].kind;
    enum node_kind around = p->levels[p->depth - 2].kind;
    const char *type = fdt_text(p->node[DEVICE_TYPE]);

    if (around == RESERVED_MEMORY)
        return take_reserved(p);
    if (kind == CHOSEN)
        take_chosen(p);
    else if (around == CPUS && fdt_same(type, "cpu"))
        take_cpu(p);
    else if (p->depth == 2 && fdt_same(type, "memory"))
        take_memory(p);
    else
        take_device(p);
    return OK;
}

/* The n-th interrupt of a GIC's child: type, number, flags; 0: none. */
static uint32_t gic_interrupt(const struct parse *p, struct fdt_value interrupts, unsigned n)
{
    size_t at = (size_t)n * 4 * p->interrupt_cells;
    uint64_t type, index;

    if (p->interrupt_cells < 3 || !fdt_cells(interrupts, at, 1, &type) ||
        !fdt_cells(interrupts, at + 4, 1, &index))
        return 0;
    if (type == 0 && index < 988) /* SPI */
        return (uint32_t)index + 32;
    if (type == 1 && index < 16) /* PPI */
        return (uint32_t)index + 16;
    return 0;
}

/* Is `path`, up to `length`, where the UART is? */
static bool is_at(const struct uart_candidate *uart, const char *path, size_t length)
{
    for (unsigned i = 0; i < uart->depth; i++) {
        size_t name_length = strlen(uart->path[i]);

        if (length < 1 + name_length || *path != '/' ||
            memcmp(path + 1, uart->path[i], name_length) != 0)
            return false;
        path += 1 + name_length;
        length -= 1 + name_length;
    }
    return length == 0;
}

/* stdout-path is a path or an alias, then perhaps ":options". */
static const struct uart_candidate *choose_uart(const struct parse *p)
{
    const char *path = p->stdout_path ? p->stdout_path : "";
    const char *options = strchr(path, ':');
    size_t length = options ? (size_t)(options - path) : strlen(path);

    for (unsigned i = 0; *path != '/' && i < p->alias_count; i++) {
        const struct alias *alias = &p->aliases[i];
        if (strlen(alias->name) == length && memcmp(alias->name, path, length) == 0) {
            path = alias->path;
            length = strlen(path);
        }
    }
    for (unsigned i = 0; i < p->uart_count; i++)
        if (is_at(&p->uarts[i], path, length))
            return &p->uarts[i];
    return p->uart_count > 0 ? &p->uarts[0] : NULL;
}

void fdt_decide(struct parse *p)
{
    struct host_info *out = p->out;
    const struct uart_candidate *uart = choose_uart(p);

    if (uart)
        out->uart = (struct host_uart){
            .kind = HOST_UART_PL011,
            .regs = uart->regs,
            .irq = gic_interrupt(p, uart->interrupts, 0),
        };
    out->gic.maintenance_irq = gic_interrupt(p, p->gic_interrupts, 0);
    out->timer = (struct host_timer){
        .secure = gic_interrupt(p, p->timer_interrupts, 0),
        .physical = gic_interrupt(p, p->timer_interrupts, 1),
        .virtual = gic_interrupt(p, p->timer_interrupts, 2),
        .hypervisor = gic_interrupt(p, p->timer_interrupts, 3),
    };
}
