/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Loads and stores of device memory in the forms that compilers and kernels use, each against
 * the same on plain memory: the VGA text page takes and gives any bytes.
 */
#include "tests/guests/x86/lib/guest.h"

#define VGA 0xb8000UL
#define BYTES 64

static uint8_t memory[BYTES] __attribute__((aligned(64)));

struct registers {
    uint64_t rax, rbx, rcx, rdx, flags;
};

/* A form works on what `at` points to, with rax to rdx and the arithmetic flags. */
#define FORM(name, code)                                                                       \
    static void name(uint64_t at, struct registers *r)                                         \
    {                                                                                          \
        asm volatile("pushq %4\n\tpopfq\n\t" code "\n\tpushfq\n\tpopq %4"                      \
                     : "+a"(r->rax), "+b"(r->rbx), "+c"(r->rcx), "+d"(r->rdx), "+r"(r->flags), \
                       "+D"(at)                                                                \
                     : "S"(at + 32)                                                            \
                     : "memory", "cc", "r8");                                                  \
    }

/* clang-format off */
#define FORMS(form)                                     \
    form(load8, "movb (%%rdi), %%al")                   \
    form(load_high, "movb 3(%%rdi), %%ah")              \
    form(load16, "movw 2(%%rdi), %%ax")                 \
    form(load32, "movl 4(%%rdi), %%eax")                \
    form(load64, "movq 8(%%rdi), %%rax")                \
    form(load_unaligned, "movl 5(%%rdi), %%ebx")        \
    form(load_indexed, "andl $7, %%ecx\n\tmovl 4(%%rdi, %%rcx, 4), %%edx") \
    form(zero_extend8, "movzbl (%%rdi), %%eax")         \
    form(zero_extend16, "movzwq 2(%%rdi), %%rbx")       \
    form(sign_extend8, "movsbq 1(%%rdi), %%rcx")        \
    form(sign_extend16, "movswl 2(%%rdi), %%edx")       \
    form(sign_extend32, "movslq 4(%%rdi), %%rax")       \
    form(store8, "movb %%al, (%%rdi)")                  \
    form(store_high, "movb %%bh, 1(%%rdi)")             \
    form(store16, "movw %%cx, 2(%%rdi)")                \
    form(store32, "movl %%edx, 4(%%rdi)")               \
    form(store64, "movq %%rax, 8(%%rdi)")               \
    form(store_immediate8, "movb $0x5a, (%%rdi)")       \
    form(store_immediate16, "movw $0x1234, 2(%%rdi)")   \
    form(store_immediate32, "movl $0x12345678, 4(%%rdi)") \
    form(store_immediate64, "movq $-2, 8(%%rdi)")       \
    form(store_absolute, "movl %%eax, 16(%%rdi)")       \
    form(exchange, "xchgl %%eax, (%%rdi)")              \
    form(exchange8, "xchgb %%al, 1(%%rdi)")             \
    form(compare_exchange, "movl (%%rdi), %%eax\n\tlock cmpxchgl %%ebx, (%%rdi)") \
    form(compare_exchange_fails, "lock cmpxchgl %%ebx, (%%rdi)") \
    form(exchange_add, "lock xaddl %%ecx, (%%rdi)")     \
    form(add_to, "addl %%eax, (%%rdi)")                 \
    form(add_from, "addq 8(%%rdi), %%rax")              \
    form(add_with_carry, "stc\n\tadcw %%ax, 2(%%rdi)")  \
    form(subtract, "subb %%al, (%%rdi)")                \
    form(subtract_from, "sbbl 4(%%rdi), %%ecx")         \
    form(and_immediate, "andl $0xff00ff, (%%rdi)")      \
    form(or_immediate, "orb $0x81, (%%rdi)")            \
    form(or_sign_extended, "orl $-16, 4(%%rdi)")        \
    form(xor_to, "xorw %%dx, (%%rdi)")                  \
    form(compare, "cmpl %%eax, (%%rdi)")                \
    form(compare_immediate, "cmpb $0x7f, (%%rdi)")      \
    form(test, "testl %%ebx, (%%rdi)")                  \
    form(test_immediate, "testb $1, (%%rdi)")           \
    form(increment, "incl (%%rdi)")                     \
    form(decrement, "decb (%%rdi)")                     \
    form(invert, "notl (%%rdi)")                        \
    form(negate, "negw (%%rdi)")                        \
    form(test_bit, "btl $5, (%%rdi)")                   \
    form(set_bit, "lock btsl $7, (%%rdi)")              \
    form(clear_bit, "btrl $3, (%%rdi)")                 \
    form(shift_left, "shll $3, (%%rdi)")                \
    form(shift_right, "movb $5, %%cl\n\tsarw %%cl, 2(%%rdi)") \
    form(rotate_through_carry, "stc\n\trclq 8(%%rdi)")  \
    form(multiply, "imull 4(%%rdi), %%ebx")             \
    form(move_if, "testb $1, (%%rdi)\n\tcmovzl 4(%%rdi), %%edx") \
    form(set_if, "testb $1, (%%rdi)\n\tsetnz 3(%%rdi)") \
    form(compare_exchange_8, "lock cmpxchg8b 8(%%rdi)") \
    form(compare_exchange_16, "movq 16(%%rdi), %%rax\n\tmovq 24(%%rdi), %%rdx\n\tlock cmpxchg16b 16(%%rdi)") \
    form(load_xmm, "movups 3(%%rdi), %%xmm3\n\tmovq %%xmm3, %%rax\n\tpsrldq $8, %%xmm3\n\tmovq %%xmm3, %%rbx") \
    form(store_xmm, "movq %%rax, %%xmm9\n\tmovq %%rbx, %%xmm2\n\tpunpcklqdq %%xmm2, %%xmm9\n\tmovdqu %%xmm9, 5(%%rdi)\n\tmovntdq %%xmm9, 32(%%rdi)") \
    form(move_quarter_xmm, "movss 4(%%rdi), %%xmm1\n\tmovd %%xmm1, 8(%%rdi)\n\tmovhps 16(%%rdi), %%xmm1\n\tmovaps %%xmm1, 32(%%rdi)") \
    form(load_string, "movq %%rdi, %%r8\n\txchgq %%rsi, %%r8\n\tlodsl\n\txchgq %%rsi, %%r8") \
    form(store_string, "movl $3, %%ecx\n\trep stosl")   \
    form(move_string, "movl $5, %%ecx\n\trep movsb\n\tsubq $5, %%rsi") \
    form(move_words_down, "std\n\tmovl $3, %%ecx\n\taddq $8, %%rdi\n\trep movsw\n\tcld\n\taddq $6, %%rsi")
