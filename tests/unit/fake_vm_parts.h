/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A small world for tests of vm/'s core: memory, one CPU, a log that is kept, and a machine
 * "fake" with an interrupt controller and one device that remember what was done to them.
 */
#pragma once

#include "vm/vdev.h"
#include "vm/vm.h"

#define FAKE_RAM 0x40000000u
#define FAKE_RAM_SIZE (4u << 20)
#define FAKE_DEVICE 0x9000000u
#define FAKE_DEVICE_SIZE 0x1000u
#define FAKE_ENTRY (FAKE_RAM + 0x1000)

struct fake_device {
    struct vdev dev;
    unsigned reads, writes, resets;
    bool reset_locked;         /* the latest reset was under the model's lock */
    struct vdev_access access; /* the latest */
    uint64_t written;          /* the latest */
    uint64_t bytes;            /* written by 1-byte accesses: shifted in from above */
    uint64_t answer;           /* what a read gives */
};

struct fake_parts {
    /* Set by the test. */
    bool wakes;            /* an interrupt is pending for every vCPU */
    bool has_key;          /* a power key */
    status_t build_status; /* at the end of build */
    status_t image_status;
    void (*on_run)(struct vcpu *vcpu); /* with virqchip_sync */

    /* Counted. */
    unsigned chip_resets, vcpu_resets, loads, puts, syncs, ipis, injects, presses, images, irqs;
    struct fake_device *device; /* of the VM that was made last */
};
extern struct fake_parts fake_parts;

/* Everything as at first, and on the first call the world itself. */
void fake_world_init(void);

/* A test's setup: fake_world_init. Its teardown: every VM is gone, and all of its memory back. */
int fake_world_setup(void **state);
int fake_world_teardown(void **state);
extern size_t fake_free_before; /* the test */

/* The log since fake_world_init or fake_log_clear. */
extern char fake_log[65536];
void fake_log_clear(void);

/* One vCPU, 4 MiB at FAKE_RAM, entry FAKE_ENTRY. */
struct vm_config fake_config(const char *name);
struct vm *fake_vm(const char *name);
/* And booted, until it has nothing to do. */
struct vm *fake_vm_running(const char *name);
/* Stopped if it still runs, and destroyed. */
void fake_vm_end(struct vm *vm);

/* Turns of the scheduler until there is nothing to do. */
void fake_drain(void);

/* The exits that the vCPU makes next, in order; then it halts. */
#define FAKE_SCRIPT(vcpu, ...)                                                           \
    do {                                                                                 \
        static struct vm_exit                                                            \
            script_[sizeof((struct vm_exit[]){ __VA_ARGS__ }) / sizeof(struct vm_exit)]; \
        memcpy(script_, (struct vm_exit[]){ __VA_ARGS__ }, sizeof(script_));             \
        (vcpu)->hv.next = script_;                                                       \
        (vcpu)->hv.last = script_ + sizeof(script_) / sizeof(script_[0]);                \
    } while (0)
