/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The host's device tree in one pass. A node's own properties stand before its children, so
 * they are collected by name, and the node is looked at when they end:
 *
 *     BEGIN_NODE --enter--> PROP ... --collect--> BEGIN_NODE or END_NODE --look--> take_...()
 *
 * The nodes around it are kept as a stack of levels, for their cell counts, `ranges` and
 * paths. What depends on a node that may come later (how many cells an interrupt has; which
 * UART /chosen means) is kept as it was written and decided at the end.
 */

#include "drivers/firmware/fdt.h"

#include "arch/bits.h"
#include "drivers/firmware/fdt_parse.h"

#include <libfdt.h>

static const char *const property_names[PROPERTIES] = {
    [ADDRESS_CELLS] = "#address-cells",
    [SIZE_CELLS] = "#size-cells",
    [COMPATIBLE] = "compatible",
    [DEVICE_TYPE] = "device_type",
    [STATUS] = "status",
    [REG] = "reg",
    [RANGES] = "ranges",
    [INTERRUPTS] = "interrupts",
    [INTERRUPT_CELLS] = "#interrupt-cells",
    [ENABLE_METHOD] = "enable-method",
    [METHOD] = "method",
    [REDISTRIBUTOR_REGIONS] = "#redistributor-regions",
    [BOOTARGS] = "bootargs",
    [STDOUT_PATH] = "stdout-path",
    [INITRD_START] = "linux,initrd-start",
    [INITRD_END] = "linux,initrd-end",
};

static struct level *here(struct parse *p)
{
    return &p->levels[p->depth - 1];
}

static status_t take_reservations(struct parse *p, const void *fdt)
{
    uint64_t base, bytes;

    for (int n = 0; fdt_get_mem_rsv(fdt, n, &base, &bytes) == 0; n++) {
        if (bytes == 0)
            return OK;
        if (fdt_add_reserved(p, base, bytes) != OK)
            return ERR_NO_MEMORY;
    }
    p->why = "device tree: the list of reserved memory does not end";
    return ERR_INVALID_ARGS;
}

static bool is_okay(struct fdt_value status)
{
    const char *text = fdt_text(status);

    return !status.data || fdt_same(text, "okay") || fdt_same(text, "ok");
}

/* The current node's own properties are all there. */
static status_t look(struct parse *p)
{
    struct level *level = here(p);

    p->collecting = false;
    level->address_cells = fdt_u32(p->node[ADDRESS_CELLS], 2);
    level->size_cells = fdt_u32(p->node[SIZE_CELLS], 1);
    level->ranges = p->node[RANGES];
    if (!is_okay(p->node[STATUS]))
        level->disabled = true;
    if (level->address_cells > 4 || level->size_cells > 4) {
        p->why = "device tree: an address or size of more than 4 cells";
        return ERR_INVALID_ARGS;
    }
    return p->depth == 1 || level->disabled ? OK : fdt_take_node(p);
}

static enum node_kind kind_of(unsigned depth, const char *name)
{
    static const char *const names[] = {
        [CPUS] = "cpus",
        [RESERVED_MEMORY] = "reserved-memory",
        [CHOSEN] = "chosen",
        [ALIASES] = "aliases",
    };

    for (unsigned kind = CPUS; depth == 2 && kind <= ALIASES; kind++)
        if (fdt_same(name, names[kind]))
            return kind;
    return ORDINARY;
}

static status_t enter(struct parse *p, const char *name)
{
    status_t status = p->collecting ? look(p) : OK;

    if (status != OK)
        return status;
    if (p->depth == MAX_DEPTH) {
        p->why = "device tree: nodes are nested too deeply";
        return ERR_INVALID_ARGS;
    }
    bool disabled = p->depth > 0 && here(p)->disabled;
    p->depth++;
    *here(p) = (struct level){
        .name = name,
        .kind = kind_of(p->depth, name),
        .disabled = disabled,
    };
    memset(p->node, 0, sizeof(p->node));
    p->collecting = true;
    return OK;
}

static status_t leave(struct parse *p)
{
    status_t status = p->collecting ? look(p) : OK;

    p->depth--;
    return status;
}

static enum property find_property(const char *name)
{
    enum property property = 0;

    while (property < PROPERTIES && !fdt_same(name, property_names[property]))
        property++;
    return property;
}

static enum property property_of(struct parse *p, uint32_t nameoff)
{
    if (nameoff >= NAMES_KNOWN)
        return find_property(fdt_name(&p->reader, nameoff));
    if (p->known[nameoff] == 0)
        p->known[nameoff] = (uint8_t)(find_property(fdt_name(&p->reader, nameoff)) + 1);
    return p->known[nameoff] - 1u;
}

static void collect(struct parse *p, const struct fdt_token *token)
{
    enum property property = property_of(p, token->nameoff);

    if (property < PROPERTIES)
        p->node[property] = token->value;
    if (here(p)->kind == ALIASES && p->alias_count < MAX_ALIASES)
        p->aliases[p->alias_count++] = (struct alias){
            .name = fdt_name(&p->reader, token->nameoff),
            .path = fdt_text(token->value),
        };
}

/* One tree, from the root's BEGIN_NODE to the END behind it. */
static status_t walk(struct parse *p)
{
    struct fdt_token token = { 0 };
    status_t status = OK;
    bool root_seen = false;

    while (status == OK && fdt_next(&p->reader, &token)) {
        bool inside = p->depth > 0;

        if (token.tag == FDT_NOP)
            continue;
        if (token.tag == FDT_END && !inside && root_seen)
            return OK;
        if (token.tag == FDT_PROP && inside && p->collecting)
            collect(p, &token);
        else if (token.tag == FDT_BEGIN_NODE && (inside || !root_seen))
            status = enter(p, token.name);
        else if (token.tag == FDT_END_NODE && inside)
            status = leave(p);
        else
            break;
        root_seen = true;
    }
    return status != OK ? status : ERR_INVALID_ARGS;
}

static const char *what_is_missing(const struct host_info *info)
{
    if (info->bank_count == 0)
        return "device tree: no memory";
    if (info->cpu_count == 0)
        return "device tree: no CPU";
    if (info->gic.version == 0 || info->gic.gicd.bytes == 0)
        return "device tree: no GICv2 or GICv3";
    if (info->timer.virtual == 0 || info->timer.hypervisor == 0)
        return "device tree: no armv8-timer with its four interrupts";
    return NULL;
}

status_t host_info_from_fdt(const void *fdt, struct host_info *out, const char **why)
{
    struct parse p = { .out = out };

    *out = (struct host_info){ .bootargs = "" };
    *why = fdt_reader_init(&p.reader, fdt, HOST_FDT_MAX_BYTES);
    if (*why)
        return ERR_INVALID_ARGS;

    status_t status = take_reservations(&p, fdt);
    if (status == OK)
        status = walk(&p);
    if (status != OK) {
        *why = p.why                     ? p.why
               : status == ERR_NO_MEMORY ? "device tree: too many reserved ranges"
                                         : "device tree: the structure is damaged";
        return status;
    }
    fdt_decide(&p);
    *why = what_is_missing(out);
    return *why ? ERR_NOT_FOUND : OK;
}
