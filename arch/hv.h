/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Virtualization: what a backend (EL2, VMX, SVM, or the unit tests' fake) does for vm/.
 *
 * A backend owns its half of a vCPU, `struct hv_vcpu`, defined in <arch/vcpu.h> and embedded
 * in vm/'s `struct vcpu`. It runs the guest until an exit that needs a decision or a model,
 * and describes that exit in one shape, `struct vm_exit`, whatever the hardware.
 *
 *     vcpu_load -> vcpu_run -> [ guest -> vm_exit -> answer: vm/exit.c -> guest ... ] -> vcpu_put
 */
#pragma once

#include "arch/addr.h"
#include "arch/status.h"

enum vm_exit_reason {
    VM_EXIT_IRQ,       /* a host interrupt wants this CPU; the guest's registers may be elsewhere */
    VM_EXIT_MEMORY,    /* second-stage fault: RAM not there yet, a device, or nothing */
    VM_EXIT_IPI,       /* an interrupt for vCPUs (ICC_SGI*R, ICR); the PC is already behind it */
    VM_EXIT_HYPERCALL, /* HVC or SMC with immediate 0; VMCALL, VMMCALL: skip() is still due */
    VM_EXIT_PIO,       /* x86: a port is read or written */
    VM_EXIT_MSR,       /* x86: an MSR that a model answers: the APIC's, the TSC deadline */
    VM_EXIT_WINDOW,    /* x86: what ask_window or watch_priority waits for has come */
    VM_EXIT_RESET,     /* x86: triple fault, or INIT: what pulls a PC's reset line */
    VM_EXIT_HALT,      /* WFI, HLT; the PC is already behind it */
    VM_EXIT_YIELD,     /* WFE, PAUSE; the PC is already behind it */
    VM_EXIT_FATAL,     /* the guest cannot go on: exit->fatal says why */
    VM_EXIT_REASONS,
};

enum vm_access {
    VM_ACCESS_READ = 1 << 0,
    VM_ACCESS_WRITE = 1 << 1,
    VM_ACCESS_EXEC = 1 << 2,
};

struct vm_exit {
    enum vm_exit_reason reason;
    union {
        struct {
            gpa_t gpa;
            uint64_t gva;    /* 0 where the hardware does not tell */
            uint64_t value;  /* decoded writes: what is stored */
            uint32_t size;   /* decoded accesses: 1, 2, 4 or 8 bytes */
            uint8_t access;  /* one of enum vm_access */
            bool decoded;    /* a single plain load or store: size and value are valid */
            bool table_walk; /* the guest's MMU faulted reading its own page tables */
            bool permission; /* mapped, but not for this access */
            bool external; /* the address is not known (external abort and the like); not decoded */
        } memory;
        struct {
            uint64_t value; /* as written to the register that sends */
            uint8_t kind;   /* which register; the backend's enum */
        } ipi;
        struct {
            uint64_t value; /* decoded writes; the low `size` bytes count */
            uint16_t port;
            uint8_t size; /* 1, 2 or 4 */
            bool write;
            bool decoded; /* plain IN or OUT; INS and OUTS, with REP or not, want emulate */
        } pio;
        struct {
            uint64_t value; /* writes */
            uint32_t index;
            bool write;
        } msr;
        struct {
            bool smc; /* by SMC rather than HVC */
        } hypercall;
        struct {
            const char *what; /* one sentence, static storage */
            uint64_t syndrome;
        } fatal;
    };
};

struct hv_vcpu; /* <arch/vcpu.h> */

/* In what mode a vCPU starts; arm64 knows the first only. */
enum hv_mode {
    HV_MODE_RESET,     /* arm64: EL1, MMU off; x86: real mode, CS.base = entry & ~0xffff */
    HV_MODE_PROTECTED, /* x86: 32-bit flat segments, paging off (Multiboot, PVH) */
    HV_MODE_LONG,      /* x86: 64-bit, paging on with `cr3` (the 64-bit boot protocol) */
    HV_MODE_STARTUP,   /* x86: real mode after a startup IPI: CS.base = entry, IP = 0 */
};

/* x86: how a guest reaches the registers of its local APIC. */
enum hv_apic {
    HV_APIC_OFF,  /* not at all */
    HV_APIC_PAGE, /* xAPIC */
    HV_APIC_MSRS, /* x2APIC */
};

/* How a vCPU starts: everything not named here has its architectural reset value. */
struct hv_reset {
    enum hv_mode mode;
    uint64_t entry;  /* first instruction, guest-physical with the MMU off */
    uint64_t arg[4]; /* arm64 x0..x3; x86 rax, rbx, rsi, rdi */
    uint64_t cr3;    /* HV_MODE_LONG */
    uint64_t id;     /* what the guest reads as its own id: arm64 MPIDR affinity, x86 APIC id */
    unsigned cpus;   /* x86: vCPUs of the VM, for the topology that CPUID tells; 0 is 1 */
};

/*
 * The second half of an emulated instruction: the accesses it makes. `context` is the
 * caller's. Each returns OK, or an error that ends the emulation; it is then passed through.
 */
struct hv_bus {
    void *context;
    status_t (*read)(void *context, gpa_t address, unsigned size, uint64_t *value);
    status_t (*write)(void *context, gpa_t address, unsigned size, uint64_t value);
    /* x86: INS and OUTS. NULL where there are no ports. */
    status_t (*port_read)(void *context, uint16_t port, unsigned size, uint64_t *value);
    status_t (*port_write)(void *context, uint16_t port, unsigned size, uint64_t value);
    /* RAM only: instruction bytes and page tables. */
    status_t (*read_memory)(void *context, gpa_t address, void *to, size_t bytes);
    /* x86: accessed and dirty bits of page tables; RAM only, atomic against the guest's other
     * CPUs. `size` is 4 or 8, `address` aligned to it. ERR_BAD_STATE: it does not hold `expected`.
     * NULL: the bits are left alone. */
    status_t (*exchange_memory)(void *context, gpa_t address, unsigned size, uint64_t expected,
                                uint64_t value);
};

/* Deals with an exit. True: the vCPU goes back into its guest at once; false: vcpu_run returns. */
typedef bool (*hv_answer)(struct hv_vcpu *vcpu, const struct vm_exit *exit);

/* Receives one register of a report. `name` is static. */
typedef void (*hv_print)(void *context, const char *name, uint64_t value);

struct hv_ops {
    const char *name;

    /* Can this machine virtualize? ERR_UNSUPPORTED: *why is one sentence that says why not. */
    status_t (*probe)(const char **why);
    /* On each CPU, after probe. Same errors as probe. */
    status_t (*cpu_enable)(const char **why);

    /* Why guests had better stay off the boot CPU where there are others; NULL: for no reason.
     * The function may be NULL, too. After probe. */
    const char *(*spare_boot_cpu)(void);

    /* Registers to their reset values. Not loaded on any CPU. Called again for a restart. */
    void (*vcpu_reset)(struct hv_vcpu *vcpu, const struct hv_reset *reset);

    /* The guest-physical space that the vCPU runs in. Not loaded, or the calling CPU's own. */
    void (*vcpu_set_space)(struct hv_vcpu *vcpu, paddr_t root, uint32_t tag);

    /* This CPU's hardware gets, or gives back, all of the vCPU's state. */
    void (*vcpu_load)(struct hv_vcpu *vcpu);
    void (*vcpu_put)(struct hv_vcpu *vcpu);

    /* Runs the loaded vCPU: `answer` is called at each exit, until it says false. */
    void (*vcpu_run)(struct hv_vcpu *vcpu, hv_answer answer);

    /* Whether WFI and WFE (HLT, PAUSE) exit. Loaded vCPU of the calling CPU. */
    void (*vcpu_trap_halt)(struct hv_vcpu *vcpu, bool trap);

    /*
     * Finishes a decoded memory, port or MSR access: a read gets `value`, of which as many bytes
     * count as it has, into its register, and the PC moves past the instruction. Call
     * hv_finish_read and hv_finish_write of <arch/finish.h>: arm64 does it there, and has none
     * here.
     */
    void (*finish_read)(struct hv_vcpu *vcpu, const struct vm_exit *exit, uint64_t value);
    void (*finish_write)(struct hv_vcpu *vcpu, const struct vm_exit *exit);

    /*
     * Carries out a memory access that the hardware did not decode: fetches the instruction
     * through the guest's own translation, makes its accesses on `bus`, updates registers
     * and the PC. OK also where the guest is to try again (its mapping changed meanwhile).
     * ERR_UNSUPPORTED: not an instruction that accesses devices; nothing changed.
     */
    status_t (*emulate)(struct hv_vcpu *vcpu, const struct vm_exit *exit, const struct hv_bus *bus);

    /* Gives the guest the fault its CPU raises for an access to nothing (external abort, …). */
    void (*inject_bus_fault)(struct hv_vcpu *vcpu, const struct vm_exit *exit);

    /* The PC moves past the trapped instruction that made this exit. */
    void (*skip)(struct hv_vcpu *vcpu);

    /*
     * Events for guests whose interrupt controller is a model (x86; NULL where the hardware
     * has list registers). Loaded vCPU of the calling CPU.
     *
     * irq_ready: could it take an external interrupt at its next entry: IF set, no shadow,
     * nothing else queued? inject_irq: it does; only when ready. inject_nmi: at the next
     * entry, or once it may. ask_window: exit with VM_EXIT_WINDOW as soon as it is ready.
     * watch_priority: the same as soon as the class of the guest's TPR is below this one, which
     * it is not yet; 0: never. inject_gp: #GP(0), what a refused MSR access raises.
     */
    bool (*irq_ready)(const struct hv_vcpu *vcpu);
    void (*inject_irq)(struct hv_vcpu *vcpu, uint8_t vector);
    void (*inject_nmi)(struct hv_vcpu *vcpu);
    void (*ask_window)(struct hv_vcpu *vcpu, bool ask);
    void (*watch_priority)(struct hv_vcpu *vcpu, uint8_t class);
    void (*inject_gp)(struct hv_vcpu *vcpu);

    /*
     * x86: from its next entry on, the vCPU reaches its local APIC in this way. `registers` is a
     * page of the direct map with what they read as, laid out as an xAPIC's; it stays the
     * model's, but with hardware that can, the guest reads them there without an exit, and
     * changes TPR. True: it also reads IRR, ISR and TMR there, changes ICR2, and has a
     * VM_EXIT_MEMORY behind a write that has changed one of the others. Not loaded, or the
     * calling CPU's own. vcpu_reset forgets it.
     *
     * apic_place: such hardware answers in the place of this page of the host's, so it is to be
     * where the guest's xAPIC is, and may be there only while all vCPUs of a VM are
     * HV_APIC_PAGE. False: there is none.
     */
    bool (*set_apic)(struct hv_vcpu *vcpu, enum hv_apic how, uint32_t *registers);
    bool (*apic_place)(paddr_t *page);

    /* For reports, as virtual addresses: where the guest is, and where its chain of stack frames
     * starts. */
    uint64_t (*pc)(const struct hv_vcpu *vcpu);
    uint64_t (*frame_pointer)(const struct hv_vcpu *vcpu);

    /* Guest virtual to guest physical by the guest's own tables. Loaded vCPU.
     * ERR_NOT_FOUND: not mapped for the guest. */
    status_t (*translate)(struct hv_vcpu *vcpu, uint64_t gva, uint8_t access, gpa_t *out);

    /* The registers that a report shows, one by one: general, PC and mode, fault, translation. */
    void (*describe)(const struct hv_vcpu *vcpu, hv_print print, void *context);
};

/* The backend of this machine: chosen at boot by arch_hv_select, then constant. */
extern const struct hv_ops *hv;

/* ERR_UNSUPPORTED: no backend works here; *why says what each lacks. */
status_t arch_hv_select(const char **why);
