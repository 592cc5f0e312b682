/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A vCPU, its memory and its ports for tests of emulation, in place of a backend.
 *
 * Physical memory is 1 MiB that the bus reads and writes like a device; each access is noted.
 *
 *     0x01000  CODE: two pages of it      0x20000  DATA     0x40000  page tables
 */
#pragma once

#include "arch/x86/guest.h"

#define FAKE_MEMORY 0x100000u
#define FAKE_CODE 0x1000u
#define FAKE_DATA 0x20000u
#define FAKE_TABLES 0x40000u
#define FAKE_NOTES 32u

#define FAKE_DATA_SEGMENT 0x0c93 /* present, writable, 32-bit, in pages */
#define FAKE_CODE_16 0x009b
#define FAKE_CODE_32 0x0c9b
#define FAKE_CODE_64 0x0a9b

#define ENTRY_P 0x001u
#define ENTRY_W 0x002u
#define ENTRY_U 0x004u
#define ENTRY_A 0x020u
#define ENTRY_D 0x040u
#define ENTRY_PS 0x080u
#define ENTRY_NX BIT(63)

struct fake_note {
    uint64_t address;
    unsigned size;
    bool write, port;
};

struct fake_guest {
    struct hv_vcpu vcpu;
    uint64_t reg[REG_COUNT];
    struct x86_segment_state segment[SEG_COUNT];
    int vector; /* injected; -1: none */
    int64_t error;
    uint64_t fault_address;
    unsigned retired;
    uint64_t met;           /* by the last of them */
    uint64_t breakpoint[4]; /* DR0 to DR3 */
    bool delivering;
    uint64_t xmm[16][2];
    uint8_t memory[FAKE_MEMORY] __attribute__((aligned(4096)));
    struct fake_note note[FAKE_NOTES]; /* the first accesses on the bus */
    unsigned accesses;
    unsigned fail_at;     /* this access and later ones fail with ERR_NOT_FOUND; 0: none */
    unsigned table_reads; /* 4 or 8 bytes by read_memory */
    unsigned lost_races;  /* so many exchanges find something else */
    uint64_t port_value;  /* what ports give, one more each time; what they last took */
    uint64_t next_table;
};

extern struct fake_guest guest;
extern const struct hv_bus fake_bus;

/* In each mode: RIP at CODE, flat segments, no paging but in long mode. */
void fake_real_mode(void);
void fake_protected_mode(unsigned bits);
void fake_long_mode(void);

/* 8-byte entries in four levels from CR3; intermediate entries have all rights. */
void fake_map(uint64_t linear, uint64_t physical, uint64_t bits);
uint64_t *fake_entry(uint64_t linear); /* the last level's */

void fake_code(const void *bytes, size_t count);
uint64_t fake_memory(uint64_t address, unsigned size);
void fake_store(uint64_t address, unsigned size, uint64_t value);
