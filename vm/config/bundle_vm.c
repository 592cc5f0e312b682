/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One VM of a bundle, or one disk: one pass over its properties, each looked up in a table that
 * says how to read it and into which field.
 */

#include <libfdt.h>

#include "arch/bits.h"
#include "kernel/log.h"
#include "vm/config/bundle.h"

struct property {
    const struct bundle *bundle;
    const void *value;
    int length;
};

/* Readers of a property into a field: NULL, or what is wrong with it. */
typedef const char *(*reader)(const struct property *property, void *field);

static const char *wrong_size = "has a value of the wrong size";

static const char *text_of(const struct property *property, const char **text)
{
    *text = property->value;
    if (property->length < 1 || (*text)[property->length - 1] != '\0' ||
        strlen(*text) != (size_t)property->length - 1)
        return "is not a string";
    return NULL;
}

static const char *read_text(const struct property *property, char *to, size_t room)
{
    const char *text;
    const char *why = text_of(property, &text);

    if (why != NULL)
        return why;
    if ((size_t)property->length > room)
        return "is too long";
    memcpy(to, text, (size_t)property->length);
    return NULL;
}

static const char *read_name(const struct property *property, void *field)
{
    return read_text(property, field, VM_NAME_MAX + 1);
}

static const char *read_cmdline(const struct property *property, void *field)
{
    return read_text(property, field, VM_CMDLINE_MAX + 1);
}

static const char *read_u32(const struct property *property, void *field)
{
    uint32_t *out = field;

    if (property->length != sizeof(*out))
        return wrong_size;
    *out = fdt32_ld(property->value);
    return NULL;
}

static const char *read_u64(const struct property *property, void *field)
{
    uint64_t *out = field;

    if (property->length != sizeof(*out))
        return wrong_size;
    *out = fdt64_ld(property->value);
    return NULL;
}

static const char *read_priority(const struct property *property, void *field)
{
    uint8_t *out = field;
    uint32_t value = 0;
    const char *why = read_u32(property, &value);

    *out = (uint8_t)MIN(value, UINT8_MAX);
    return why;
}

static const char *read_slice(const struct property *property, void *field)
{
    uint32_t *out = field;
    uint32_t ms = 0;
    const char *why = read_u32(property, &ms);

    *out = ms <= 1000 ? ms * 1000000 : UINT32_MAX;
    return why;
}

static const char *read_flag(const struct property *property, void *field)
{
    bool *out = field;

    *out = true;
    return property->length == 0 ? NULL : wrong_size;
}

/* The position of the property's text in a list of words. */
static const char *read_choice(const struct property *property, const char *const *words,
                               unsigned count, unsigned *out)
{
    const char *text;
    const char *why = text_of(property, &text);

    if (why != NULL)
        return why;
    for (unsigned i = 0; i < count; i++) {
        if (strcmp(text, words[i]) == 0) {
            *out = i;
            return NULL;
        }
    }
    return "is not one of the words it may be";
}

static const char *read_restart(const struct property *property, void *field)
{
    static const char *const words[] = {
        [VM_RESTART_NEVER] = "never",
        [VM_RESTART_ON_CRASH] = "on-crash",
        [VM_RESTART_ALWAYS] = "always",
    };

    return read_choice(property, words, ARRAY_SIZE(words), field);
}

static const char *read_format(const struct property *property, void *field)
{
    static const char *const words[] = {
        [VM_IMAGE_AUTO] = "auto",
        [VM_IMAGE_LINUX] = "linux",
        [VM_IMAGE_ELF] = "elf",
        [VM_IMAGE_RAW] = "raw",
        [VM_IMAGE_BZIMAGE] = "bzimage",
        [VM_IMAGE_PVH] = "pvh",
        [VM_IMAGE_MULTIBOOT] = "multiboot",
        [VM_IMAGE_BOOT_SECTOR] = "boot-sector",
    };

    return read_choice(property, words, ARRAY_SIZE(words), field);
}

static const char *read_ram(const struct property *property, void *field)
{
    struct vm_config *config = field;
    const fdt64_t *cells = property->value;
    unsigned count = (unsigned)property->length / sizeof(cells[0]) / 2;

    if (property->length % (int)(2 * sizeof(cells[0])) != 0)
        return wrong_size;
    if (count > VM_MAX_REGIONS)
        return "has more than 16 regions";
    for (unsigned i = 0; i < count; i++) {
        config->ram[i].base = gpa(fdt64_ld(&cells[2 * i]));
        config->ram[i].size = fdt64_ld(&cells[2 * i + 1]);
    }
    config->ram_count = count;
    return NULL;
}

static const char *read_image(const struct property *property, void *field)
{
    const char *name;
    const char *why = text_of(property, &name);

    return why != NULL ? why : bundle_image(property->bundle, name, field);
}

static const char *read_load(const struct property *property, void *field)
{
    struct vm_config *config = field;

    config->has_load = true;
    return read_u64(property, &config->load.raw);
}

static const char *read_entry(const struct property *property, void *field)
{
    struct vm_config *config = field;

    config->has_entry = true;
    return read_u64(property, &config->entry.raw);
}

