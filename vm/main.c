/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The first C function after boot: brings everything up from the ground, makes the VMs that
 * the bundle names, and enters the scheduler's loop. When the last VM has ended, so does the
 * machine.
 *
 *     firmware -> memory -> terminal, log -> backend -> interrupts -> other CPUs -> bundle -> VMs
 */
#include <arch/layout.h>

#include "arch/boot.h"
#include "arch/hv.h"
#include "arch/image.h"
#include "arch/smp.h"
#include "drivers/firmware/host_info.h"
#include "drivers/irqchip/irqchip.h"
#include "drivers/power/power.h"
#include "drivers/rtc/rtc.h"
#include "drivers/terminal/terminal.h"
#include "kernel/irq.h"
#include "kernel/lib/string.h"
#include "kernel/log.h"
#include "kernel/memory.h"
#include "kernel/panic.h"
#include "kernel/percpu.h"
#include "kernel/pmm.h"
#include "kernel/smp.h"
#include "vm/config/bundle.h"
#include "vm/irqchip/irqchip.h"
#include "vm/stats.h"
#include "vm/vm.h"

#define SHUTDOWN_PATIENCE_MS 10000 /* for a guest that was asked; then it is stopped */

enum exit_status { EXIT_OK, EXIT_VM_CRASHED, EXIT_NO_VM };

static struct host_info host SEALED;
static enum exit_status exit_status;
static unsigned enabled_cpus; /* that may run guests; atomic */

/*
 * A reason that the call itself fills in is not yet there when it is an argument beside that
 * call: the status has a line of its own.
 *
 * Before there is a log: on the board's early UART.
 */
static void must_early(status_t status, const char *why)
{
    if (status == OK)
        return;
    arch_early_print("socle: ");
    arch_early_print(why);
    arch_early_print("\r\n");
    arch_cpu_stop();
}

static void must(status_t status, const char *why)
{
    if (status != OK)
        panic("%s", why);
}

static void start_memory(const struct boot_info *boot)
{
    struct ram_bank banks[HOST_MAX_BANKS];
    struct memory_range used[HOST_MAX_RESERVED + 2];
    unsigned count = 0;

    for (unsigned i = 0; i < host.bank_count; i++)
        banks[i] = (struct ram_bank){ host.banks[i].base, host.banks[i].bytes };
    for (unsigned i = 0; i < host.reserved_count; i++)
        used[count++] = (struct memory_range){ host.reserved[i].base, host.reserved[i].bytes };
    used[count++] = (struct memory_range){ host.initrd.base, host.initrd.bytes };
    used[count++] = (struct memory_range){ host.firmware.base, host.firmware.bytes };
    must_early(memory_init(boot, banks, host.bank_count, used, count),
               "cannot take over this machine's memory: none, too small or too ragged");
    must(hyp_map_ram(host.initrd.base, host.initrd.bytes), "no memory to map the bundle");
    must(hyp_map_ram(host.firmware.base, host.firmware.bytes), "no memory to map what was told");
}

static void start_log(void)
{
    console_init(terminal_attach(&host));
    log_set_sink(console_log_line);
    power_init(&host);
}

static enum irq_result hypervisor_timer(uint32_t irq, void *arg)
{
    (void)irq;
    (void)arg;
    timer_interrupt();
    return IRQ_DONE;
}

/* What each CPU does for itself before it may run guests. */
static void enable_cpu(void)
{
    const char *why = "";
    const status_t status = hv->cpu_enable(&why);

    must(status, why);
    irq_chip()->cpu_init();
    irq_chip()->enable(irq_chip()->ipi, true);
    irq_chip()->enable(host.timer.hypervisor, false);
    virqchip_cpu_init();
    __atomic_fetch_add(&enabled_cpus, 1, __ATOMIC_RELEASE);
}

static void start_interrupts(void)
{
    const char *why = "";
    const status_t status = irqchip_init(&host, &why);

    must(status, why);
    must(irq_register(host.timer.hypervisor, hypervisor_timer, NULL),
         "no timer interrupt for the hypervisor");
    must(virqchip_host_init(), "the interrupt controller cannot be shared with guests");
    enable_cpu();
    if (terminal_listen(&host, console_typed) != OK)
        log_warn("no input: the terminal has none, or its interrupt cannot be used");
}

static _Noreturn void secondary_main(void)
{
    enable_cpu();
    sched_loop();
}

