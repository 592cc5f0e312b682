/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading what a Multiboot loader tells, of either version. */

#include "drivers/firmware/multiboot.h"

#include "arch/bits.h"
#include "kernel/lib/string.h"

#define MULTIBOOT1_MAGIC 0x2badb002u
#define MULTIBOOT2_MAGIC 0x36d76289u

#define MEMORY_RAM 1
#define LOW_END 0x100000u
#define PLACES_BYTES_MAX (1u << 16) /* of a memory map: sanity */

struct reading {
    acpi_memory memory;
    struct host_info *out;
    struct multiboot_facts *facts;
    bool has_map;
};

/* Little-endian on a little-endian machine, at any alignment. */
static uint32_t word(const uint8_t *at)
{
    uint32_t value;

    memcpy(&value, at, sizeof(value));
    return value;
}

static uint64_t long_word(const uint8_t *at)
{
    return word(at) | (uint64_t)word(at + 4) << 32;
}

/* --- memory --- */

static unsigned smallest_bank(const struct host_info *out)
{
    unsigned smallest = 0;

    for (unsigned i = 1; i < out->bank_count; i++) {
        if (out->banks[i].bytes < out->banks[smallest].bytes)
            smallest = i;
    }
    return smallest;
}

static void add_bank(struct host_info *out, uint64_t base, uint64_t end)
{
    const struct host_range bank = { paddr(base), end - base };

    for (unsigned i = 0; i < out->bank_count; i++) {
        struct host_range *const known = &out->banks[i];

        /* Maps are sorted, in practice. What is below 1 MiB stays apart: nobody is given that. */
        if (known->base.raw + known->bytes == base && base != LOW_END) {
            known->bytes += bank.bytes;
            return;
        }
    }
    if (out->bank_count < HOST_MAX_BANKS) {
        out->banks[out->bank_count++] = bank;
        return;
    }
    struct host_range *const smallest = &out->banks[smallest_bank(out)];

    out->left_out++;
    if (smallest->bytes < bank.bytes)
        *smallest = bank;
}

static void add_ram(struct reading *reading, uint64_t base, uint64_t bytes)
{
    uint64_t end;

    if (__builtin_add_overflow(base, bytes, &end) || bytes == 0)
        return;
    if (base < LOW_END && base >= reading->facts->low.base.raw)
        reading->facts->low = (struct host_range){ paddr(base), MIN(end, LOW_END) - base };
    base = ALIGN_UP(base, PAGE_SIZE);
    end = ALIGN_DOWN(end, PAGE_SIZE);
    if (base < MIN(end, LOW_END))
        add_bank(reading->out, base, MIN(end, LOW_END));
    if (MAX(base, LOW_END) < end)
        add_bank(reading->out, MAX(base, LOW_END), end);
}

/* --- modules and command line --- */

static void add_module(struct reading *reading, uint32_t start, uint32_t end)
{
    if (reading->out->initrd.bytes == 0 && start < end)
        reading->out->initrd = (struct host_range){ paddr(start), end - start };
}

/* As much as there is of it and room for. */
static void take_line(struct reading *reading, const uint8_t *text, size_t most)
{
    char *const line = reading->facts->line;
    const size_t room = MIN(most, sizeof(reading->facts->line) - 1);
    const size_t length = text != NULL ? strnlen((const char *)text, room) : 0;

    if (length != 0)
        memcpy(line, text, length);
    line[length] = '\0';
    reading->out->bootargs = line;
}

/* --- screen: the same fields in both versions, but for the colours' place --- */

enum {
    SCREEN_BASE = 0,
    SCREEN_PITCH = 8,
    SCREEN_WIDTH = 12,
    SCREEN_HEIGHT = 16,
    SCREEN_BITS = 20, /* a pixel's */
    SCREEN_KIND = 21,
    SCREEN_BYTES = 22,
    COLOURS_BYTES = 6, /* red, green, blue: first bit, bits */
};

#define KIND_RGB 1
#define KIND_TEXT 2
#define SCREEN_SIDE_MAX (1u << 14) /* characters or pixels: sanity */
#define VGA_TEXT 0xb8000u

static uint32_t all_colours(const uint8_t *colours)
{
    uint64_t white = 0;

    for (unsigned i = 0; i < COLOURS_BYTES; i += 2)
        white |= (BIT(colours[i + 1] & 31) - 1) << (colours[i] & 31);
    return (uint32_t)white;
}

