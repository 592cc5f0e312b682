/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writes AML, the bytecode of ACPI's definition blocks (ACPI 6.4, chapter 20), and resource
 * descriptors (6.4) in it. Errors are remembered: `full` once something did not fit, and
 * nothing is written from then on.
 *
 *     block = aml_device(out, "COM1");        Device (COM1) {
 *     aml_name_eisa(out, "_HID", "PNP0501");      Name (_HID, EisaId ("PNP0501"))
 *     aml_end(out, block);                    }
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct aml {
    uint8_t *bytes;
    size_t room, used;
    bool full;
};

/* Something with a length in front, which is filled in when it ends. */
typedef struct aml_block {
    size_t at;
} aml_block_t;

void aml_put(struct aml *out, const void *bytes, size_t count);
void aml_integer(struct aml *out, uint64_t value);

/* `name`: four characters, for a scope also "\\_SB_". */
void aml_name_integer(struct aml *out, const char *name, uint64_t value);
/* `id`: three capitals and four hexadecimal digits. */
void aml_name_eisa(struct aml *out, const char *name, const char *id);

aml_block_t aml_scope(struct aml *out, const char *name);
aml_block_t aml_device(struct aml *out, const char *name);
aml_block_t aml_package(struct aml *out, unsigned elements);
aml_block_t aml_name_package(struct aml *out, const char *name, unsigned elements);
void aml_end(struct aml *out, aml_block_t block);

/* Method (name, args) { Return (Arg<returned>) } */
void aml_method_echo(struct aml *out, const char *name, unsigned args, unsigned returned);

/* Name (_CRS, ResourceTemplate () { what follows up to aml_end_resources }) */
aml_block_t aml_resources(struct aml *out);
void aml_end_resources(struct aml *out, aml_block_t block);

void aml_io(struct aml *out, uint16_t first, uint8_t count);
void aml_irq(struct aml *out, unsigned irq); /* edge, active high, not shared: ISA's */
void aml_memory(struct aml *out, uint32_t base, uint32_t bytes);

/* Windows that a bridge passes on to what is behind it: both ends included. */
void aml_bus_window(struct aml *out, uint16_t first, uint16_t last);
void aml_io_window(struct aml *out, uint16_t first, uint16_t last);
void aml_memory_window(struct aml *out, uint32_t first, uint32_t last);