struct key {
    const char *name;
    reader read;
    size_t field;
};

#define FIELD(member) offsetof(struct vm_config, member)

static const struct key vm_keys[] = {
    { "machine", read_name, FIELD(machine) },
    { "ram", read_ram, 0 },
    { "kernel", read_image, FIELD(kernel) },
    { "initrd", read_image, FIELD(initrd) },
    { "fdt", read_image, FIELD(fdt) },
    { "firmware", read_image, FIELD(firmware) },
    { "cmdline", read_cmdline, FIELD(cmdline) },
    { "cpus", read_u32, FIELD(cpus) },
    { "load", read_load, 0 },
    { "entry", read_entry, 0 },
    { "affinity", read_u64, FIELD(affinity) },
    { "restart", read_restart, FIELD(restart) },
    { "format", read_format, FIELD(format) },
    { "priority", read_priority, FIELD(priority) },
    { "slice-ms", read_slice, FIELD(slice_ns) },
    { "prefault", read_flag, FIELD(prefault) },
};

#define DEVICE_FIELD(member) offsetof(struct vm_config_device, member)

static const struct key device_keys[] = {
    { "type", read_name, DEVICE_FIELD(type) }, { "base", read_u64, DEVICE_FIELD(base) },
    { "port", read_u32, DEVICE_FIELD(port) },  { "irq", read_u32, DEVICE_FIELD(irq) },
    { "disk", read_name, DEVICE_FIELD(disk) },
};

#define DISK_FIELD(member) offsetof(struct ram_disk_config, member)

static const struct key disk_keys[] = {
    { "size", read_u64, DISK_FIELD(size) },
    { "image", read_image, DISK_FIELD(image) },
};

static const struct key *find_key(const struct key *keys, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(keys[i].name, name) == 0)
            return &keys[i];
    return NULL;
}

/* Every property of a node into the structure `to`. `whose`: for messages. */
static status_t read_node(const struct bundle *bundle, int node, const char *whose,
                          const struct key *keys, size_t count, void *to)
{
    struct property property = { .bundle = bundle };
    int at;

    fdt_for_each_property_offset(at, bundle->fdt, node)
    {
        const char *name, *why = "unknown";
        const struct key *key;

        property.value = fdt_getprop_by_offset(bundle->fdt, at, &name, &property.length);
        if (property.value == NULL) {
            log_error("%s: bundle: the tree's properties are damaged", whose);
            return ERR_INVALID_ARGS;
        }
        key = find_key(keys, count, name);
        if (key != NULL)
            why = key->read(&property, (uint8_t *)to + key->field);
        if (why != NULL) {
            log_error("%s: bundle: key '%s': %s", whose, name, why);
            return ERR_INVALID_ARGS;
        }
    }
    return OK;
}

static status_t read_devices(const struct bundle *bundle, int vm_node, struct vm_config *out)
{
    int node;

    fdt_for_each_subnode(node, bundle->fdt, vm_node)
    {
        status_t status;

        if (out->device_count == VM_MAX_DEVICES) {
            log_error("%s: bundle: key 'device': has more than 16 entries", out->name);
            return ERR_INVALID_ARGS;
        }
        status = read_node(bundle, node, out->name, device_keys, ARRAY_SIZE(device_keys),
                           &out->devices[out->device_count++]);
        if (status != OK)
            return status;
    }
    return OK;
}

/* A node's name, which is that of what it describes; `what` and `index`: for messages. */
static status_t read_node_name(const struct bundle *bundle, int node, const char *what,
                               unsigned index, char *out)
{
    int length;
    const char *name = fdt_get_name(bundle->fdt, node, &length);

    if (name == NULL || length > VM_NAME_MAX) {
        log_error("bundle: %s %u: its name is missing or longer than 31", what, index);
        return ERR_INVALID_ARGS;
    }
    memcpy(out, name, (size_t)length + 1);
    return OK;
}

void bundle_make_disks(const struct bundle *bundle)
{
    for (unsigned i = 0; i < bundle->disk_count; i++) {
        struct ram_disk_config config = { 0 };
        status_t status = read_node_name(bundle, bundle->disks[i], "disk", i, config.name);

        if (status == OK)
            status = read_node(bundle, bundle->disks[i], config.name, disk_keys,
                               ARRAY_SIZE(disk_keys), &config);
        if (status == OK)
            (void)ram_disk_create(&config); /* it says itself what it dislikes */
    }
}

status_t bundle_vm(const struct bundle *bundle, unsigned index, struct vm_config *out)
{
    const char *key, *why;
    status_t status;

    if (index >= bundle->vm_count)
        return ERR_NOT_FOUND;
    vm_config_init(out);
    status = read_node_name(bundle, bundle->vms[index], "VM", index, out->name);
    if (status != OK)
        return status;
    status = read_node(bundle, bundle->vms[index], out->name, vm_keys, ARRAY_SIZE(vm_keys), out);
    if (status == OK)
        status = read_devices(bundle, bundle->vms[index], out);
    if (status != OK)
        return status;
    status = vm_config_check(out, &key, &why);
    if (status != OK)
        log_error("%s: bundle: key '%s': %s", out->name, key, why);
    return status;
}
