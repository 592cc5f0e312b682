/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Records of a snapshot, byte by byte: the order in memory does not depend on the CPU.
 */

#include "vm/state.h"

#include "kernel/lib/string.h"

void state_writer_init(struct state_writer *out, void *buffer, size_t bytes)
{
    out->at = buffer;
    out->end = buffer == NULL ? NULL : (uint8_t *)buffer + bytes;
    out->bytes = 0;
}

status_t state_writer_status(const struct state_writer *out)
{
    return out->at == NULL && out->bytes != 0 ? ERR_NO_MEMORY : OK;
}

void state_put_bytes(struct state_writer *out, const void *from, size_t bytes)
{
    out->bytes += bytes;
    if (bytes == 0)
        return;
    if ((size_t)(out->end - out->at) < bytes) {
        out->at = out->end = NULL; /* no gaps: nothing that follows is written either */
        return;
    }
    memcpy(out->at, from, bytes);
    out->at += bytes;
}

static void put_le(struct state_writer *out, uint64_t value, unsigned bytes)
{
    uint8_t le[sizeof(value)];

    for (unsigned i = 0; i < bytes; i++)
        le[i] = (uint8_t)(value >> (8 * i));
    state_put_bytes(out, le, bytes);
}

void state_put_u8(struct state_writer *out, uint8_t value)
{
    put_le(out, value, 1);
}

void state_put_u16(struct state_writer *out, uint16_t value)
{
    put_le(out, value, 2);
}

void state_put_u32(struct state_writer *out, uint32_t value)
{
    put_le(out, value, 4);
}

void state_put_u64(struct state_writer *out, uint64_t value)
{
    put_le(out, value, 8);
}

void state_reader_init(struct state_reader *in, const void *record, size_t bytes)
{
    in->at = record;
    in->end = record == NULL ? NULL : (const uint8_t *)record + bytes;
    in->status = OK;
}

void state_get_bytes(struct state_reader *in, void *to, size_t bytes)
{
    if (bytes == 0)
        return;
    if ((size_t)(in->end - in->at) < bytes) {
        state_reject(in);
        in->at = in->end;
        memset(to, 0, bytes);
        return;
    }
    memcpy(to, in->at, bytes);
    in->at += bytes;
}

static uint64_t get_le(struct state_reader *in, unsigned bytes)
{
    uint8_t le[sizeof(uint64_t)] = { 0 };
    uint64_t value = 0;

    state_get_bytes(in, le, bytes);
    for (unsigned i = 0; i < bytes; i++)
        value |= (uint64_t)le[i] << (8 * i);
    return value;
}

uint8_t state_get_u8(struct state_reader *in)
{
    return (uint8_t)get_le(in, 1);
}

uint16_t state_get_u16(struct state_reader *in)
{
    return (uint16_t)get_le(in, 2);
}

uint32_t state_get_u32(struct state_reader *in)
{
    return (uint32_t)get_le(in, 4);
}

uint64_t state_get_u64(struct state_reader *in)
{
    return get_le(in, 8);
}

void state_reject(struct state_reader *in)
{
    in->status = ERR_INVALID_ARGS;
}

status_t state_status(const struct state_reader *in)
{
    return in->at == in->end ? in->status : ERR_INVALID_ARGS;
}