static void take_screen(struct reading *reading, const uint8_t *fields, const uint8_t *colours)
{
    struct host_screen screen = {
        .base = paddr(long_word(fields + SCREEN_BASE)),
        .pitch = word(fields + SCREEN_PITCH),
        .width = word(fields + SCREEN_WIDTH),
        .height = word(fields + SCREEN_HEIGHT),
        .bytes_per_pixel = (fields[SCREEN_BITS] + 7u) / 8,
        .white = all_colours(colours),
    };
    unsigned bytes = screen.bytes_per_pixel;

    if (fields[SCREEN_KIND] == KIND_TEXT) {
        screen.kind = HOST_SCREEN_TEXT;
        bytes = 2;
    } else if (fields[SCREEN_KIND] == KIND_RGB && bytes >= 2 && bytes <= 4) {
        screen.kind = HOST_SCREEN_PIXELS;
    }
    if (screen.width - 1 < SCREEN_SIDE_MAX && screen.height - 1 < SCREEN_SIDE_MAX &&
        screen.pitch >= screen.width * bytes && screen.pitch <= 4 * SCREEN_SIDE_MAX)
        reading->out->screen = screen;
}

/* --- Multiboot 1: a structure with flags that say which of its fields are there --- */

enum {
    INFO1_FLAGS = 0,
    INFO1_LINE = 16,
    INFO1_MODULES = 20, /* count, address */
    INFO1_MAP = 44,     /* bytes, address */
    INFO1_BYTES = 52,
    INFO1_SCREEN = 88,
};

#define HAS_LINE BIT(2)
#define HAS_MODULES BIT(3)
#define HAS_MAP BIT(6)
#define HAS_SCREEN BIT(12)

enum { PLACE1_SIZE = 0, PLACE1_BASE = 4, PLACE1_LENGTH = 12, PLACE1_TYPE = 20, PLACE1_BYTES = 24 };

/* Each entry says how long it is, itself left out. */
static void take_map1(struct reading *reading, const uint8_t *map, uint32_t bytes)
{
    uint32_t offset = 0;

    while (bytes - offset >= PLACE1_BYTES) {
        const uint8_t *const place = map + offset;
        const uint32_t size = word(place + PLACE1_SIZE);

        if (word(place + PLACE1_TYPE) == MEMORY_RAM)
            add_ram(reading, long_word(place + PLACE1_BASE), long_word(place + PLACE1_LENGTH));
        if (size < PLACE1_BYTES - 4 || size > bytes - offset - 4)
            break;
        offset += size + 4;
    }
    reading->has_map = true;
}

/* A loader that does not tell leaves the BIOS's text mode. */
static void take_screen1(struct reading *reading, uint64_t address, bool told)
{
    const uint8_t *const fields =
        told ? reading->memory(address + INFO1_SCREEN, SCREEN_BYTES + COLOURS_BYTES) : NULL;

    if (fields != NULL)
        take_screen(reading, fields, fields + SCREEN_BYTES);
    else
        reading->out->screen = (struct host_screen){
            .kind = HOST_SCREEN_TEXT,
            .base = paddr(VGA_TEXT),
            .pitch = 160,
            .width = 80,
            .height = 25,
        };
}

static bool read_version1(struct reading *reading, uint64_t address)
{
    const uint8_t *const info = reading->memory(address, INFO1_BYTES);

    if (info == NULL)
        return false;
    const uint32_t flags = word(info + INFO1_FLAGS);

    if (flags & HAS_LINE)
        take_line(reading, reading->memory(word(info + INFO1_LINE), MULTIBOOT_LINE_MAX),
                  MULTIBOOT_LINE_MAX);
    if ((flags & HAS_MODULES) && word(info + INFO1_MODULES) != 0) {
        const uint8_t *const module = reading->memory(word(info + INFO1_MODULES + 4), 16);

        if (module != NULL)
            add_module(reading, word(module), word(module + 4));
    }
    const uint32_t map_bytes = word(info + INFO1_MAP);
    const uint8_t *const map = reading->memory(word(info + INFO1_MAP + 4), map_bytes);

    if ((flags & HAS_MAP) && map != NULL && map_bytes <= PLACES_BYTES_MAX)
        take_map1(reading, map, map_bytes);
    take_screen1(reading, address, flags & HAS_SCREEN);
    return true;
}

