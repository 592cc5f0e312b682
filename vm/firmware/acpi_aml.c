/* SPDX-License-Identifier: BSD-2-Clause */
/* AML, written forwards; lengths have a fixed width, so that they are known to fit later. */

#include "vm/firmware/acpi_aml.h"

#include "kernel/lib/string.h"

/* Opcodes, ACPI 6.4 table 20.x. */
enum {
    OP_ZERO = 0x00,
    OP_ONE = 0x01,
    OP_NAME = 0x08,
    OP_BYTE = 0x0a,
    OP_WORD = 0x0b,
    OP_DWORD = 0x0c,
    OP_QWORD = 0x0e,
    OP_SCOPE = 0x10,
    OP_BUFFER = 0x11,
    OP_PACKAGE = 0x12,
    OP_METHOD = 0x14,
    OP_EXTENDED = 0x5b,
    OP_ARG0 = 0x68,
    OP_EXTENDED_DEVICE = 0x82,
    OP_RETURN = 0xa4,
};

#define LENGTH_BYTES 3   /* of a PkgLength: 20 bits, 4 of them in the first byte */
#define LENGTH_MORE 0x80 /* the first byte's: two follow */

/* Address space descriptors, 6.4.3.5. */
enum { SPACE_MEMORY = 0, SPACE_IO = 1, SPACE_BUS = 2 };
#define SPACE_FIXED 0x0c /* producer, both ends fixed, positive decode */
#define SPACE_IO_ENTIRE 0x03
#define SPACE_MEMORY_WRITABLE 0x01

void aml_put(struct aml *out, const void *bytes, size_t count)
{
    if (out->full || count > out->room - out->used) {
        out->full = true;
        return;
    }
    memcpy(out->bytes + out->used, bytes, count);
    out->used += count;
}

static void put_byte(struct aml *out, unsigned value)
{
    const uint8_t byte = (uint8_t)value;

    aml_put(out, &byte, sizeof(byte));
}

void aml_integer(struct aml *out, uint64_t value)
{
    static const struct {
        uint64_t most;
        uint8_t op, bytes;
    } widths[] = {
        { UINT8_MAX, OP_BYTE, 1 },
        { UINT16_MAX, OP_WORD, 2 },
        { UINT32_MAX, OP_DWORD, 4 },
        { UINT64_MAX, OP_QWORD, 8 },
    };
    unsigned width = 0;

    if (value <= 1) {
        put_byte(out, value == 0 ? OP_ZERO : OP_ONE);
        return;
    }
    while (value > widths[width].most)
        width++;
    put_byte(out, widths[width].op);
    aml_put(out, &value, widths[width].bytes);
}

static void put_name(struct aml *out, const char *name)
{
    aml_put(out, name, strlen(name));
}

void aml_name_integer(struct aml *out, const char *name, uint64_t value)
{
    put_byte(out, OP_NAME);
    put_name(out, name);
    aml_integer(out, value);
}

static unsigned hex_digit(char c)
{
    return (unsigned)(c <= '9' ? c - '0' : c - 'A' + 10);
}

void aml_name_eisa(struct aml *out, const char *name, const char *id)
{
    const unsigned letters = (id[0] & 0x1fu) << 10 | (id[1] & 0x1fu) << 5 | (id[2] & 0x1fu);

    put_byte(out, OP_NAME);
    put_name(out, name);
    put_byte(out, OP_DWORD);
    put_byte(out, letters >> 8);
    put_byte(out, letters);
    put_byte(out, hex_digit(id[3]) << 4 | hex_digit(id[4]));
    put_byte(out, hex_digit(id[5]) << 4 | hex_digit(id[6]));
}

/* Leaves room for the length of what follows. */
static aml_block_t begin(struct aml *out)
{
    const aml_block_t block = { out->used };
    static const uint8_t length[LENGTH_BYTES];

    aml_put(out, length, sizeof(length));
    return block;
}

void aml_end(struct aml *out, aml_block_t block)
{
    const size_t length = out->used - block.at;
    uint8_t *at = out->bytes + block.at;

    if (out->full)
        return;
    at[0] = (uint8_t)(LENGTH_MORE | (length & 0xf));
    at[1] = (uint8_t)(length >> 4);
    at[2] = (uint8_t)(length >> 12);
}

