/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The rules of a configuration, whoever made it. Each rule names the key it is about, so
 * that an error reads the same as on the host (tools/socle/vm_schema.py).
 */

#include "vm/config/config.h"

#include "arch/bits.h"
#include "kernel/lib/string.h"
#include "kernel/sched.h"

#define ADDRESS_BITS 48
#define SLICE_MIN_NS 100000u
#define SLICE_MAX_NS 1000000000u
#define PORTS 0x10000u

void vm_config_init(struct vm_config *config)
{
    memset(config, 0, sizeof(*config));
    config->cpus = 1;
    config->priority = SCHED_PRIORITY_DEFAULT;
    config->slice_ns = SCHED_SLICE_DEFAULT_NS;
}

static bool is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
}

static const char *check_name(const struct vm_config *config)
{
    size_t length = strnlen(config->name, sizeof(config->name));

    if (length == 0 || length > VM_NAME_MAX)
        return "is not 1 to 31 characters long";
    for (size_t i = 0; i < length; i++)
        if (!is_name_char(config->name[i]))
            return "has characters other than letters, digits, '.', '_' and '-'";
    return NULL;
}

static const char *check_machine(const struct vm_config *config)
{
    return config->machine[0] != '\0' ? NULL : "is missing";
}

static const char *check_cpus(const struct vm_config *config)
{
    return config->cpus >= 1 && config->cpus <= VM_MAX_VCPUS ? NULL : "is not 1 to 16";
}

static const char *check_priority(const struct vm_config *config)
{
    return config->priority < SCHED_PRIORITIES ? NULL : "is not 0 to 7";
}

static const char *check_slice(const struct vm_config *config)
{
    return config->slice_ns >= SLICE_MIN_NS && config->slice_ns <= SLICE_MAX_NS
               ? NULL
               : "is not 0.1 to 1000 ms";
}

static const char *check_memory(const struct vm_config *config)
{
    if (config->ram_count != 0 && config->memory != 0)
        return "'ram' says it already: leave one of them out";
    if (!IS_ALIGNED(config->memory, PAGE_SIZE) || config->memory > BIT(ADDRESS_BITS))
        return "is not a multiple of 4096 up to 2^48";
    return NULL;
}

static bool overlap(const struct vm_config_ram *a, const struct vm_config_ram *b)
{
    return a->base.raw < b->base.raw + b->size && b->base.raw < a->base.raw + a->size;
}

static const char *check_ram(const struct vm_config *config)
{
    if (config->ram_count > VM_MAX_REGIONS)
        return "has more than 16 regions";
    for (unsigned i = 0; i < config->ram_count; i++) {
        const struct vm_config_ram *ram = &config->ram[i];

        if (ram->size == 0)
            return "has a region of size 0";
        if (!IS_ALIGNED(ram->base.raw | ram->size, PAGE_SIZE))
            return "has a base or size that is not a multiple of 4096";
        if (ram->base.raw > BIT(ADDRESS_BITS) || ram->size > BIT(ADDRESS_BITS) - ram->base.raw)
            return "reaches beyond 2^48";
        for (unsigned j = 0; j < i; j++)
            if (overlap(ram, &config->ram[j]))
                return "has regions that overlap";
    }
    return NULL;
}

static const char *check_devices(const struct vm_config *config)
{
    if (config->device_count > VM_MAX_DEVICES)
        return "has more than 16 entries";
    for (unsigned i = 0; i < config->device_count; i++) {
        const struct vm_config_device *device = &config->devices[i];

        if (device->type[0] == '\0')
            return "has an entry without type";
        if (!IS_ALIGNED(device->base.raw, 8) || device->base.raw >= BIT(ADDRESS_BITS))
            return "has a base that is not a multiple of 8 below 2^48";
        if (device->port >= PORTS)
            return "has a port that is not below 0x10000";
    }
    return NULL;
}

static const char *check_kernel(const struct vm_config *config)
{
    if ((config->kernel.data == NULL) == (config->firmware.data == NULL))
        return "give one of 'kernel' and 'firmware'";
    return NULL;
}

static const char *check_firmware(const struct vm_config *config)
{
    if (config->firmware.data == NULL)
        return NULL;
    if (config->initrd.data != NULL || config->has_load || config->has_entry)
        return "takes no 'initrd', 'load' or 'entry'";
    return NULL;
}

static const char *check_entry(const struct vm_config *config)
{
    return IS_ALIGNED(config->entry.raw, 4) ? NULL : "is not a multiple of 4";
}

/* In this order: a rule may rely on those before it. */
static const struct {
    const char *key;
    const char *(*check)(const struct vm_config *config); /* NULL: right */
} rules[] = {
    { "name", check_name },         { "machine", check_machine }, { "cpus", check_cpus },
    { "priority", check_priority }, { "slice_ms", check_slice },  { "memory", check_memory },
    { "ram", check_ram },           { "device", check_devices },  { "kernel", check_kernel },
    { "firmware", check_firmware }, { "entry", check_entry },
};

status_t vm_config_check(const struct vm_config *config, const char **key, const char **why)
{
    for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
        *key = rules[i].key;
        *why = rules[i].check(config);
        if (*why != NULL)
            return ERR_INVALID_ARGS;
    }
    return OK;
}

static const struct vm_config_ram *ram_at(const struct vm_config *config, uint64_t address)
{
    for (unsigned i = 0; i < config->ram_count; i++) {
        const struct vm_config_ram *ram = &config->ram[i];

        if (address - ram->base.raw < ram->size)
            return ram;
    }
    return NULL;
}

bool vm_config_has_ram(const struct vm_config *config, gpa_t base, uint64_t size)
{
    uint64_t at = base.raw;

    while (size > 0) {
        const struct vm_config_ram *ram = ram_at(config, at);
        uint64_t here;

        if (ram == NULL)
            return false;
        here = MIN(size, ram->size - (at - ram->base.raw));
        at += here;
        size -= here;
    }
    return true;
}
