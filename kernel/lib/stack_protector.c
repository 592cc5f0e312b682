/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What code compiled with -fstack-protector expects of its surroundings: libfdt comes so
 * from its package, on architectures where the guard is a global symbol.
 */

#include <stdint.h>

#include "kernel/panic.h"

extern const uintptr_t __stack_chk_guard;
_Noreturn void __stack_chk_fail(void);

/* Contains a zero byte, a newline and 0xff: string functions do not write over it and go on. */
const uintptr_t __stack_chk_guard = (uintptr_t)0x000aff0d5a6e94c3ULL;

_Noreturn void __stack_chk_fail(void)
{
    panic("stack smashed: the guard of a stack frame was overwritten");
}
