/* SPDX-License-Identifier: BSD-2-Clause */
/* The decoder: what each part of an encoding means, and what is no instruction. */
#include "arch/x86/emulate/insn.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#define M16 INSN_MODE_16
#define M32 INSN_MODE_32
#define M64 INSN_MODE_64
#define NO INSN_NONE

static const struct {
    const char *text;
    enum insn_mode mode;
    uint8_t bytes[INSN_MAX_BYTES];
    struct insn want;
} encodings[] = {
    /* clang-format off */
    { "mov %eax,(%rbx)", M64, { 0x89, 0x03 },
      { .length = 2, .op = INSN_MOV, .form = FORM_RM_REG, .size = 4, .memory_size = 4,
        .address_size = 8, .segment = SEG_DS, .base = GPR_RBX, .index = NO, .memory = true } },
    { "mov 0x80(%r12,%r9,8),%r10b", M64, { 0x47, 0x8a, 0x94, 0xcc, 0x80, 0, 0, 0 },
      { .length = 8, .op = INSN_MOV, .form = FORM_REG_RM, .size = 1, .memory_size = 1,
        .address_size = 8, .segment = SEG_DS, .reg = 10, .base = 12, .index = 9, .scale = 3,
        .memory = true, .rex = true, .displacement = 0x80 } },
    { "mov %ax,-2(%rip)", M64, { 0x66, 0x89, 0x05, 0xfe, 0xff, 0xff, 0xff },
      { .length = 7, .op = INSN_MOV, .form = FORM_RM_REG, .size = 2, .memory_size = 2,
        .address_size = 8, .segment = SEG_DS, .base = INSN_RIP, .index = NO, .memory = true,
        .displacement = -2 } },
    { "movq $-1,%gs:0x30", M64,
      { 0x65, 0x48, 0xc7, 0x04, 0x25, 0x30, 0, 0, 0, 0xff, 0xff, 0xff, 0xff },
      { .length = 13, .op = INSN_MOV, .form = FORM_RM_IMM, .size = 8, .memory_size = 8,
        .address_size = 8, .segment = SEG_GS, .base = NO, .index = NO, .memory = true,
        .rex = true, .displacement = 0x30, .immediate = ~0ULL } },
    { "movabs 0xfee00020fee00020,%eax", M64,
      { 0xa1, 0x20, 0, 0xe0, 0xfe, 0x20, 0, 0xe0, 0xfe },
      { .length = 9, .op = INSN_MOV, .form = FORM_A_OFFSET, .size = 4, .memory_size = 4,
        .address_size = 8, .segment = SEG_DS, .base = NO, .index = NO, .memory = true,
        .displacement = (int64_t)0xfee00020fee00020 } },
    { "mov %al,0xfee00020", M32, { 0xa2, 0x20, 0, 0xe0, 0xfe },
      { .length = 5, .op = INSN_MOV, .form = FORM_OFFSET_A, .size = 1, .memory_size = 1,
        .address_size = 4, .segment = SEG_DS, .base = NO, .index = NO, .memory = true,
        .displacement = 0xfee00020 } },
    { "mov %es:(%bx,%si),%ax", M16, { 0x26, 0x8b, 0x00 },
      { .length = 3, .op = INSN_MOV, .form = FORM_REG_RM, .size = 2, .memory_size = 2,
        .address_size = 2, .segment = SEG_ES, .base = GPR_RBX, .index = GPR_RSI,
        .memory = true } },
    { "mov -1(%bp),%cl", M16, { 0x8a, 0x4e, 0xff },
      { .length = 3, .op = INSN_MOV, .form = FORM_REG_RM, .size = 1, .memory_size = 1,
        .address_size = 2, .segment = SEG_SS, .reg = GPR_RCX, .base = GPR_RBP, .index = NO,
        .memory = true, .displacement = -1 } },
    { "movl $0x12345678,0x1234", M16, { 0x66, 0xc7, 0x06, 0x34, 0x12, 0x78, 0x56, 0x34, 0x12 },
      { .length = 9, .op = INSN_MOV, .form = FORM_RM_IMM, .size = 4, .memory_size = 4,
        .address_size = 2, .segment = SEG_DS, .base = NO, .index = NO, .memory = true,
        .displacement = 0x1234, .immediate = 0x12345678 } },
    { "mov 0x4(%esp),%eax", M16, { 0x66, 0x67, 0x8b, 0x44, 0x24, 0x04 },
      { .length = 6, .op = INSN_MOV, .form = FORM_REG_RM, .size = 4, .memory_size = 4,
        .address_size = 4, .segment = SEG_SS, .base = GPR_RSP, .index = NO, .memory = true,
        .displacement = 4 } },
    { "movzbl (%ecx),%edx", M32, { 0x0f, 0xb6, 0x11 },
      { .length = 3, .op = INSN_MOVZX, .form = FORM_REG_RM, .size = 4, .memory_size = 1,
        .address_size = 4, .segment = SEG_DS, .reg = GPR_RDX, .base = GPR_RCX, .index = NO,
        .memory = true } },
    { "movswq (%rax),%r15", M64, { 0x4c, 0x0f, 0xbf, 0x38 },
      { .length = 4, .op = INSN_MOVSX, .form = FORM_REG_RM, .size = 8, .memory_size = 2,
        .address_size = 8, .segment = SEG_DS, .reg = 15, .base = GPR_RAX, .index = NO,
        .memory = true, .rex = true } },
    { "movslq (%rax),%rcx", M64, { 0x48, 0x63, 0x08 },
      { .length = 3, .op = INSN_MOVSX, .form = FORM_REG_RM, .size = 8, .memory_size = 4,
        .address_size = 8, .segment = SEG_DS, .reg = GPR_RCX, .base = GPR_RAX, .index = NO,
        .memory = true, .rex = true } },
    { "movbe %eax,(%rdi)", M64, { 0x0f, 0x38, 0xf1, 0x07 },
      { .length = 4, .op = INSN_MOVBE, .form = FORM_RM_REG, .size = 4, .memory_size = 4,
        .address_size = 8, .segment = SEG_DS, .base = GPR_RDI, .index = NO, .memory = true } },
    { "lock addl $-1,0x10(%ebp)", M32, { 0xf0, 0x83, 0x45, 0x10, 0xff },
      { .length = 5, .op = INSN_ADD, .form = FORM_RM_IMM, .size = 4, .memory_size = 4,
        .address_size = 4, .segment = SEG_SS, .base = GPR_RBP, .index = NO, .memory = true,
        .lock = true, .displacement = 0x10, .immediate = ~0ULL } },
    { "testw $0x8000,(%rsi)", M64, { 0x66, 0xf7, 0x06, 0x00, 0x80 },
      { .length = 5, .op = INSN_TEST, .form = FORM_RM_IMM, .size = 2, .memory_size = 2,
        .address_size = 8, .segment = SEG_DS, .base = GPR_RSI, .index = NO, .memory = true,
        .immediate = 0xffffffffffff8000 } },
    { "notl (%rsi)", M64, { 0xf7, 0x16 },
      { .length = 2, .op = INSN_NOT, .form = FORM_RM_IMM, .size = 4, .memory_size = 4,
        .reg = 2, .address_size = 8, .segment = SEG_DS, .base = GPR_RSI, .index = NO,
        .memory = true } },
    { "btsl $31,(%rsi)", M64, { 0x0f, 0xba, 0x2e, 0x1f },
      { .length = 4, .op = INSN_BTS, .form = FORM_RM_IMM, .size = 4, .memory_size = 4,
        .reg = 5, .address_size = 8, .segment = SEG_DS, .base = GPR_RSI, .index = NO,
        .memory = true, .immediate = 31 } },
    { "shll $3,(%rsi)", M64, { 0xc1, 0x26, 0x03 },
      { .length = 3, .op = INSN_SHL, .form = FORM_RM_IMM, .size = 4, .memory_size = 4, .reg = 4,
        .address_size = 8, .segment = SEG_DS, .base = GPR_RSI, .index = NO, .memory = true,
        .immediate = 3 } },
    { "rorb %cl,(%bx)", M16, { 0xd2, 0x0f },
      { .length = 2, .op = INSN_ROR, .form = FORM_RM_CL, .size = 1, .memory_size = 1, .reg = 1,
        .address_size = 2, .segment = SEG_DS, .base = GPR_RBX, .index = NO, .memory = true } },
    { "sarw (%ecx)", M32, { 0x66, 0xd1, 0x39 },
      { .length = 3, .op = INSN_SAR, .form = FORM_RM_1, .size = 2, .memory_size = 2, .reg = 7,
        .address_size = 4, .segment = SEG_DS, .base = GPR_RCX, .index = NO, .memory = true } },
    { "imul $-2,(%rcx),%r9", M64, { 0x4c, 0x6b, 0x09, 0xfe },
      { .length = 4, .op = INSN_IMUL, .form = FORM_REG_RM_IMM, .size = 8, .memory_size = 8,
        .reg = 9, .address_size = 8, .segment = SEG_DS, .base = GPR_RCX, .index = NO,
        .memory = true, .rex = true, .immediate = ~1ULL } },
    { "lock cmpxchg16b (%rdi)", M64, { 0xf0, 0x48, 0x0f, 0xc7, 0x0f },
      { .length = 5, .op = INSN_CMPXCHG_PAIR, .form = FORM_RM, .size = 8, .memory_size = 16,
        .reg = 1, .address_size = 8, .segment = SEG_DS, .base = GPR_RDI, .index = NO,
        .memory = true, .lock = true, .rex = true } },
    { "xsavec (%rdi)", M64, { 0x0f, 0xc7, 0x27 },
      { .length = 3, .op = INSN_OTHER, .form = FORM_RM, .size = 4, .memory_size = 4, .reg = 4,
        .address_size = 8, .segment = SEG_DS, .base = GPR_RDI, .index = NO, .memory = true } },
    { "movntdq %xmm9,(%rdi)", M64, { 0x66, 0x44, 0x0f, 0xe7, 0x0f },
      { .length = 5, .op = INSN_MOVE_XMM, .form = FORM_RM_REG, .size = 2, .memory_size = 16,
        .reg = 9, .address_size = 8, .segment = SEG_DS, .base = GPR_RDI, .index = NO,
        .memory = true, .rex = true, .xmm = XMM_ALIGNED } },
    { "movhps (%eax),%xmm1", M32, { 0x0f, 0x16, 0x08 },
      { .length = 3, .op = INSN_MOVE_XMM, .form = FORM_REG_RM, .size = 4, .memory_size = 8,
        .reg = 1, .address_size = 4, .segment = SEG_DS, .base = GPR_RAX, .index = NO,
        .memory = true, .xmm = XMM_HIGH | XMM_KEEPS } },
    { "movlhps %xmm0,%xmm1, of registers", M64, { 0x0f, 0x16, 0xc8 },
      { .length = 3, .op = INSN_MOVE_XMM, .form = FORM_REG_RM, .size = 4, .memory_size = 8,
        .reg = 1, .address_size = 8, .segment = SEG_DS, .base = NO, .index = NO,
        .xmm = XMM_HIGH | XMM_KEEPS } },
    { "pushq (%rax)", M64, { 0xff, 0x30 },
      { .length = 2, .op = INSN_PUSH, .form = FORM_RM, .size = 8, .memory_size = 8,
        .reg = 6, .address_size = 8, .segment = SEG_DS, .base = GPR_RAX, .index = NO,
        .memory = true } },
    { "rep movsq %fs:(%rsi),(%rdi)", M64, { 0xf3, 0x64, 0x48, 0xa5 },
      { .length = 4, .op = INSN_MOVS, .form = FORM_STRING, .size = 8, .memory_size = 8,
        .address_size = 8, .repeat = REPEAT_F3, .segment = SEG_FS, .base = NO, .index = NO,
        .rex = true } },
    { "rep insw", M16, { 0xf3, 0x6d },
      { .length = 2, .op = INSN_INS, .form = FORM_STRING, .size = 2, .memory_size = 2,
        .address_size = 2, .repeat = REPEAT_F3, .segment = SEG_DS, .base = NO, .index = NO } },
    { "mov %r8,%cr4", M64, { 0x41, 0x0f, 0x22, 0xe0 },
      { .length = 4, .op = INSN_MOV_TO_CR, .form = FORM_RM, .size = 8, .memory_size = 8,
        .address_size = 8, .segment = SEG_DS, .reg = 4, .rm = 8, .base = NO, .index = NO,
        .rex = true } },
    { "mov %cr0,%eax, whatever its mod says", M32, { 0x0f, 0x20, 0x00 },
      { .length = 3, .op = INSN_MOV_FROM_CR, .form = FORM_RM, .size = 4, .memory_size = 4,
        .address_size = 4, .segment = SEG_DS, .base = NO, .index = NO } },
    { "invlpg (%rdi)", M64, { 0x0f, 0x01, 0x3f },
      { .length = 3, .op = INSN_INVLPG, .form = FORM_RM, .size = 4, .memory_size = 4,
        .reg = 7, .address_size = 8, .segment = SEG_DS, .base = GPR_RDI, .index = NO,
        .memory = true } },
    { "lmsw %cx", M16, { 0x0f, 0x01, 0xf1 },
      { .length = 3, .op = INSN_LMSW, .form = FORM_RM, .size = 2, .memory_size = 2, .reg = 6,
        .rm = GPR_RCX, .address_size = 2, .segment = SEG_DS, .base = NO, .index = NO } },
    { "swapgs", M64, { 0x0f, 0x01, 0xf8 },
      { .length = 3, .op = INSN_OTHER, .form = FORM_RM, .size = 4, .memory_size = 4, .reg = 7,
        .address_size = 8, .segment = SEG_DS, .base = NO, .index = NO } },
    { "a REX that is not the last prefix counts for nothing", M64, { 0x48, 0x66, 0x89, 0x03 },
      { .length = 4, .op = INSN_MOV, .form = FORM_RM_REG, .size = 2, .memory_size = 2,
        .address_size = 8, .segment = SEG_DS, .base = GPR_RBX, .index = NO, .memory = true } },
    { "a CS override counts for nothing in 64-bit mode", M64, { 0x2e, 0x89, 0x45, 0x00 },
      { .length = 4, .op = INSN_MOV, .form = FORM_RM_REG, .size = 4, .memory_size = 4,
        .address_size = 8, .segment = SEG_SS, .base = GPR_RBP, .index = NO, .memory = true } },
    /* clang-format on */
};

