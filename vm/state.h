/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Records of a snapshot: little-endian fields, one after the other, in the order that save
 * writes and restore reads them. A reader that runs past the end, or is not read to its end,
 * remembers that; so restore code needs one check, at its end.
 */
#pragma once

#include "arch/status.h"

#include <stddef.h>
#include <stdint.h>

struct state_writer {
    uint8_t *at, *end; /* the buffer's rest */
    size_t bytes;      /* written, also what did not fit */
};

struct state_reader {
    const uint8_t *at, *end;
    status_t status;
};

void state_writer_init(struct state_writer *out, void *buffer, size_t bytes);
/* ERR_NO_MEMORY: the buffer was too small; out->bytes says how much it takes. */
status_t state_writer_status(const struct state_writer *out);
void state_put_u8(struct state_writer *out, uint8_t value);
void state_put_u16(struct state_writer *out, uint16_t value);
void state_put_u32(struct state_writer *out, uint32_t value);
void state_put_u64(struct state_writer *out, uint64_t value);
void state_put_bytes(struct state_writer *out, const void *from, size_t bytes);

void state_reader_init(struct state_reader *in, const void *record, size_t bytes);
uint8_t state_get_u8(struct state_reader *in); /* 0 past the end */
uint16_t state_get_u16(struct state_reader *in);
uint32_t state_get_u32(struct state_reader *in);
uint64_t state_get_u64(struct state_reader *in);
void state_get_bytes(struct state_reader *in, void *to, size_t bytes);
/* Marks the record as not one that save could have written. */
void state_reject(struct state_reader *in);
/* ERR_INVALID_ARGS: too short, too long, or rejected. */
status_t state_status(const struct state_reader *in);
