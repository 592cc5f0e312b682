/* SPDX-License-Identifier: BSD-2-Clause */
/* The device tree's tokens. See the header for the picture. */

#include "drivers/firmware/fdt_read.h"

#include "arch/bits.h"

#include <libfdt.h>

#define FIRST_VERSION_WITH_SIZES 17

#define TAG_BYTES ((size_t)4)
#define PROP_BYTES (3 * TAG_BYTES) /* tag, length, nameoff */

const char *fdt_reader_init(struct fdt_reader *reader, const void *fdt, size_t most_bytes)
{
    if (!fdt || !IS_ALIGNED((uintptr_t)fdt, 8))
        return "no device tree, or not at a multiple of 8";
    if (fdt_check_header(fdt) != 0 || fdt_version(fdt) < FIRST_VERSION_WITH_SIZES)
        return "device tree: the header is damaged, or too old";
    if (fdt_totalsize(fdt) > most_bytes)
        return "device tree: too large";
    *reader = (struct fdt_reader){
        .at = (const uint8_t *)fdt + fdt_off_dt_struct(fdt),
        .end = (const uint8_t *)fdt + fdt_off_dt_struct(fdt) + fdt_size_dt_struct(fdt),
        .strings = (const char *)fdt + fdt_off_dt_strings(fdt),
        .string_bytes = fdt_size_dt_strings(fdt),
    };
    return NULL;
}

static uint32_t big_endian(const uint8_t *at)
{
    return fdt32_ld((const fdt32_t *)(const void *)at);
}

/* The bytes of the token that `at` starts with, `left` being left; 0: damaged. */
static size_t read_token(const uint8_t *at, size_t left, struct fdt_token *token)
{
    if (left < TAG_BYTES)
        return 0;
    token->tag = big_endian(at);
    if (token->tag == FDT_PROP) {
        if (left < PROP_BYTES)
            return 0;
        token->value = (struct fdt_value){ at + PROP_BYTES, big_endian(at + TAG_BYTES) };
        token->nameoff = big_endian(at + 2 * TAG_BYTES);
        return PROP_BYTES + token->value.bytes;
    }
    if (token->tag == FDT_BEGIN_NODE) {
        token->name = (const char *)at + TAG_BYTES;
        return TAG_BYTES + strnlen(token->name, left - TAG_BYTES) + 1;
    }
    return token->tag == FDT_END_NODE || token->tag == FDT_NOP || token->tag == FDT_END ? TAG_BYTES
                                                                                        : 0;
}

bool fdt_next(struct fdt_reader *reader, struct fdt_token *token)
{
    size_t left = (size_t)(reader->end - reader->at);
    size_t bytes = read_token(reader->at, left, token);

    if (bytes == 0 || bytes > left)
        return false;
    reader->at += MIN(ALIGN_UP(bytes, TAG_BYTES), left); /* the last token may end unpadded */
    return true;
}

const char *fdt_name(const struct fdt_reader *reader, uint32_t nameoff)
{
    if (nameoff >= reader->string_bytes)
        return "";
    size_t most = reader->string_bytes - nameoff;
    const char *name = reader->strings + nameoff;
    return strnlen(name, most) < most ? name : "";
}

bool fdt_cells(struct fdt_value value, size_t at, uint32_t cells, uint64_t *out)
{
    const void *from = value.data + at;

    if (!value.data || at > value.bytes || (value.bytes - at) / 4 < cells)
        return false;
    switch (cells) {
    case 1: *out = fdt32_ld(from); return true;
    case 2: *out = fdt64_ld(from); return true;
    default: return false;
    }
}

uint32_t fdt_u32(struct fdt_value value, uint32_t otherwise)
{
    uint64_t number = otherwise;

    fdt_cells(value, 0, 1, &number);
    return (uint32_t)number;
}

const char *fdt_text(struct fdt_value value)
{
    const char *text = (const char *)value.data;

    return value.data && strnlen(text, value.bytes) < value.bytes ? text : "";
}

const char *fdt_next_text(struct fdt_value *list)
{
    const char *text = (const char *)list->data;
    size_t length = text ? strnlen(text, list->bytes) : 0;

    if (length >= list->bytes)
        return NULL;
    list->data += length + 1;
    list->bytes -= (uint32_t)length + 1;
    return text;
}
