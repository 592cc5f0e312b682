/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writing a flattened tree (Devicetree specification 5). libfdt's sequential functions number
 * the names of properties from the end, and at last go through the whole tree to correct that;
 * here they are numbered from the start, and moved as a block:
 *
 *     header | reservations: none | nodes -->            | names -->        |
 *                                         finish: names <+
 */

#include "vm/firmware/fdt_writer.h"

#include <libfdt.h>

#include "kernel/lib/format.h"

#define FIRST_VERSION_LIKE_IT 16
#define NODES_AT (sizeof(struct fdt_header) + sizeof(struct fdt_reserve_entry))

/* Longer than any row of a property that we write in cells. */
#define MAX_CELLS 32
#define MAX_NODE_NAME 32

void fdt_writer_init(struct fdt_writer *out, void *buffer, size_t room)
{
    const size_t names_room = ALIGN_DOWN(room / 4, sizeof(fdt32_t));

    *out = (struct fdt_writer){ .base = buffer, .at = NODES_AT, .names_room = names_room };
    out->names = room - names_room;
    out->full = out->names < NODES_AT;
    if (!out->full)
        memset(buffer, 0, NODES_AT);
}

/* The next `bytes` of the nodes, and zeros up to the next cell; NULL: they do not fit. */
static void *grab(struct fdt_writer *out, size_t bytes)
{
    const size_t whole = ALIGN_UP(bytes, sizeof(fdt32_t));
    uint8_t *start = out->base + out->at;

    out->full |= bytes > out->names || whole > out->names - out->at;
    if (out->full)
        return NULL;
    if (whole != bytes)
        memset(start + bytes, 0, whole - bytes);
    out->at += whole;
    return start;
}

static void put_tag(struct fdt_writer *out, uint32_t tag)
{
    fdt32_t *cell = grab(out, sizeof(*cell));

    if (cell != NULL)
        *cell = cpu_to_fdt32(tag);
}

/* Where the name is in the block. Sharing equal ones would take a search for each. */
static uint32_t add_name(struct fdt_writer *out, const char *name)
{
    const size_t at = out->names_used, bytes = strlen(name) + 1;

    out->full |= bytes > out->names_room - at;
    if (!out->full) {
        memcpy(out->base + out->names + at, name, bytes);
        out->names_used += bytes;
    }
    return (uint32_t)at;
}

status_t fdt_writer_finish(struct fdt_writer *out)
{
    struct fdt_header *header = (struct fdt_header *)out->base;

    put_tag(out, FDT_END);
    if (out->full)
        return ERR_NO_MEMORY;
    memmove(out->base + out->at, out->base + out->names, out->names_used);
    fdt_set_magic(header, FDT_MAGIC);
    fdt_set_totalsize(header, (uint32_t)(out->at + out->names_used));
    fdt_set_off_mem_rsvmap(header, sizeof(*header));
    fdt_set_off_dt_struct(header, NODES_AT);
    fdt_set_size_dt_struct(header, (uint32_t)(out->at - NODES_AT));
    fdt_set_off_dt_strings(header, (uint32_t)out->at);
    fdt_set_size_dt_strings(header, (uint32_t)out->names_used);
    fdt_set_version(header, FDT_LAST_SUPPORTED_VERSION);
    fdt_set_last_comp_version(header, FIRST_VERSION_LIKE_IT);
    return OK;
}

void fdt_put_begin(struct fdt_writer *out, const char *name)
{
    const size_t bytes = strlen(name) + 1;
    fdt32_t *node = grab(out, sizeof(*node) + bytes);

    if (node == NULL)
        return;
    *node = cpu_to_fdt32(FDT_BEGIN_NODE);
    memcpy(node + 1, name, bytes);
}

void fdt_put_begin_at(struct fdt_writer *out, const char *name, uint64_t address)
{
    char full[MAX_NODE_NAME];

    format_string(full, sizeof(full), "%s@%llx", name, (unsigned long long)address);
    fdt_put_begin(out, full);
}

void fdt_put_end(struct fdt_writer *out)
{
    put_tag(out, FDT_END_NODE);
}

void fdt_put(struct fdt_writer *out, const char *name, const void *value, size_t bytes)
{
    struct fdt_property *property = grab(out, sizeof(*property) + bytes);

    if (property == NULL)
        return;
    property->tag = cpu_to_fdt32(FDT_PROP);
    property->len = cpu_to_fdt32((uint32_t)bytes);
    property->nameoff = cpu_to_fdt32(add_name(out, name));
    if (bytes != 0)
        memcpy(property->data, value, bytes);
}

void fdt_put_flag(struct fdt_writer *out, const char *name)
{
    fdt_put(out, name, NULL, 0);
}

void fdt_put_string(struct fdt_writer *out, const char *name, const char *text)
{
    fdt_put(out, name, text, strlen(text) + 1);
}

void fdt_put_u64(struct fdt_writer *out, const char *name, uint64_t value)
{
    fdt_put_cells(out, name, FDT_CELLS(value));
}

void fdt_put_cell_array(struct fdt_writer *out, const char *name, const uint32_t *cells,
                        size_t count)
{
    fdt32_t big_endian[MAX_CELLS];

    if (count > MAX_CELLS) {
        out->full = true;
        return;
    }
    for (size_t i = 0; i < count; i++)
        big_endian[i] = cpu_to_fdt32(cells[i]);
    fdt_put(out, name, big_endian, count * sizeof(big_endian[0]));
}
