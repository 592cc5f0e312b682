/* SPDX-License-Identifier: BSD-2-Clause */
/* Device registers: one access each, in program order. */
#pragma once

#include <stdint.h>

#define IO_READ(bits, insn)                                              \
    static inline uint##bits##_t io_read##bits(const volatile void *reg) \
    {                                                                    \
        uint##bits##_t value;                                            \
        __asm__ volatile(insn                                            \
                         : "=r"(value)                                   \
                         : "Q"(*(const volatile uint##bits##_t *)reg)    \
                         : "memory");                                    \
        return value;                                                    \
    }
#define IO_WRITE(bits, insn)                                                                    \
    static inline void io_write##bits(volatile void *reg, uint##bits##_t value)                 \
    {                                                                                           \
        __asm__ volatile(insn : "=Q"(*(volatile uint##bits##_t *)reg) : "r"(value) : "memory"); \
    }

IO_READ(8, "ldrb %w0, %1")
IO_READ(16, "ldrh %w0, %1")
IO_READ(32, "ldr %w0, %1")
IO_READ(64, "ldr %x0, %1")
IO_WRITE(8, "strb %w1, %0")
IO_WRITE(16, "strh %w1, %0")
IO_WRITE(32, "str %w1, %0")
IO_WRITE(64, "str %x1, %0")