/* --- Multiboot 2: a list of tags --- */

#define INFO2_HEADER 8
#define TAG_HEADER 8
#define INFO2_MAX_BYTES (1u << 20)

static void take_line2(struct reading *reading, const uint8_t *tag, uint32_t bytes)
{
    take_line(reading, tag + TAG_HEADER, bytes - TAG_HEADER);
}

static void take_module2(struct reading *reading, const uint8_t *tag, uint32_t bytes)
{
    (void)bytes;
    add_module(reading, word(tag + 8), word(tag + 12));
}

static void take_map2(struct reading *reading, const uint8_t *tag, uint32_t bytes)
{
    const uint32_t size = word(tag + 8);

    for (uint32_t offset = 16; size >= 24 && size <= bytes && offset <= bytes - size;
         offset += size) {
        if (word(tag + offset + 16) == MEMORY_RAM)
            add_ram(reading, long_word(tag + offset), long_word(tag + offset + 8));
    }
    reading->has_map = true;
}

/* Two bytes are reserved before the colours, which a tag for text does not have. */
static void take_screen2(struct reading *reading, const uint8_t *tag, uint32_t bytes)
{
    static const uint8_t none[COLOURS_BYTES];
    const uint32_t colours = TAG_HEADER + SCREEN_BYTES + 2;

    take_screen(reading, tag + TAG_HEADER, bytes >= colours + COLOURS_BYTES ? tag + colours : none);
}

/* By kind, with the least bytes that the tag has then. */
static const struct tag {
    uint32_t kind, bytes;
    void (*take)(struct reading *reading, const uint8_t *tag, uint32_t bytes);
} tags[] = { { 1, 9, take_line2 },
             { 3, 16, take_module2 },
             { 6, 16, take_map2 },
             { 8, TAG_HEADER + SCREEN_BYTES, take_screen2 } };

/* A copy of the RSDP is in the tag: of ACPI 1, or of 2 and later, which comes in its stead. */
#define TAG_RSDP_OLD 14
#define TAG_RSDP_NEW 15

static void take_tag(struct reading *reading, const uint8_t *tag, uint64_t address)
{
    const uint32_t kind = word(tag), bytes = word(tag + 4);

    if (kind == TAG_RSDP_NEW || (kind == TAG_RSDP_OLD && reading->facts->rsdp == 0))
        reading->facts->rsdp = address + TAG_HEADER;
    for (unsigned i = 0; i < ARRAY_SIZE(tags); i++) {
        if (tags[i].kind == kind && tags[i].bytes <= bytes)
            tags[i].take(reading, tag, bytes);
    }
}

static bool read_version2(struct reading *reading, uint64_t address)
{
    const uint8_t *info = reading->memory(address, INFO2_HEADER);
    const uint32_t bytes = info != NULL ? word(info) : 0;
    uint32_t offset = INFO2_HEADER;

    if (bytes < INFO2_HEADER || bytes > INFO2_MAX_BYTES)
        return false;
    info = reading->memory(address, bytes);
    while (info != NULL && offset <= bytes && bytes - offset >= TAG_HEADER) {
        const uint32_t tag_bytes = word(info + offset + 4);

        if (tag_bytes < TAG_HEADER || tag_bytes > bytes - offset)
            break;
        take_tag(reading, info + offset, address + offset);
        offset += ALIGN_UP(tag_bytes, 8u);
    }
    return info != NULL;
}

status_t multiboot_read(acpi_memory memory, uint32_t magic, uint64_t info, struct host_info *out,
                        struct multiboot_facts *facts, const char **why)
{
    struct reading reading = { .memory = memory, .out = out, .facts = facts };
    bool good = false;

    *why = "not booted by a Multiboot loader, or its information is damaged";
    if (magic == MULTIBOOT1_MAGIC)
        good = read_version1(&reading, info);
    else if (magic == MULTIBOOT2_MAGIC)
        good = read_version2(&reading, info);
    if (!good)
        return ERR_INVALID_ARGS;
    *why = "Multiboot: no memory map";
    return reading.has_map && out->bank_count != 0 ? OK : ERR_NOT_FOUND;
}
