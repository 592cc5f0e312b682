/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Spinlocks. The hypervisor runs with host interrupts masked from a guest's exit to its next
 * entry, so a lock needs no interrupt-saving variant. A lock's place in the order is stated
 * where it is declared.
 */
#pragma once

#include <arch/cpu.h>

#include "arch/bits.h"

typedef struct spinlock {
    uint32_t held;
} spinlock_t;

#define SPINLOCK_INIT \
    {                 \
        0             \
    }

static inline void spin_lock(spinlock_t *lock)
{
    while (__atomic_exchange_n(&lock->held, 1, __ATOMIC_ACQUIRE) != 0)
        while (__atomic_load_n(&lock->held, __ATOMIC_RELAXED) != 0)
            cpu_relax();
}

static inline bool spin_trylock(spinlock_t *lock)
{
    return __atomic_exchange_n(&lock->held, 1, __ATOMIC_ACQUIRE) == 0;
}

static inline void spin_unlock(spinlock_t *lock)
{
    __atomic_store_n(&lock->held, 0, __ATOMIC_RELEASE);
}
