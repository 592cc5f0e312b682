/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Panic: one CPU speaks, every other one is stopped, and the machine goes off. A CPU that
 * panics while another already does stops quietly; a panic inside a panic (the sink or the
 * power driver failed) skips what has been tried.
 */

#include "kernel/panic.h"

#include "arch/boot.h"
#include "arch/smp.h"
#include "kernel/lib/format.h"
#include "kernel/log.h"
#include "kernel/smp.h"

#include <inttypes.h>
#include <stdarg.h>

#define NOBODY UINT64_MAX
#define EXIT_FAILURE_STATUS 1

static uint64_t panicking_cpu = NOBODY; /* hwid */
static unsigned depth;                  /* of panics on that CPU */
static void (*power_off_hook)(int status);

void panic_set_power_off(void (*power_off)(int status))
{
    power_off_hook = power_off;
}

/* True for the first CPU that comes, each time it comes. */
static bool is_speaker(void)
{
    uint64_t me = arch_cpu_hwid();
    uint64_t holder = NOBODY;

    return __atomic_compare_exchange_n(&panicking_cpu, &holder, me, false, __ATOMIC_ACQ_REL,
                                       __ATOMIC_ACQUIRE) ||
           holder == me;
}

void panic(const char *format, ...)
{
    char text[LOG_LINE_MAX];
    va_list args;

    if (!is_speaker())
        arch_cpu_stop();

    depth++;
    if (depth == 1) {
        va_start(args, format);
        format_text(text, sizeof(text), format, args);
        va_end(args);
        log_last_words("panic: %s", text);
        smp_stop_others();
    }
    if (depth <= 2 && power_off_hook)
        power_off_hook(EXIT_FAILURE_STATUS);
    arch_cpu_stop();
}

void socle_exception(const char *what, uint64_t syndrome, uint64_t pc, uint64_t address)
{
    panic("%s in the hypervisor: syndrome %#" PRIx64 ", pc %#" PRIx64 ", address %#" PRIx64, what,
          syndrome, pc, address);
}
