/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The bundle: the file that says which VMs to run and holds their images (docs/bundle.md).
 *
 *     tree    /vms/<name>      one VM, in terms of struct vm_config; its devices below it
 *             /disks/<name>    a RAM disk, in terms of struct ram_disk_config
 *             /images/<name>   data-position, data-size
 *     check   64 bits over the tree
 *     images  page-aligned, used where they lie
 */
#pragma once

#include "vm/config/config.h"
#include "vm/ram_disk.h"

#define BUNDLE_MAX_VMS 64
#define BUNDLE_MAX_IMAGES (4 * BUNDLE_MAX_VMS + RAM_DISK_MAX) /* kernel, initrd, fdt, firmware */

struct bundle {
    const void *fdt;
    size_t bytes; /* of the whole file */

    /* Nodes, as offsets into the tree. */
    int vms[BUNDLE_MAX_VMS];
    int disks[RAM_DISK_MAX];
    int images[BUNDLE_MAX_IMAGES];
    unsigned vm_count, disk_count, image_count;
};

/*
 * Checks header, size and tree, and finds its nodes. `file` is aligned to 8 bytes and stays
 * as long as the bundle and every VM made of it. Images themselves are not checked: that
 * takes a pass over all of them, and `socle-bundle -l` does it on the host.
 * ERR_INVALID_ARGS: *why is one sentence.
 */
status_t bundle_open(struct bundle *bundle, const void *file, size_t bytes, const char **why);

unsigned bundle_vm_count(const struct bundle *bundle);

/*
 * The configuration of VM `index`. ERR_INVALID_ARGS: logged with the VM's name, the key and
 * what is wrong with it. ERR_NOT_FOUND: index too large.
 */
status_t bundle_vm(const struct bundle *bundle, unsigned index, struct vm_config *out);

/*
 * Makes the RAM disks that the bundle describes; before the VMs that use them. Each that is
 * wrong is logged with its name, the key and why, and left out.
 */
void bundle_make_disks(const struct bundle *bundle);

/* Where an image lies. NULL, or what is wrong, to follow the key that names it. */
const char *bundle_image(const struct bundle *bundle, const char *name, struct blob *out);