static void encodings_mean_what_they_say(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(encodings); i++) {
        struct insn got, want = encodings[i].want;
        status_t status = insn_decode(encodings[i].bytes, INSN_MAX_BYTES, encodings[i].mode, &got);

        want.opcode = got.opcode;
        if (status != OK || memcmp(&got, &want, sizeof(got)) != 0)
            print_error("%s: status %d length %u op %u form %u\n", encodings[i].text, status,
                        got.length, got.op, got.form);
        assert_int_equal(status, OK);
        assert_memory_equal(&got, &want, sizeof(got));
    }
}

static status_t decode(enum insn_mode mode, const char *bytes, size_t count)
{
    struct insn insn;

    return insn_decode((const uint8_t *)bytes, count, mode, &insn);
}

static void what_does_not_exist_in_64_bit_mode_is_refused(void **state)
{
    static const uint8_t opcodes[] = { 0x06, 0x07, 0x0e, 0x16, 0x17, 0x1e, 0x1f, 0x27, 0x2f, 0x37,
                                       0x3f, 0x60, 0x61, 0x82, 0x9a, 0xce, 0xd4, 0xd5, 0xd6, 0xea };

    (void)state;
    for (size_t i = 0; i < sizeof(opcodes); i++) {
        const uint8_t bytes[INSN_MAX_BYTES] = { opcodes[i] };
        struct insn insn;

        assert_int_equal(insn_decode(bytes, sizeof(bytes), M64, &insn), ERR_UNSUPPORTED);
        assert_int_equal(insn_decode(bytes, sizeof(bytes), M32, &insn), OK);
    }
}

static void more_than_15_bytes_are_refused(void **state)
{
    (void)state;
    assert_int_equal(decode(M64, "ffffffffffffff\x89\x05", 4), ERR_NOT_FOUND); /* 'f': 66 */
    assert_int_equal(decode(M64, "fffffffffffff\x89\x03____", 19), OK);
    assert_int_equal(decode(M64, "ffffffffffffff\x89\x03____", 19), ERR_INVALID_ARGS);
    assert_int_equal(decode(M64, "fffffffffffffffffffffffff", 25), ERR_INVALID_ARGS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(encodings_mean_what_they_say),
        cmocka_unit_test(what_does_not_exist_in_64_bit_mode_is_refused),
        cmocka_unit_test(more_than_15_bytes_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
