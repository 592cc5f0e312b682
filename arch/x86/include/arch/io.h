/* SPDX-License-Identifier: BSD-2-Clause */
/* Device registers and ports: one access each, in program order. */
#pragma once

#include <stdint.h>

#define IO_MEMORY(bits, suffix, reg_class)                                      \
    static inline uint##bits##_t io_read##bits(const volatile void *reg)        \
    {                                                                           \
        uint##bits##_t value;                                                   \
        __asm__ volatile("mov" suffix " %1, %0"                                 \
                         : "=" reg_class(value)                                 \
                         : "m"(*(const volatile uint##bits##_t *)reg)           \
                         : "memory");                                           \
        return value;                                                           \
    }                                                                           \
    static inline void io_write##bits(volatile void *reg, uint##bits##_t value) \
    {                                                                           \
        __asm__ volatile("mov" suffix " %1, %0"                                 \
                         : "=m"(*(volatile uint##bits##_t *)reg)                \
                         : reg_class(value)                                     \
                         : "memory");                                           \
    }

IO_MEMORY(8, "b", "q")
IO_MEMORY(16, "w", "r")
IO_MEMORY(32, "l", "r")
IO_MEMORY(64, "q", "r")
#undef IO_MEMORY

#define IO_PORT(bits, suffix)                                                           \
    static inline uint##bits##_t port_read##bits(uint16_t port)                         \
    {                                                                                   \
        uint##bits##_t value;                                                           \
        __asm__ volatile("in" suffix " %1, %0" : "=a"(value) : "Nd"(port) : "memory");  \
        return value;                                                                   \
    }                                                                                   \
    static inline void port_write##bits(uint16_t port, uint##bits##_t value)            \
    {                                                                                   \
        __asm__ volatile("out" suffix " %0, %1" : : "a"(value), "Nd"(port) : "memory"); \
    }

IO_PORT(8, "b")
IO_PORT(16, "w")
IO_PORT(32, "l")
#undef IO_PORT
