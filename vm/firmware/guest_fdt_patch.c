/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A device tree that the configuration gives: this VM's memory, initrd and command line are
 * written into a copy of it.
 */

#include <libfdt.h>

#include "arch/bits.h"
#include "kernel/lib/format.h"
#include "kernel/log.h"
#include "vm/firmware/guest_fdt.h"

/* libfdt's errors, of which the first sticks. */
static void note(int *error, int result)
{
    if (*error == 0 && result < 0)
        *error = result;
}

static int set_string(void *fdt, int node, const char *name, const char *text)
{
    return fdt_setprop(fdt, node, name, text, (int)strlen(text) + 1);
}

static int remove_memory(void *fdt)
{
    int node;

    do {
        node = fdt_node_offset_by_prop_value(fdt, -1, "device_type", "memory", sizeof("memory"));
        if (node >= 0 && fdt_del_node(fdt, node) != 0)
            return -FDT_ERR_BADSTRUCTURE;
    } while (node >= 0);
    return node == -FDT_ERR_NOTFOUND ? 0 : node;
}

/* One node for all regions, with 64-bit addresses as the root's cells must say. */
static int add_memory(void *fdt, const struct vm_config *config)
{
    fdt64_t reg[2 * VM_MAX_REGIONS];
    char name[32];
    int error = remove_memory(fdt);
    int node;

    if (error != 0)
        return error;
    if (fdt_address_cells(fdt, 0) != 2 || fdt_size_cells(fdt, 0) != 2)
        return -FDT_ERR_BADNCELLS;
    for (unsigned i = 0; i < config->ram_count; i++) {
        reg[2 * i] = cpu_to_fdt64(config->ram[i].base.raw);
        reg[2 * i + 1] = cpu_to_fdt64(config->ram[i].size);
    }
    format_string(name, sizeof(name), "memory@%llx", (unsigned long long)config->ram[0].base.raw);
    node = fdt_add_subnode(fdt, 0, name);
    if (node < 0)
        return node;
    note(&error, set_string(fdt, node, "device_type", "memory"));
    note(&error, fdt_setprop(fdt, node, "reg", reg, (int)(config->ram_count * 2 * sizeof(reg[0]))));
    return error;
}

static int add_chosen(void *fdt, const struct vm_config *config, const struct image_plan *plan)
{
    uint64_t end = plan->initrd.raw + config->initrd.bytes;
    int node = fdt_subnode_offset(fdt, 0, "chosen");
    int error = 0;

    if (node == -FDT_ERR_NOTFOUND)
        node = fdt_add_subnode(fdt, 0, "chosen");
    if (node < 0)
        return node;
    if (config->cmdline[0] != '\0')
        note(&error, set_string(fdt, node, "bootargs", config->cmdline));
    if (config->initrd.data != NULL) {
        note(&error, fdt_setprop_u64(fdt, node, "linux,initrd-start", plan->initrd.raw));
        note(&error, fdt_setprop_u64(fdt, node, "linux,initrd-end", end));
    }
    return error;
}

status_t guest_fdt_patch(const struct vm_config *config, const struct image_plan *plan,
                         void *buffer, size_t room)
{
    const struct blob *given = &config->fdt;
    int error = -FDT_ERR_TRUNCATED;

    if (given->bytes >= sizeof(struct fdt_header) && fdt_totalsize(given->data) <= given->bytes)
        error = fdt_check_full(given->data, given->bytes);
    if (error == 0)
        error = fdt_open_into(given->data, buffer, (int)room);
    if (error == 0)
        error = add_memory(buffer, config);
    if (error == 0)
        error = add_chosen(buffer, config, plan);
    if (error == 0)
        error = fdt_pack(buffer);
    if (error == 0)
        return OK;
    log_error("%s: fdt: %s", config->name, fdt_strerror(error));
    return error == -FDT_ERR_NOSPACE ? ERR_NO_MEMORY : ERR_INVALID_ARGS;
}
