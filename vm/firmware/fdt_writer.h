/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writing a tree from its start to its end. The first error sticks, and everything after it
 * is nothing; so a tree's code reads like the tree, with one check at its end.
 */
#pragma once

#include "arch/addr.h"
#include "arch/bits.h"
#include "arch/status.h"

struct fdt_writer {
    uint8_t *base;
    size_t at;    /* the nodes go on here, at most up to … */
    size_t names; /* … where the names of properties begin */
    size_t names_room, names_used;
    bool full;
};

/* `buffer` is aligned to 8 bytes. */
void fdt_writer_init(struct fdt_writer *out, void *buffer, size_t room);
/* ERR_NO_MEMORY: it did not fit. */
status_t fdt_writer_finish(struct fdt_writer *out);

void fdt_put_begin(struct fdt_writer *out, const char *name);
/* A node "<name>@<address>". */
void fdt_put_begin_at(struct fdt_writer *out, const char *name, uint64_t address);
void fdt_put_end(struct fdt_writer *out);

void fdt_put(struct fdt_writer *out, const char *name, const void *value, size_t bytes);
void fdt_put_flag(struct fdt_writer *out, const char *name);
void fdt_put_string(struct fdt_writer *out, const char *name, const char *text);
void fdt_put_u64(struct fdt_writer *out, const char *name, uint64_t value);
void fdt_put_cell_array(struct fdt_writer *out, const char *name, const uint32_t *cells,
                        size_t count);

/* Several strings, written as one literal: "arm,pl011\0arm,primecell". */
#define fdt_put_strings(out, name, literal) fdt_put(out, name, literal, sizeof(literal))

#define fdt_put_cells(out, name, ...)                                \
    fdt_put_cell_array(out, name, (const uint32_t[]){ __VA_ARGS__ }, \
                       ARRAY_SIZE(((const uint32_t[]){ __VA_ARGS__ })))

/* A 64-bit number as two cells. */
#define FDT_CELLS(value) (uint32_t)((uint64_t)(value) >> 32), (uint32_t)(value)
