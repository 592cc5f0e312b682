/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The bundle as a whole: header, check, and where its nodes are. One pass over the tree finds
 * them all, so that nothing is ever looked up by path.
 */

#include "vm/config/bundle.h"

#include <libfdt.h>

#include "arch/bits.h"

#define VERSION 1
#define CHECK_BYTES sizeof(uint64_t)

/*
 * Each step (exclusive or, odd factor, shift) is a bijection of the state, so that a change
 * within one word of the tree never goes unseen.
 */
static uint64_t tree_check(const uint64_t *words, size_t count)
{
    uint64_t state = 0xcbf29ce484222325;

    for (size_t i = 0; i < count; i++) {
        state = (state ^ words[i]) * 0x9e3779b97f4a7c15;
        state ^= state >> 32;
    }
    return state;
}

static const char *check_file(const void *file, size_t bytes)
{
    const struct fdt_header *header = file;
    size_t tree;

    if (!IS_ALIGNED((uintptr_t)file, sizeof(uint64_t)))
        return "is not at a multiple of 8 bytes in memory";
    if (bytes < sizeof(*header))
        return "is truncated: no room for its header";
    if (fdt_magic(file) != FDT_MAGIC)
        return "is not a bundle: no device tree magic";
    tree = fdt_totalsize(file);
    if (tree < sizeof(*header) || !IS_ALIGNED(tree, CHECK_BYTES))
        return "is damaged: the tree's size makes no sense";
    if (tree + CHECK_BYTES > bytes)
        return "is truncated: the tree ends beyond it";
    if (tree_check(file, tree / CHECK_BYTES) != ((const uint64_t *)file)[tree / CHECK_BYTES])
        return "is damaged: the tree's check does not match";
    if (fdt_check_header(file) != 0)
        return "is damaged: the tree's header makes no sense";
    return NULL;
}

/* A value of 4 or 8 bytes; false: missing, or of another size. */
static bool get_number(const struct bundle *bundle, int node, const char *name, int size,
                       uint64_t *out)
{
    int length;
    const void *value = fdt_getprop(bundle->fdt, node, name, &length);

    if (value == NULL || length != size)
        return false;
    *out = size == 4 ? fdt32_ld(value) : fdt64_ld(value);
    return true;
}

static const char *check_root(const struct bundle *bundle)
{
    uint64_t version, size;

    if (!get_number(bundle, 0, "version", 4, &version) ||
        !get_number(bundle, 0, "file-size", 8, &size))
        return "is not a bundle: no version or file-size";
    if (version != VERSION)
        return "is of another version: make it again with this socle-bundle";
    if (size > bundle->bytes)
        return "is truncated: its end is missing";
    return NULL;
}

/* A list of nodes below the root. */
struct node_list {
    const char *name;
    int *nodes;
    unsigned *count, most;
};

/* NULL: the node of a list that this version does not know. */
static const struct node_list *find_list(const struct node_list *lists, size_t count,
                                         const char *name)
{
    for (size_t i = 0; name != NULL && i < count; i++)
        if (strcmp(lists[i].name, name) == 0)
            return &lists[i];
    return NULL;
}

static const char *collect_nodes(struct bundle *bundle)
{
    const struct node_list lists[] = {
        { "vms", bundle->vms, &bundle->vm_count, BUNDLE_MAX_VMS },
        { "disks", bundle->disks, &bundle->disk_count, RAM_DISK_MAX },
        { "images", bundle->images, &bundle->image_count, BUNDLE_MAX_IMAGES },
    };
    const struct node_list *list = NULL;
    int depth = 0, node = fdt_next_node(bundle->fdt, 0, &depth);

    for (; node >= 0 && depth > 0; node = fdt_next_node(bundle->fdt, node, &depth)) {
        if (depth == 1) {
            list = find_list(lists, ARRAY_SIZE(lists), fdt_get_name(bundle->fdt, node, NULL));
        } else if (depth == 2 && list != NULL) {
            if (*list->count == list->most)
                return "has more VMs, disks or images than Socle takes";
            list->nodes[(*list->count)++] = node;
        }
    }
    if (node < 0 && node != -FDT_ERR_NOTFOUND)
        return "is damaged: the tree's structure makes no sense";
    return bundle->vm_count != 0 ? NULL : "describes no VM";
}

status_t bundle_open(struct bundle *bundle, const void *file, size_t bytes, const char **why)
{
    bundle->fdt = file;
    bundle->bytes = bytes;
    bundle->vm_count = 0;
    bundle->disk_count = 0;
    bundle->image_count = 0;
    *why = check_file(file, bytes);
    if (*why == NULL)
        *why = check_root(bundle);
    if (*why == NULL)
        *why = collect_nodes(bundle);
    return *why == NULL ? OK : ERR_INVALID_ARGS;
}

unsigned bundle_vm_count(const struct bundle *bundle)
{
    return bundle->vm_count;
}

static const char *locate_image(const struct bundle *bundle, int node, struct blob *out)
{
    uint64_t position, size;

    if (!get_number(bundle, node, "data-position", 8, &position) ||
        !get_number(bundle, node, "data-size", 8, &size))
        return "names an image without data-position or data-size";
    if (position > bundle->bytes || size > bundle->bytes - position)
        return "names an image that ends beyond the bundle";
    if (size == 0 || position < fdt_totalsize(bundle->fdt))
        return "names an image that is empty or inside the tree";
    out->data = (const uint8_t *)bundle->fdt + position;
    out->bytes = size;
    return NULL;
}

const char *bundle_image(const struct bundle *bundle, const char *name, struct blob *out)
{
    for (unsigned i = 0; i < bundle->image_count; i++) {
        const char *candidate = fdt_get_name(bundle->fdt, bundle->images[i], NULL);

        if (candidate != NULL && strcmp(candidate, name) == 0)
            return locate_image(bundle, bundle->images[i], out);
    }
    return "names an image that the bundle has not";
}
