/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A virtual machine and its life.
 *
 *     vm_create -> CREATED --boot--> RUNNING <--pause/resume--> PAUSED
 *                                       |                         |
 *                 shutdown, stop, the guest's power-off -> STOPPING -> STOPPED --restart--> RUNNING
 *                                       |
 *                    a fault it cannot survive ----------> CRASHED --restart--> RUNNING
 *
 *     CREATED, STOPPED, CRASHED --vm_destroy--> gone, every page returned
 *
 * Every call may come from any CPU at any time. A wrong state: ERR_BAD_STATE, nothing changes,
 * and one line in the log that says what to do. A transition that must wait for vCPUs on
 * other CPUs is asked for at once and ends when the last of them has left its guest.
 */
#pragma once

#include "kernel/sched.h"
#include "vm/aspace.h"
#include "vm/config/config.h"
#include "vm/console.h"
#include "vm/vcpu.h"
#include "vm/vdev.h"

enum vm_state {
    VM_CREATED,
    VM_RUNNING,
    VM_PAUSED,
    VM_STOPPING,
    VM_STOPPED,
    VM_CRASHED,
};

/* Why a VM left RUNNING, or is about to. */
enum vm_end { VM_END_NONE, VM_END_STOP, VM_END_POWER_OFF, VM_END_RESET, VM_END_CRASH };

struct machine;
struct virqchip; /* vm/irqchip/, one shape per architecture */

struct vm {
    spinlock_t lock; /* inside the devices' (a model may end its VM), outside the scheduler's */
    unsigned id;
    enum vm_state state;
    enum vm_end end;
    struct vm_config config;
    const struct machine *machine;

    struct aspace space;
    struct pio_bus *ports; /* x86; NULL: the machine has none */
    vmo_t ram[VM_MAX_REGIONS];
    struct vdev *devices;
    struct virqchip *irqchip;
    struct console console;
    void *fdt; /* generated at creation, copied in at each boot; NULL: none */
    size_t fdt_bytes;

    struct vcpu *vcpus;      /* config.cpus of them */
    unsigned active;         /* vCPUs that are powered on and not parked; under lock */
    struct sched_work ended; /* what follows the last one's parking */
    struct timer shutdown_timer;
    struct timer restart_timer;
    bool shutdown_asked; /* the guest was told; the timer is armed or its function runs */
    bool retiring;       /* waits for a parked vCPU's last word to its scheduler */
    bool keep_down;      /* this end was asked for: the restart policy does not apply */
    bool busy;           /* being made or reset: no call but the maker's */
    bool delayed;        /* its restart waits for the timer */
    uint8_t short_runs;  /* in a row, each over almost at once */
    uint8_t crashes;     /* in a row, each soon after its start */
    uint64_t started;    /* arch_counter() at the last start */
    uint32_t users;      /* calls at work without the lock; atomic */

    /* The latest data access to nothing, for reports. */
    uint32_t strays; /* how many; atomic */
    uint64_t stray_pc;
    gpa_t stray_address;

    struct vm *next;
};

/* Makes all that `config` (copied) describes and loads the images. On an error everything is
 * undone; each is logged with the VM's name. ERR_ALREADY_EXISTS: the name is taken. */
status_t vm_create(const struct vm_config *config, struct vm **out);
status_t vm_boot(struct vm *vm);
status_t vm_pause(struct vm *vm);
status_t vm_resume(struct vm *vm);
/* Asks the guest (power key); stops it when `timeout_ms` have passed, or if it has no key. */
status_t vm_shutdown(struct vm *vm, unsigned timeout_ms);
status_t vm_stop(struct vm *vm);
/* From RUNNING, PAUSED, STOPPED, CRASHED: fresh memory, images loaded anew, booted. */
status_t vm_restart(struct vm *vm);
/* ERR_BAD_STATE also while vCPUs are still leaving their guests. */
status_t vm_destroy(struct vm *vm);

/* Runs one vCPU on the calling CPU until it halts, is asked to stop, or the CPU is wanted.
 * ERR_NOT_FOUND: no such vCPU. ERR_BAD_STATE: VM not RUNNING, vCPU off or elsewhere. */
status_t vm_run_vcpu(struct vm *vm, unsigned id);

status_t vm_map_region(struct vm *vm, const struct region *region); /* not while RUNNING */
status_t vm_unmap_region(struct vm *vm, gpa_t base);
paddr_t vm_stage2_root(const struct vm *vm);

/* Guest memory; ERR_NOT_FOUND where there is none. Any state. */
status_t vm_read_guest(struct vm *vm, gpa_t from, void *to, size_t bytes);
status_t vm_write_guest(struct vm *vm, gpa_t to, const void *from, size_t bytes);
/* Naturally aligned: else ERR_INVALID_ARGS. */
status_t vm_read_guest_u32(struct vm *vm, gpa_t from, uint32_t *out);
status_t vm_read_guest_u64(struct vm *vm, gpa_t from, uint64_t *out);
status_t vm_write_guest_u32(struct vm *vm, gpa_t to, uint32_t value);
status_t vm_write_guest_u64(struct vm *vm, gpa_t to, uint64_t value);
/* Copies an image to `to`, over memory that need not be contiguous, zeroing up to `span`. */
status_t vm_image_load_region(struct vm *vm, gpa_t to, const struct blob *image, size_t span);

struct vdev *vm_devices(struct vm *vm); /* first of the list; then ->next */
/*
 * Adds a device at `base`, or one more range of a device that was added before; the VM owns
 * it from here, also on failure. Errors as aspace_map.
 */
status_t vm_attach_device(struct vm *vm, struct vdev *dev, gpa_t base, uint64_t size);

/*
 * The same with ports [first, first + count); a device can have ranges of both kinds. Errors
 * as pio_map.
 */
status_t vm_attach_ports(struct vm *vm, struct vdev *dev, uint16_t first, uint16_t count);

/*
 * Makes `irq` pending: an SPI (mask ignored), or a PPI or SGI of each vCPU in `cpu_mask`.
 * ERR_INVALID_ARGS: no such interrupt. ERR_NOT_FOUND: mask names vCPUs the VM has not.
 */
status_t vm_inject_interrupt(struct vm *vm, uint64_t cpu_mask, uint32_t irq);

/* For exit handling on a vCPU of this VM: the guest itself asks, or cannot go on. It is parked
 * before it enters the guest again. */
void vm_end_by_guest(struct vm *vm, enum vm_end end);

const char *vm_state_name(enum vm_state state);

/*
 * All VMs there are, oldest first. Following ->next is safe where no VM is destroyed at the
 * same time.
 */
struct vm *vm_first(void);
/* NULL: none of that name. */
struct vm *vm_find(const char *name);

/*
 * What to call, on a CPU's loop and without locks, when a VM has become STOPPED or CRASHED
 * and its restart policy leaves it so. The hook may destroy it.
 */
void vm_set_ended_hook(void (*hook)(struct vm *vm));