aml_block_t aml_scope(struct aml *out, const char *name)
{
    put_byte(out, OP_SCOPE);

    const aml_block_t block = begin(out);

    put_name(out, name);
    return block;
}

aml_block_t aml_device(struct aml *out, const char *name)
{
    put_byte(out, OP_EXTENDED);
    put_byte(out, OP_EXTENDED_DEVICE);

    const aml_block_t block = begin(out);

    put_name(out, name);
    return block;
}

aml_block_t aml_package(struct aml *out, unsigned elements)
{
    put_byte(out, OP_PACKAGE);

    const aml_block_t block = begin(out);

    put_byte(out, elements);
    return block;
}

aml_block_t aml_name_package(struct aml *out, const char *name, unsigned elements)
{
    put_byte(out, OP_NAME);
    put_name(out, name);
    return aml_package(out, elements);
}

void aml_method_echo(struct aml *out, const char *name, unsigned args, unsigned returned)
{
    put_byte(out, OP_METHOD);

    const aml_block_t block = begin(out);

    put_name(out, name);
    put_byte(out, args);
    put_byte(out, OP_RETURN);
    put_byte(out, OP_ARG0 + returned);
    aml_end(out, block);
}

/* Buffer: PkgLength, the buffer's size as a word, its bytes. */
aml_block_t aml_resources(struct aml *out)
{
    static const uint8_t size[] = { OP_WORD, 0, 0 };

    put_byte(out, OP_NAME);
    put_name(out, "_CRS");
    put_byte(out, OP_BUFFER);

    const aml_block_t block = begin(out);

    aml_put(out, size, sizeof(size));
    return block;
}

void aml_end_resources(struct aml *out, aml_block_t block)
{
    static const uint8_t end_tag[] = { 0x79, 0 }; /* 0: no checksum */
    const size_t start = block.at + LENGTH_BYTES + 3;

    aml_put(out, end_tag, sizeof(end_tag));
    if (out->full)
        return;
    out->bytes[start - 2] = (uint8_t)(out->used - start);
    out->bytes[start - 1] = (uint8_t)((out->used - start) >> 8);
    aml_end(out, block);
}

void aml_io(struct aml *out, uint16_t first, uint8_t count)
{
    const struct {
        uint8_t tag, decode;
        uint16_t low, high;
        uint8_t align, count;
    } io = { 0x47, 1, first, first, 1, count };

    _Static_assert(sizeof(io) == 8, "I/O port descriptor, 6.4.2.5");
    aml_put(out, &io, sizeof(io));
}

void aml_irq(struct aml *out, unsigned irq)
{
    put_byte(out, 0x22);
    put_byte(out, (1u << irq) & 0xff);
    put_byte(out, (1u << irq) >> 8);
}

void aml_memory(struct aml *out, uint32_t base, uint32_t bytes)
{
    static const uint8_t head[] = { 0x86, 9, 0, SPACE_MEMORY_WRITABLE };

    aml_put(out, head, sizeof(head));
    aml_put(out, &base, sizeof(base));
    aml_put(out, &bytes, sizeof(bytes));
}

static void word_window(struct aml *out, unsigned type, unsigned type_flags, uint16_t first,
                        uint16_t last)
{
    const uint8_t head[] = { 0x88, 13, 0, (uint8_t)type, SPACE_FIXED, (uint8_t)type_flags };
    const uint16_t range[] = { 0, first, last, 0, (uint16_t)(last - first + 1) };

    aml_put(out, head, sizeof(head));
    aml_put(out, range, sizeof(range));
}

void aml_bus_window(struct aml *out, uint16_t first, uint16_t last)
{
    word_window(out, SPACE_BUS, 0, first, last);
}

void aml_io_window(struct aml *out, uint16_t first, uint16_t last)
{
    word_window(out, SPACE_IO, SPACE_IO_ENTIRE, first, last);
}

void aml_memory_window(struct aml *out, uint32_t first, uint32_t last)
{
    static const uint8_t head[] = { 0x87, 23, 0, SPACE_MEMORY, SPACE_FIXED, SPACE_MEMORY_WRITABLE };
    const uint32_t range[] = { 0, first, last, 0, last - first + 1 };

    aml_put(out, head, sizeof(head));
    aml_put(out, range, sizeof(range));
}