/* clang-format on */
FORMS(FORM)

static const struct {
    const char *name;
    void (*run)(uint64_t at, struct registers *r);
} forms[] = {
#define ENTRY(name, code) { #name, name },
    FORMS(ENTRY)
};

#define ARITHMETIC_FLAGS 0x8d5u

static void fill(uint64_t at)
{
    for (unsigned i = 0; i < BYTES; i++)
        ((volatile uint8_t *)at)[i] = (uint8_t)(0x91 + 37 * i);
}

static bool same(uint64_t a, uint64_t b)
{
    for (unsigned i = 0; i < BYTES; i++)
        if (((volatile uint8_t *)a)[i] != ((volatile uint8_t *)b)[i])
            return false;
    return true;
}

static void compare_form(unsigned i)
{
    struct registers real = { 0x1122334455667788, 0x99aabbccddeeff00, 0x0123456789abcd03,
                              0xfedcba9876543210, 2 };
    struct registers device = real;

    fill((uint64_t)memory);
    fill(VGA);
    forms[i].run((uint64_t)memory, &real);
    forms[i].run(VGA, &device);
    bool flags = ((real.flags ^ device.flags) & ARITHMETIC_FLAGS) == 0;
    bool registers = real.rax == device.rax && real.rbx == device.rbx && real.rcx == device.rcx &&
                     real.rdx == device.rdx;

    if (!registers)
        print("%s: rax %lx %lx, rbx %lx %lx, rcx %lx %lx, rdx %lx %lx\n", forms[i].name, real.rax,
              device.rax, real.rbx, device.rbx, real.rcx, device.rcx, real.rdx, device.rdx);
    if (!flags)
        print("%s: flags %lx %lx\n", forms[i].name, real.flags, device.flags);
    check(registers && flags && same((uint64_t)memory, VGA), forms[i].name);
}

/* Nothing is there: reads give ones, writes are lost. */
static void nothing(void)
{
    check_equal("read of nothing", mmio_read32(0xd0000000), 0xffffffff);
    mmio_write32(0xd0000000, 1);
    check_equal("again", mmio_read32(0xd0000000), 0xffffffff);
    check_equal("port of nothing", in8(0x300), 0xff);
    check_equal("16 bits of it", in16(0x300), 0xffff);
    check_equal("32 bits of it", in32(0x300), 0xffffffff);
}

/* Strings of port accesses over the boundary of two pages, both ways. */
static void strings(void)
{
    static uint8_t pages[8192] __attribute__((aligned(4096)));
    uint8_t *at = pages + 4096 - 100;
    uint64_t to = (uint64_t)at, count = 200;
    bool same_everywhere = true;

    out8(0x70, 0x32); /* CMOS: the century */
    uint8_t century = in8(0x71);

    asm volatile("rep insb" : "+D"(to), "+c"(count) : "d"(0x71) : "memory");
    for (unsigned i = 0; i < 200; i++)
        same_everywhere = same_everywhere && at[i] == century;
    check(same_everywhere, "rep insb over a page boundary");
    check(at[-1] == 0 && at[200] == 0, "and no byte more");
    check_equal("its pointer", to, (uint64_t)at + 200);
    check_equal("its count", count, 0);

    for (unsigned i = 0; i < 26; i++)
        pages[4083 + i] = (uint8_t)('a' + i);
    uint64_t from = (uint64_t)pages + 4083;

    count = 26;
    asm volatile("rep outsb" : "+S"(from), "+c"(count) : "d"(0x3f8) : "memory");
    print("\n");
    from = (uint64_t)pages + 4083 + 25;
    count = 26;
    asm volatile("std\n\trep outsb\n\tcld" : "+S"(from), "+c"(count) : "d"(0x3f8) : "memory");
    print("\n");
    check_equal("downwards, its pointer", from, (uint64_t)pages + 4082);
}

void guest_main(void)
{
    strings();
    for (unsigned i = 0; i < ARRAY_SIZE(forms); i++)
        compare_form(i);
    nothing();
}
