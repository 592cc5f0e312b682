/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Emulated accesses: a guest whose virtual pages, memory and SIMD registers are this file's.
 * Include once.
 *
 *     virtual CODE  -> physical CODE_PAGE    the instruction, read by read_memory
 *     virtual DATA  -> physical DATA_PAGE    the bus: two pages of bytes
 *     DATA + 4 KiB  -> physical FAR_PAGE     not adjacent to the first
 */
#pragma once

#include "arch/arm64/emulate.h"

#include <arch/cpu.h>
#include <arch/finish.h>
#include <arch/vcpu.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "arch/arm64/at.h"
#include "arch/arm64/fpreg.h"
#include "arch/arm64/syndrome.h"

#define CODE 0xffff800010001000u
#define DATA 0xffff800020000000u
#define CODE_PAGE 0x40001000u
#define DATA_PAGE 0x0a000000u
#define FAR_PAGE 0x0b004000u
#define VBAR 0xffff800030000000u
#define DATA_LENGTH 0x2000u

static struct {
    struct hv_vcpu vcpu;
    uint8_t simd[32][16];
    uint32_t instruction;
    uint8_t memory[DATA_LENGTH];
    unsigned accesses;        /* on the bus */
    uint8_t sizes[64];        /* of each */
    unsigned fail_at;         /* this access and later ones fail; 0: none */
    bool unmapped[3];         /* code, first and second data page */
    bool stage2;              /* what is unmapped faults at stage 2 */
    unsigned translations[4]; /* by enum arm64_at, of data */
} guest;

static const uint64_t pages[] = { CODE_PAGE, DATA_PAGE, FAR_PAGE };

uint64_t arm64_at(enum arm64_at kind, uint64_t va)
{
    unsigned page = va - DATA < DATA_LENGTH ? 1 + (unsigned)(va - DATA) / 0x1000 : 0;
    bool elsewhere = page == 0 && va - CODE >= 0x1000;

    if (page != 0)
        guest.translations[kind]++;
    if (elsewhere || guest.unmapped[page])
        return PAR_F | FIELD_PREP(PAR_FST, 0x07) | (guest.stage2 ? PAR_S : 0);
    return pages[page];
}

void arm64_fpreg_get(unsigned n, uint8_t to[16])
{
    memcpy(to, guest.simd[n], 16);
}

void arm64_fpreg_set(unsigned n, const uint8_t from[16])
{
    memcpy(guest.simd[n], from, 16);
}

/* Where an access of the bus is in guest.memory. */
static status_t bus_access(gpa_t address, unsigned size, uint8_t **at)
{
    uint64_t offset = address.raw & 0xfff;

    assert_true(size == 1 || size == 2 || size == 4 || size == 8);
    assert_int_equal(address.raw % size, 0);
    guest.sizes[guest.accesses % sizeof(guest.sizes)] = (uint8_t)size;
    if (++guest.accesses == guest.fail_at)
        return ERR_NOT_FOUND;
    if (address.raw - offset == CODE_PAGE)
        return ERR_NOT_FOUND;
    *at = guest.memory + offset + (address.raw - offset == FAR_PAGE ? 0x1000 : 0);
    return OK;
}

static status_t bus_read(void *context, gpa_t address, unsigned size, uint64_t *value)
{
    uint8_t *at = NULL;
    status_t status = bus_access(address, size, &at);

    (void)context;
    if (status == OK)
        memcpy(value, at, size);
    return status;
}

static status_t bus_write(void *context, gpa_t address, unsigned size, uint64_t value)
{
    uint8_t *at = NULL;
    status_t status = bus_access(address, size, &at);

    (void)context;
    if (status == OK)
        memcpy(at, &value, size);
    return status;
}

static status_t bus_read_memory(void *context, gpa_t address, void *to, size_t bytes)
{
    (void)context;
    assert_int_equal(bytes, 4);
    assert_int_equal(address.raw, CODE_PAGE + (guest.vcpu.pc & 0xfff));
    memcpy(to, &guest.instruction, bytes);
    return OK;
}

static const struct hv_bus bus = {
    .read = bus_read,
    .write = bus_write,
    .read_memory = bus_read_memory,
};

static inline int set_up(void **state)
{
    (void)state;
    memset(&guest, 0, sizeof(guest));
    fake_sysreg_reset();
    sysreg_write(vbar_el1, VBAR);
    guest.vcpu.pc = CODE + 0x10;
    guest.vcpu.pstate = PSTATE_EL1H;
    for (unsigned i = 0; i < 31; i++)
        guest.vcpu.x[i] = 0x1010101010101010 + i;
    for (unsigned i = 0; i < DATA_LENGTH; i++)
        guest.memory[i] = (uint8_t)(i ^ (i >> 8));
    for (unsigned i = 0; i < 32; i++)
        memset(guest.simd[i], (int)(0x80 + i), 16);
    return 0;
}

static inline status_t emulate(uint32_t instruction)
{
    static const struct vm_exit exit = { .reason = VM_EXIT_MEMORY };

    guest.instruction = instruction;
    return arm64_emulate(&guest.vcpu, &exit, &bus);
}

static inline void assert_done(void)
{
    assert_int_equal(guest.vcpu.pc, CODE + 0x14);
}

static inline uint64_t memory_at(unsigned offset)
{
    uint64_t value;

    memcpy(&value, guest.memory + offset, sizeof(value));
    return value;
}

#define LDP_X1_X2_X3_16 0xa9410861       /* ldp x1, x2, [x3, #16] */
#define STP_X1_XZR_SP_PRE_16 0xa9bf7fe1  /* stp x1, xzr, [sp, #-16]! */
#define LDPSW_X1_X2_X3_PRE_4 0x69c08861  /* ldpsw x1, x2, [x3, #4]! */
#define LDRSB_W1_X2_POST_1 0x38c01441    /* ldrsb w1, [x2], #1 */
#define LDRSH_X1_X2_POST_2 0x78802441    /* ldrsh x1, [x2], #2 */
#define LDR_X1_X2_W3_SXTW_3 0xf863d841   /* ldr x1, [x2, w3, sxtw #3] */
#define LDR_Q1_X2 0x3dc00041             /* ldr q1, [x2] */
#define STR_Q1_X2_POST_16 0x3c810441     /* str q1, [x2], #16 */
#define LDR_S1_X2 0xbd400041             /* ldr s1, [x2] */
#define STR_X1_X2_POST_8 0xf8008441      /* str x1, [x2], #8 */
#define LDP_W1_W2_X3 0x29400861          /* ldp w1, w2, [x3] */
#define LD1_V1_S_3_X2 0x4d409041         /* ld1 {v1.s}[3], [x2] */
#define LD2_V1_V2_8H_X2 0x4c408441       /* ld2 {v1.8h, v2.8h}, [x2] */
#define LD1R_V1_4H_X2_POST 0x0ddfc441    /* ld1r {v1.4h}, [x2], #2 */
#define ST4_V1_16B_X2_POST_X5 0x4c850041 /* st4 {v1.16b - v4.16b}, [x2], x5 */
#define LDTR_W1_X2 0xb8400841            /* ldtr w1, [x2] */
#define LDXR_X1_X2 0xc85f7c41            /* ldxr x1, [x2] */
