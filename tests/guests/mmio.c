/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Device accesses that the hardware does not decode for a hypervisor: pairs, write-back, SIMD,
 * and data in the other byte order. The device is GICD_IPRIORITYR, plain memory to its user:
 * a byte for each interrupt, and 32-bit and byte accesses allowed.
 */
#include "tests/guests/lib/gic.h"

#define AT (GICD_BASE + GICD_IPRIORITYR + 64)
#define A 0x90a0b0c0u
#define B 0x10203040u
#define SCTLR_EE (1u << 25)

static void set(uint32_t first, uint32_t second)
{
    mmio_write32(AT, first);
    mmio_write32(AT + 4, second);
}

static void check_words(const char *name, uint32_t first, uint32_t second)
{
    check_equal(name, (uint64_t)mmio_read32(AT + 4) << 32 | mmio_read32(AT),
                (uint64_t)second << 32 | first);
}

static void pairs(void)
{
    uint64_t x, y;
    uint64_t at = AT;

    set(A, B);
    asm volatile("ldp %w0, %w1, [%2]" : "=&r"(x), "=&r"(y) : "r"(at));
    check_equal("ldp", x << 32 | y, (uint64_t)A << 32 | B);
    asm volatile("ldpsw %0, %1, [%2]" : "=&r"(x), "=&r"(y) : "r"(at));
    check_equal("ldpsw", x, (uint64_t)(int32_t)A);
    asm volatile("stp %w0, %w1, [%2]" ::"r"(B), "r"(A), "r"(at) : "memory");
    check_words("stp", B, A);
    asm volatile("ldp %w0, %w1, [%2], #8" : "=&r"(x), "=&r"(y), "+r"(at));
    check_equal("ldp_post_index", x << 32 | y, (uint64_t)B << 32 | A);
    check_equal("ldp_post_index_base", at, AT + 8);
    asm volatile("stp wzr, %w1, [%0, #-8]!" : "+r"(at) : "r"(A) : "memory");
    check_words("stp_pre_index_of_the_zero_register", 0, A);
    check_equal("stp_pre_index_base", at, AT);
}

static void write_back(void)
{
    uint64_t x;
    uint64_t at = AT;

    set(A, B);
    asm volatile("ldr %w0, [%1], #4" : "=&r"(x), "+r"(at));
    check_equal("ldr_post_index", x, A);
    check_equal("ldr_post_index_base", at, AT + 4);
    asm volatile("ldr %w0, [%1, #-4]!" : "=&r"(x), "+r"(at));
    check_equal("ldr_pre_index", x, A);
    check_equal("ldr_pre_index_base", at, AT);
    asm volatile("str %w1, [%0], #4" : "+r"(at) : "r"(B) : "memory");
    check_equal("str_post_index_base", at, AT + 4);
    asm volatile("str %w1, [%0, #-4]!" : "+r"(at) : "r"(A) : "memory");
    check_words("str_pre_index", A, B);
    asm volatile("ldrb %w0, [%1], #1" : "=&r"(x), "+r"(at));
    check_equal("ldrb_post_index", x, A & 0xff);
    asm volatile("strb %w1, [%0], #1" : "+r"(at) : "r"(0x70) : "memory");
    check_words("strb_post_index", (A & ~0xff00u) | 0x7000, B);
    at = AT;
    asm volatile("ldrsb %0, [%1], #1" : "=&r"(x), "+r"(at));
    check_equal("ldrsb_post_index", x, (uint64_t)(int8_t)A);
    at = AT;
    asm volatile("ldrsw %0, [%1], #4" : "=&r"(x), "+r"(at));
    check_equal("ldrsw_post_index", x, (uint64_t)(int32_t)((A & ~0xff00u) | 0x7000));
}

static void plain(void)
{
    uint64_t x;
    uint64_t four = 4;
    uint64_t at = AT;

    set(A, B);
    asm volatile("ldr %w0, [%1, %2]" : "=r"(x) : "r"(at), "r"(four));
    check_equal("ldr_register_offset", x, B);
    asm volatile("ldr %w0, [%1, %w2, uxtw #2]" : "=r"(x) : "r"(at), "r"(1));
    check_equal("ldr_extended_offset", x, B);
    asm volatile("ldur %w0, [%1, #-4]" : "=r"(x) : "r"(at + 8));
    check_equal("ldur", x, B);
    asm volatile("ldrsw %0, [%1]" : "=r"(x) : "r"(at));
    check_equal("ldrsw", x, (uint64_t)(int32_t)A);
    asm volatile("ldrsb %w0, [%1]" : "=r"(x) : "r"(at));
    check_equal("ldrsb_to_32_bits", x, (uint32_t)(int8_t)A);
    asm volatile("ldr wzr, [%0]" ::"r"(at));
    asm volatile("str wzr, [%0]" ::"r"(at) : "memory");
    check_words("str_of_the_zero_register", 0, B);
    asm volatile("ldar %w0, [%1]" : "=r"(x) : "r"(at + 4));
    check_equal("ldar", x, B);
    asm volatile("stlr %w0, [%1]" ::"r"(A), "r"(at) : "memory");
    check_words("stlr", A, B);
}