static bool can_start(const struct host_cpu *cpu)
{
    return cpu->enable == HOST_CPU_STARTUP ||
           (cpu->enable == HOST_CPU_PSCI && host.psci.conduit == HOST_CONDUIT_SMC);
}

static void start_other_cpus(void)
{
    uint64_t hwids[HOST_MAX_CPUS];
    unsigned count = 0;

    for (unsigned i = 0; i < host.cpu_count; i++) {
        if (can_start(&host.cpus[i]))
            hwids[count++] = host.cpus[i].hwid;
    }
    smp_start(hwids, count, secondary_main);
    while (__atomic_load_n(&enabled_cpus, __ATOMIC_ACQUIRE) < cpu_count())
        cpu_relax(); /* what they allocate is no VM's */
}

static size_t total_pages(void)
{
    size_t pages = 0;

    for (pmm_arena_t *arena = pmm_first_arena(); arena != NULL; arena = arena->next)
        pages += arena->page_count;
    return pages;
}

/* With the last VM, the machine ends. */
static void vm_ended(struct vm *vm)
{
    const char *const end = vm->state == VM_CRASHED ? "crashed" : "stopped";
    char name[VM_NAME_MAX + 1];

    if (vm->state == VM_CRASHED)
        exit_status = EXIT_VM_CRASHED;
    memcpy(name, vm->config.name, sizeof(name));
    vm_log_stats(vm);
    if (vm_destroy(vm) != OK)
        return; /* somebody restarted it meanwhile */
    log_info("%s: %s; %zu of %zu pages free", name, end, pmm_free_count(), total_pages());
    if (vm_first() == NULL)
        power_off(exit_status);
}

/* Ctrl-] s */
static void shut_down(struct console *console)
{
    struct vm *const vm = container_of(console, struct vm, console);

    log_info("%s: asked to shut down", vm->config.name);
    (void)vm_shutdown(vm, SHUTDOWN_PATIENCE_MS); /* refused: the log says why */
}

/* For VMs whose configuration names none: 0, which is any, or all but one that had better not. */
static uint64_t cpus_for_guests(void)
{
    const char *why = NULL;

    if (hv->spare_boot_cpu != NULL && cpu_count() > 1)
        why = hv->spare_boot_cpu();
    if (why == NULL)
        return 0;
    log_info("guests stay off the boot CPU: %s", why);
    return ~BIT(0);
}

static status_t start_vm(const struct bundle *bundle, unsigned index, uint64_t cpus)
{
    static struct vm_config config; /* too large for a stack */
    struct vm *vm = NULL;
    status_t status = bundle_vm(bundle, index, &config);

    if (config.affinity == 0)
        config.affinity = cpus;
    if (status == OK)
        status = vm_create(&config, &vm);
    if (status != OK)
        return status;
    status = vm_boot(vm);
    if (status != OK)
        must(vm_destroy(vm), "a VM that never ran cannot be destroyed");
    return status;
}

static void start_vms(void)
{
    const uint64_t cpus = cpus_for_guests();
    struct bundle bundle;
    const char *why = "";

    if (host.initrd.bytes == 0)
        panic("no bundle: give one as the initial RAM disk (QEMU: -initrd bundle.itb)");
    if (bundle_open(&bundle, phys_to_virt(host.initrd.base), host.initrd.bytes, &why) != OK)
        panic("the bundle cannot be used: %s", why);
    bundle_make_disks(&bundle);
    vm_set_ended_hook(vm_ended);
    console_set_shutdown(shut_down);
    for (unsigned i = 0; i < bundle_vm_count(&bundle); i++) {
        if (start_vm(&bundle, i, cpus) != OK)
            exit_status = EXIT_NO_VM;
    }
    if (vm_first() == NULL) {
        log_error("no VM could be started");
        power_off(EXIT_NO_VM);
    }
}

_Noreturn void socle_main(const struct boot_info *boot)
{
    const char *why = "";
    status_t status;

    smp_init_boot_cpu();
    status = host_info_read(boot, &host, &why);
    must_early(status, why);
    start_memory(boot);
    start_log();
    status = arch_hv_select(&why);
    must(status, why);
    start_interrupts();
    rtc_init(&host);
    start_other_cpus();
    log_info("%s, %s, %u CPUs; %zu of %zu pages free", hv->name, irq_chip()->name, cpu_count(),
             pmm_free_count(), total_pages());
    start_vms();
    hyp_seal();
    sched_loop();
}
