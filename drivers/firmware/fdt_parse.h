/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading the host's device tree: what fdt.c (the pass) and fdt_nodes.c (the nodes) share. */
#pragma once

#include "arch/status.h"
#include "drivers/firmware/fdt_read.h"
#include "drivers/firmware/host_info.h"

#define MAX_DEPTH 16
#define MAX_UARTS 4
#define MAX_ALIASES 16
#define NAMES_KNOWN 1024 /* bytes of the strings block whose names are looked up only once */

enum property {
    ADDRESS_CELLS,
    SIZE_CELLS,
    COMPATIBLE,
    DEVICE_TYPE,
    STATUS,
    REG,
    RANGES,
    INTERRUPTS,
    INTERRUPT_CELLS,
    ENABLE_METHOD,
    METHOD,
    REDISTRIBUTOR_REGIONS,
    BOOTARGS,
    STDOUT_PATH,
    INITRD_START,
    INITRD_END,
    PROPERTIES, /* and any other */
};

enum node_kind { ORDINARY, CPUS, RESERVED_MEMORY, CHOSEN, ALIASES };

struct level {
    const char *name;
    enum node_kind kind;
    bool disabled; /* it, or a node around it */
    uint32_t address_cells, size_cells;
    struct fdt_value ranges;
};

struct alias {
    const char *name;
    const char *path;
};

struct uart_candidate {
    struct host_range regs;
    struct fdt_value interrupts;
    const char *path[MAX_DEPTH]; /* names of the nodes, the root left out */
    unsigned depth;
};

struct parse {
    struct fdt_reader reader;
    struct host_info *out;
    const char *why;

    struct level levels[MAX_DEPTH]; /* [0] is the root */
    unsigned depth;                 /* of the node we are in, plus 1; 0: outside the root */
    bool collecting;                /* its own properties, not yet looked at */
    struct fdt_value node[PROPERTIES];
    uint8_t known[NAMES_KNOWN]; /* by nameoff: enum property + 1; 0: not seen before */

    struct fdt_value timer_interrupts, gic_interrupts;
    uint32_t interrupt_cells;
    struct uart_candidate uarts[MAX_UARTS];
    unsigned uart_count;
    struct alias aliases[MAX_ALIASES];
    unsigned alias_count;
    const char *stdout_path;
};

/* The node whose properties are in p->node, below the root. ERR_NO_MEMORY: a table is full. */
status_t fdt_take_node(struct parse *p);

/* Into the table of reserved ranges. ERR_NO_MEMORY: full. */
status_t fdt_add_reserved(struct parse *p, uint64_t base, uint64_t bytes);

/* After the last node: what needed to know more than its own node. */
void fdt_decide(struct parse *p);