static void simd(void)
{
    uint64_t x, y;
    uint64_t at = AT;

    set(A, B);
    asm volatile("ldr s3, [%1]\n\tumov %w0, v3.s[0]" : "=r"(x) : "r"(at));
    check_equal("simd_ldr", x, A);
    asm volatile("ldp s4, s5, [%2]\n\tumov %w0, v4.s[0]\n\tumov %w1, v5.s[0]"
                 : "=&r"(x), "=&r"(y)
                 : "r"(at));
    check_equal("simd_ldp", x << 32 | y, (uint64_t)A << 32 | B);
    asm volatile("fmov s6, %w1\n\tstr s6, [%0], #4" : "+r"(at) : "r"(B) : "memory");
    check_words("simd_str_post_index", B, B);
    check_equal("simd_str_post_index_base", at, AT + 4);
    asm volatile("fmov s7, %w1\n\tfmov s8, %w2\n\tstp s7, s8, [%0, #-4]!"
                 : "+r"(at)
                 : "r"(A), "r"(0x50607080)
                 : "memory");
    check_words("simd_stp_pre_index", A, 0x50607080);
    asm volatile("movi v9.16b, #0xff\n\tldr b9, [%1]\n\tumov %0, v9.d[0]" : "=r"(x) : "r"(at));
    check_equal("simd_ldr_byte_clears_the_rest", x, A & 0xff);
    if (gic_version() == 3) {
        at = GICD_BASE + GICD_IROUTER + 8 * 40;
        asm volatile("fmov d1, %1\n\tstr d1, [%0]" ::"r"(at), "r"(1UL) : "memory");
        check_equal("simd_str_of_64_bits", mmio_read64(at), 1);
        asm volatile("ldr d2, [%1]\n\tfmov %0, d2" : "=r"(x) : "r"(at));
        check_equal("simd_ldr_of_64_bits", x, 1);
        asm volatile("ldr %0, [%1], #8" : "=&r"(x), "+r"(at));
        check_equal("ldr_post_index_of_64_bits", x, 1);
        mmio_write64(at - 8, 0);
    }
}

/* Between the two writes of SCTLR_EL1 only registers and the device are touched. */
static void big_endian(void)
{
    uint64_t sctlr = sysreg_read(sctlr_el1);
    uint64_t x, y;
    uint64_t at = AT;

    set(A, B);
    asm volatile("msr sctlr_el1, %3\n\tisb\n\t"
                 "ldr %w0, [%2]\n\t"
                 "ldp %w1, wzr, [%2, #4]\n\t"
                 "str %w5, [%2]\n\t"
                 "msr sctlr_el1, %4\n\tisb"
                 : "=&r"(x), "=&r"(y)
                 : "r"(at), "r"(sctlr | SCTLR_EE), "r"(sctlr), "r"(0x20304050)
                 : "memory");
    check_equal("big_endian_ldr", x, __builtin_bswap32(A));
    check_equal("big_endian_ldp", y, __builtin_bswap32(B));
    check_words("big_endian_str", __builtin_bswap32(0x20304050), B);
}

static void uart_halfwords(void)
{
    uint64_t divisor = UART_BASE + 0x24;
    uint64_t at = divisor;
    uint64_t x;

    mmio_write16(divisor, 0x1234);
    check_equal("halfword", mmio_read16(divisor), 0x1234);
    asm volatile("strh %w1, [%0], #4" : "+r"(at) : "r"(0x4321) : "memory");
    asm volatile("ldrh %w0, [%1, #-4]!" : "=&r"(x), "+r"(at));
    check_equal("halfword_write_back", x, 0x4321);
    check_equal("halfword_write_back_base", at, divisor);
}

/* Nothing is at these addresses: the CPU's own fault, and its address. */
static void nothing(void)
{
    static const uint64_t holes[] = { 0x0c000000, 0x3f000000, 0x7fff000000 };
    bool faulted = true;

    for (unsigned i = 0; i < ARRAY_SIZE(holes); i++) {
        expect_faults();
        mmio_read32(holes[i]);
        faulted = faulted && ESR_CLASS(expected_fault()) == CLASS_DATA_ABORT &&
                  fault_address() == holes[i];
        expect_faults();
        mmio_write8(holes[i] + 1, 1);
        faulted = faulted && ESR_CLASS(expected_fault()) == CLASS_DATA_ABORT &&
                  fault_address() == holes[i] + 1;
    }
    check(faulted, "access_to_nothing_is_an_abort");
}

void guest_main(void)
{
    gic_init();
    plain();
    pairs();
    write_back();
    simd();
    big_endian();
    uart_halfwords();
    if (option_given("nothing"))
        nothing();
}
