/* SPDX-License-Identifier: BSD-2-Clause */
/* Writing a tree over libfdt's sequential functions. */

#include "vm/firmware/fdt_writer.h"

#include <libfdt.h>

#include "kernel/lib/format.h"

/* Longer than any row of a property that we write in cells. */
#define MAX_CELLS 32
#define MAX_NODE_NAME 32

static void note(struct fdt_writer *out, int error)
{
    if (out->error == 0)
        out->error = error;
}

void fdt_writer_init(struct fdt_writer *out, void *buffer, size_t room)
{
    /* Sharing equal property names would take a search for each: four times the whole. */
    out->fdt = buffer;
    out->error = fdt_create_with_flags(buffer, (int)room, FDT_CREATE_FLAG_NO_NAME_DEDUP);
    if (out->error == 0)
        note(out, fdt_finish_reservemap(buffer));
}

status_t fdt_writer_finish(struct fdt_writer *out)
{
    if (out->error == 0)
        note(out, fdt_finish(out->fdt));
    return out->error == 0 ? OK : ERR_NO_MEMORY;
}

void fdt_put_begin(struct fdt_writer *out, const char *name)
{
    if (out->error == 0)
        note(out, fdt_begin_node(out->fdt, name));
}

void fdt_put_begin_at(struct fdt_writer *out, const char *name, uint64_t address)
{
    char full[MAX_NODE_NAME];

    format_string(full, sizeof(full), "%s@%llx", name, (unsigned long long)address);
    fdt_put_begin(out, full);
}

void fdt_put_end(struct fdt_writer *out)
{
    if (out->error == 0)
        note(out, fdt_end_node(out->fdt));
}

void fdt_put(struct fdt_writer *out, const char *name, const void *value, size_t bytes)
{
    if (out->error == 0)
        note(out, fdt_property(out->fdt, name, value, (int)bytes));
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
        note(out, -FDT_ERR_NOSPACE);
        return;
    }
    for (size_t i = 0; i < count; i++)
        big_endian[i] = cpu_to_fdt32(cells[i]);
    fdt_put(out, name, big_endian, count * sizeof(big_endian[0]));
}
