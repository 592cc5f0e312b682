/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The structure block of a device tree, token by token, and what a property's value may mean.
 * libfdt finds one node or property by walking from the start; to look at every node once,
 * this is a tenth of the work. Nothing outside the block is ever read.
 *
 *     BEGIN_NODE name  (PROP length nameoff value)*  (node)*  END_NODE  ...  END
 */
#pragma once

#include "arch/addr.h"
#include "kernel/lib/string.h"

struct fdt_value {
    const uint8_t *data; /* NULL: no such property */
    uint32_t bytes;
};

struct fdt_token {
    uint32_t tag;           /* FDT_BEGIN_NODE, FDT_PROP, … of libfdt's fdt.h */
    const char *name;       /* BEGIN_NODE: with its unit address */
    uint32_t nameoff;       /* PROP */
    struct fdt_value value; /* PROP */
};

struct fdt_reader {
    const uint8_t *at, *end; /* of the structure block: what is left */
    const char *strings;
    size_t string_bytes;
};

/* NULL, or a sentence: what is wrong with the tree's header. */
const char *fdt_reader_init(struct fdt_reader *reader, const void *fdt, size_t most_bytes);

/* False: the block is damaged or ends too early. */
bool fdt_next(struct fdt_reader *reader, struct fdt_token *token);

/* A property's name; "" where the offset is wrong. */
const char *fdt_name(const struct fdt_reader *reader, uint32_t nameoff);

/* Big-endian numbers of 1 or 2 cells at byte `at`; false past the end or for other cells. */
bool fdt_cells(struct fdt_value value, size_t at, uint32_t cells, uint64_t *out);

/* The first cell; `otherwise` where there is none. */
uint32_t fdt_u32(struct fdt_value value, uint32_t otherwise);

/* The (first) string; "" where there is none that ends. */
const char *fdt_text(struct fdt_value value);

/*
 * The first string of a list that is left, which is then shorter by it; NULL: none that ends.
 *
 *     while ((text = fdt_next_text(&list)) != NULL)
 */
const char *fdt_next_text(struct fdt_value *list);

/* Equal? Most are not, and differ in the first character. */
static inline bool fdt_same(const char *a, const char *b)
{
    return a[0] == b[0] && strcmp(a, b) == 0;
}
