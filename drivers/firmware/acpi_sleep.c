/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * _S5 without an AML interpreter: every DSDT has it as a constant (ACPI 6.5, 7.4.2 and 20.2).
 *
 *     08 '_S5_' 12 length count number number ...
 *     NameOp    PackageOp
 */

#include "drivers/firmware/acpi.h"

#include "arch/bits.h"
#include "kernel/lib/string.h"

#define NAME_OP 0x08
#define PACKAGE_OP 0x12
#define BYTE_PREFIX 0x0a
#define ZERO_OP 0x00
#define ONE_OP 0x01
#define SLEEP_TYPE_MAX 7

#define NAME_BYTES 4

/* What is left to read. */
struct aml {
    const uint8_t *at;
    size_t bytes;
};

static bool next_byte(struct aml *aml, uint8_t *out)
{
    if (aml->bytes == 0)
        return false;
    *out = *aml->at++;
    aml->bytes--;
    return true;
}

/* PkgLength: the first byte's top two bits say how many more there are. */
static bool skip_length(struct aml *aml)
{
    uint8_t first, more;

    if (!next_byte(aml, &first))
        return false;
    for (unsigned i = first >> 6; i > 0; i--) {
        if (!next_byte(aml, &more))
            return false;
    }
    return true;
}

static bool next_number(struct aml *aml, uint8_t *out)
{
    if (!next_byte(aml, out))
        return false;
    if (*out == BYTE_PREFIX)
        return next_byte(aml, out) && *out <= SLEEP_TYPE_MAX;
    return *out == ZERO_OP || *out == ONE_OP;
}

static bool read_package(struct aml aml, uint8_t *type_a, uint8_t *type_b)
{
    uint8_t op, count;

    if (!next_byte(&aml, &op) || op != PACKAGE_OP || !skip_length(&aml) ||
        !next_byte(&aml, &count) || count == 0 || !next_number(&aml, type_a))
        return false;
    *type_b = *type_a;
    return count == 1 || next_number(&aml, type_b);
}

/* Is the package's name at byte i, and a package behind it? */
static bool is_here(const uint8_t *aml, size_t bytes, size_t i, uint8_t *type_a, uint8_t *type_b)
{
    if (i < 1 || i + NAME_BYTES >= bytes || memcmp(aml + i, "_S5_", NAME_BYTES) != 0)
        return false;

    const struct aml after = { aml + i + NAME_BYTES, bytes - i - NAME_BYTES };
    const bool named =
        aml[i - 1] == NAME_OP || (i > 1 && aml[i - 1] == '\\' && aml[i - 2] == NAME_OP);

    return named && read_package(after, type_a, type_b);
}

/* Of two bytes in a row inside of the name, one is every second byte: its S or its 5. */
bool acpi_find_sleep(const uint8_t *aml, size_t bytes, uint8_t *type_a, uint8_t *type_b)
{
    for (size_t i = 2; i < bytes; i += 2) {
        if (unlikely(aml[i] == 'S') && is_here(aml, bytes, i - 1, type_a, type_b))
            return true;
        if (unlikely(aml[i] == '5') && is_here(aml, bytes, i - 2, type_a, type_b))
            return true;
    }
    return false;
}
