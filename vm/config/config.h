/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a VM is to be: the result of reading a bundle, the input of vm_create.
 */
#pragma once

#include "arch/addr.h"
#include "arch/status.h"

#define VM_NAME_MAX 31
#define VM_CMDLINE_MAX 1023
#define VM_MAX_VCPUS 16
#define VM_MAX_REGIONS 16 /* of a configuration */
#define VM_MAX_DEVICES 16

/* Bytes of a bundle, used where they lie. */
struct blob {
    const void *data; /* NULL: none given */
    size_t bytes;
};

enum vm_restart { VM_RESTART_NEVER, VM_RESTART_ON_CRASH, VM_RESTART_ALWAYS };

enum vm_image_format {
    VM_IMAGE_AUTO, /* by what its header says; raw when nothing does */
    VM_IMAGE_LINUX,
    VM_IMAGE_ELF,
    VM_IMAGE_RAW,
    VM_IMAGE_BZIMAGE,     /* x86: Linux's 64-bit boot protocol */
    VM_IMAGE_PVH,         /* x86: ELF with a PVH entry note */
    VM_IMAGE_MULTIBOOT,   /* x86: ELF with a Multiboot 1 header */
    VM_IMAGE_BOOT_SECTOR, /* x86: 512 bytes at 0x7c00, real mode */
};

struct vm_config_ram {
    gpa_t base;
    uint64_t size;
};

struct vm_config_device {
    char type[VM_NAME_MAX + 1]; /* vdev_ops.name */
    gpa_t base;                 /* of its registers in memory */
    uint32_t port;              /* x86: the first of its ports; 0: where PCs have it */
    uint32_t irq;               /* 0: none */
    char disk[VM_NAME_MAX + 1]; /* the RAM disk that it works on */
};

struct vm_config {
    char name[VM_NAME_MAX + 1];
    char machine[VM_NAME_MAX + 1]; /* "virt", "pc", "bare" */
    unsigned cpus;
    uint64_t affinity; /* of every vCPU, a bit for each host CPU; 0: any */
    uint8_t priority;
    uint32_t slice_ns;
    enum vm_restart restart;
    bool prefault;

    struct vm_config_ram ram[VM_MAX_REGIONS]; /* the first one gets the images */
    unsigned ram_count;
    uint64_t memory; /* ram_count 0: bytes of RAM where the machine has it; 0: its default */
    struct vm_config_device devices[VM_MAX_DEVICES];
    unsigned device_count;

    struct blob kernel, initrd, fdt, firmware;
    enum vm_image_format format;
    bool has_load, has_entry; /* else the machine's default for raw images, or the header's */
    gpa_t load, entry;
    char cmdline[VM_CMDLINE_MAX + 1];
};

/* One vCPU, default priority and slice; everything else empty. */
void vm_config_init(struct vm_config *config);

/*
 * Every rule that needs nothing but the configuration; machine->defaults may come later.
 * ERR_INVALID_ARGS: *key is the TOML key that is wrong, *why a sentence.
 */
status_t vm_config_check(const struct vm_config *config, const char **key, const char **why);

/* Is [base, base + size) RAM? Regions may follow each other without a gap. */
bool vm_config_has_ram(const struct vm_config *config, gpa_t base, uint64_t size);
