/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Emulation against the CPU that runs the test: random instructions on random registers and
 * memory, once by each, and everything that they leave is compared.
 *
 * Code and data lie below 4 GiB, so that a linear address is what paging turned off leaves.
 */
#include "arch/x86/emulate/emulate.h"

#include <arch/cpu.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "arch/x86/emulate/insn.h"
#include "tests/unit/random.h"
#include "tests/unit/x86_fake_guest.h"
#include "tests/unit/x86_patterns.h"

#define DATA_BYTES 8192u
#define STATUS_FLAGS (RFLAGS_CF | RFLAGS_PF | RFLAGS_AF | RFLAGS_ZF | RFLAGS_SF | RFLAGS_OF)

struct registers {
    uint64_t gpr[GPR_COUNT];
    uint64_t rflags;
    uint64_t xmm[16][2];
};

/* Runs the code, which ends in a jump to native_return, with these registers (RSP is kept). */
void native_run(struct registers *registers, const void *code);
void native_return(void);

__asm__(".text\n"
        "native_run:\n"
        "    push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15\n"
        "    mov %rsi, native_code(%rip)\n"
        "    push %rdi\n"
        ".irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n"
        "    movups 136+16*\\n(%rdi), %xmm\\n\n"
        ".endr\n"
        "    push 128(%rdi); popfq\n"
        "    mov 0(%rdi), %rax; mov 8(%rdi), %rcx; mov 16(%rdi), %rdx; mov 24(%rdi), %rbx\n"
        "    mov 40(%rdi), %rbp; mov 48(%rdi), %rsi; mov 64(%rdi), %r8; mov 72(%rdi), %r9\n"
        "    mov 80(%rdi), %r10; mov 88(%rdi), %r11; mov 96(%rdi), %r12; mov 104(%rdi), %r13\n"
        "    mov 112(%rdi), %r14; mov 120(%rdi), %r15; mov 56(%rdi), %rdi\n"
        "    jmp *native_code(%rip)\n"
        "native_return:\n"
        "    xchg %rdi, (%rsp)\n"
        "    mov %rax, 0(%rdi); mov %rcx, 8(%rdi); mov %rdx, 16(%rdi); mov %rbx, 24(%rdi)\n"
        "    mov %rbp, 40(%rdi); mov %rsi, 48(%rdi); mov %r8, 64(%rdi); mov %r9, 72(%rdi)\n"
        "    mov %r10, 80(%rdi); mov %r11, 88(%rdi); mov %r12, 96(%rdi); mov %r13, 104(%rdi)\n"
        "    mov %r14, 112(%rdi); mov %r15, 120(%rdi)\n"
        "    pop %rax; mov %rax, 56(%rdi)\n"
        "    pushfq; pop %rax; mov %rax, 128(%rdi)\n"
        ".irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n"
        "    movups %xmm\\n, 136+16*\\n(%rdi)\n"
        ".endr\n"
        "    cld\n"
        "    pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx\n"
        "    ret\n"
        ".local native_code\n"
        ".comm native_code, 8, 8\n");

static uint8_t *code, *data;
static uint64_t seed;

/* --- the bus: this process's memory --- */

static uint8_t *at(gpa_t address, unsigned size)
{
    assert_true(address.raw >= (uintptr_t)data &&
                address.raw - (uintptr_t)data + size <= DATA_BYTES);
    return data + (address.raw - (uintptr_t)data);
}

static status_t bus_read(void *context, gpa_t address, unsigned size, uint64_t *value)
{
    (void)context;
    *value = random_next(&seed);
    memcpy(value, at(address, size), size);
    return OK;
}

static status_t bus_write(void *context, gpa_t address, unsigned size, uint64_t value)
{
    (void)context;
    memcpy(at(address, size), &value, size);
    return OK;
}

static status_t read_memory(void *context, gpa_t address, void *to, size_t bytes)
{
    (void)context;
    memcpy(to, code + (address.raw - (uintptr_t)code), bytes);
    return OK;
}

static const struct hv_bus bus = { .read = bus_read,
                                   .write = bus_write,
                                   .read_memory = read_memory };

/* --- one comparison --- */

static void run_natively(struct registers *registers, size_t length)
{
    static const uint8_t jump[] = { 0xff, 0x25, 0, 0, 0, 0 }; /* jmp *(%rip) */
    void (*const target)(void) = native_return;

    memcpy(code + length, jump, sizeof(jump));
    memcpy(code + length + sizeof(jump), &target, sizeof(target));
    native_run(registers, code);
}

static void run_emulated(struct registers *registers, size_t length)
{
    static const struct vm_exit exit = { .reason = VM_EXIT_MEMORY };

    guest.vector = -1;
    guest.retired = 0;
    memcpy(guest.vcpu.gpr, registers->gpr, sizeof(registers->gpr));
    memcpy(guest.xmm, registers->xmm, sizeof(registers->xmm));
    guest.reg[REG_RIP] = (uintptr_t)code;
    guest.reg[REG_RFLAGS] = registers->rflags;
    assert_int_equal(x86_emulate(&guest.vcpu, &exit, &bus), OK);
    assert_int_equal(guest.vector, -1);
    assert_int_equal(guest.retired, 1);
    assert_int_equal(guest.reg[REG_RIP], (uintptr_t)code + length);
    memcpy(registers->gpr, guest.vcpu.gpr, sizeof(registers->gpr));
    memcpy(registers->xmm, guest.xmm, sizeof(registers->xmm));
    registers->rflags = guest.reg[REG_RFLAGS];
}

static void show(const char *name, size_t length)
{
    print_error("%s:", name);
    for (size_t i = 0; i < length; i++)
        print_error(" %02x", code[i]);
    print_error("\n");
}

static void compare(const char *name, size_t length, struct registers before, uint64_t undefined)
{
    static uint8_t initial[DATA_BYTES], natively[DATA_BYTES];
    struct registers native = before, emulated = before;

    memcpy(initial, data, DATA_BYTES);
    run_natively(&native, length);
    memcpy(natively, data, DATA_BYTES);
    memcpy(data, initial, DATA_BYTES);
    run_emulated(&emulated, length);
    native.rflags = (native.rflags ^ emulated.rflags) & (STATUS_FLAGS | RFLAGS_DF) & ~undefined;
    emulated.rflags = 0;
    if (memcmp(&native, &emulated, sizeof(native)) != 0 || memcmp(natively, data, DATA_BYTES) != 0)
        show(name, length);
    assert_int_equal(native.rflags, 0);
    assert_memory_equal(&native, &emulated, sizeof(native));
    assert_memory_equal(natively, data, DATA_BYTES);
}

static struct registers random_registers(void)
{
    struct registers registers;

    for (unsigned i = 0; i < GPR_COUNT; i++)
        registers.gpr[i] = random_next(&seed);
    for (unsigned i = 0; i < 32; i++)
        registers.xmm[i / 2][i % 2] = random_next(&seed);
    registers.rflags = RFLAGS_FIXED | RFLAGS_IF | (random_next(&seed) & STATUS_FLAGS);
    return registers;
}

/* --- instructions with ModRM --- */

struct writer {
    size_t length;
    uint8_t rex;
};

static void put(struct writer *w, uint64_t value, unsigned bytes)
{
    memcpy(code + w->length, &value, bytes);
    w->length += bytes;
}

/* ModRM, SIB and displacement of an address in the midst of `data`; sets its registers. */
static void put_address(struct writer *w, unsigned reg, size_t immediate, struct registers *r,
                        bool aligned)
{
    static const uint8_t bases[] = { GPR_RBX, GPR_RSI, GPR_RDI, GPR_RBP };
    const unsigned base = bases[random_below(&seed, sizeof(bases))];
    const uint64_t grain = aligned ? 16 : 1;
    const int8_t displacement = (int8_t)(random_next(&seed) & -grain);
    const uint64_t middle = (uintptr_t)data + DATA_BYTES / 2 + (random_below(&seed, 64) & -grain);

    reg = (reg & 7) << 3;
    switch (random_below(&seed, 4)) {
    case 0: /* base and displacement of a byte */
        r->gpr[base] = middle;
        put(w, 0x40 | reg | base, 1);
        put(w, (uint8_t)displacement, 1);
        break;
    case 1: /* base, index RDX, displacement of 4 */
        r->gpr[base] = middle;
        r->gpr[GPR_RDX] = (random_below(&seed, 32) & -grain) - 16;
        put(w, 0x84 | reg, 1);
        put(w, random_below(&seed, 4) << 6 | GPR_RDX << 3 | base, 1);
        put(w, (uint64_t)displacement, 4);
        break;
    case 2: /* relative to RIP */
        put(w, 0x05 | reg, 1);
        put(w, (uint32_t)(middle - ((uintptr_t)code + w->length + 4 + immediate)), 4);
        break;
    default: /* an address */
        put(w, 0x04 | reg, 1);
        put(w, 0x25, 1);
        put(w, (uint32_t)middle, 4);
        break;
    }
}

static unsigned pick_register(const struct pattern *p, uint8_t rex)
{
    unsigned reg;

    if (!(p->flags & ANY_REG))
        return p->reg;
    do
        reg = (unsigned)random_below(&seed, rex ? 16 : 8);
    while (reg == GPR_RSP && !(p->flags & BYTES && !rex)); /* AH is fine */
    return reg;
}

/* Flags that a shift by so many bits leaves undefined. */
static uint64_t shift_undefined(const struct pattern *p, unsigned bits, const struct registers *r,
                                uint64_t immediate)
{
    const bool by_cl = (p->opcode[0] & 0xfe) == 0xd2;
    const uint64_t given = p->immediate ? immediate : by_cl ? r->gpr[GPR_RCX] : 1;
    const uint64_t count = given & (bits == 64 ? 63 : 31);

    if (!(p->flags & SHIFTS))
        return 0;
    if (p->reg < 4)
        return count == 1 ? 0 : RFLAGS_OF;
    return AF | (count == 1 ? 0 : RFLAGS_OF) | (count >= bits ? RFLAGS_CF : 0);
}

static void compare_pattern(const struct pattern *p)
{
    const bool word = !(p->flags & NO_WORD) && random_below(&seed, 4) == 0;
    const bool rex = random_below(&seed, 2);
    const unsigned reg = pick_register(p, rex);
    const uint8_t rex_byte = (uint8_t)(0x40 | (random_below(&seed, 2) ? 8 : 0) | (reg & 8 ? 4 : 0));
    const bool wide = rex && rex_byte & 8;
    const size_t immediate = p->immediate == 4 && word && !wide ? 2 : p->immediate;
    const unsigned bits = p->flags & BYTES ? 8 : wide ? 64 : word ? 16 : 32;
    const uint64_t count = random_next(&seed);
    struct registers registers = random_registers();
    struct writer w = { 0 };

    if (word || p->flags & PREFIX_66)
        put(&w, 0x66, 1);
    if (p->flags & (PREFIX_F2 | PREFIX_F3))
        put(&w, p->flags & PREFIX_F2 ? 0xf2 : 0xf3, 1);
    if (p->flags & LOCKS && random_below(&seed, 2))
        put(&w, 0xf0, 1);
    if (rex)
        put(&w, rex_byte, 1);
    for (unsigned i = 0; i < p->opcode_bytes; i++)
        put(&w, p->opcode[i], 1);
    if (p->flags & BITS) /* before the address: it may be the same register */
        registers.gpr[reg] = random_below(&seed, 4096) - 2048;
    if (random_below(&seed, 2)) /* lets CMPXCHG and CMP find what they expect */
        memset(data, (int)(registers.gpr[GPR_RAX] & 0xff), DATA_BYTES);
    if (!(p->flags & BITS) && random_below(&seed, 2))
        registers.gpr[GPR_RAX] = registers.gpr[GPR_RDX] =
            (registers.gpr[GPR_RAX] & 0xff) * 0x0101010101010101;
    put_address(&w, reg, immediate, &registers, p->flags & ALIGNED);
    if (p->flags & BITS && registers.gpr[reg] + 2048 >= 4096)
        return;
    put(&w, count, (unsigned)immediate);
    compare(p->name, w.length, registers,
            p->undefined | shift_undefined(p, bits, &registers, count));
}

static void instructions_with_an_operand_in_memory_do_as_the_cpu(void **state)
{
    const bool has_movbe = cpuid(1, 0).ecx & BIT(22);

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(patterns); i++) {
        if (strncmp(patterns[i].name, "movbe", 5) == 0 && !has_movbe)
            continue;
        for (unsigned round = 0; round < 400; round++) {
            for (unsigned k = 0; k < DATA_BYTES; k += 8)
                memcpy(data + k, &(uint64_t){ random_next(&seed) }, 8);
            compare_pattern(&patterns[i]);
        }
    }
}

static void conditions_are_the_cpus(void **state)
{
    (void)state;
    for (unsigned round = 0; round < 16 * 200; round++) {
        const uint8_t condition = round % 16;
        const struct pattern move = { "cmov", { 0x0f, 0x40 + condition }, 2, 0, 0, ANY_REG, 0 };
        const struct pattern set = { "set", { 0x0f, 0x90 + condition }, 2, 0, 0, BYTES, 0 };

        compare_pattern(&move);
        compare_pattern(&set);
    }
}

/* --- moves with an absolute address --- */

static void moves_of_an_absolute_address_do_as_the_cpu(void **state)
{
    (void)state;
    for (unsigned round = 0; round < 2000; round++) {
        const bool short_address = random_below(&seed, 2);
        struct writer w = { 0 };

        if (short_address)
            put(&w, 0x67, 1);
        if (random_below(&seed, 2))
            put(&w, 0x66, 1);
        if (random_below(&seed, 2))
            put(&w, 0x48, 1);
        put(&w, 0xa0 + random_below(&seed, 4), 1);
        put(&w, (uintptr_t)data + random_below(&seed, DATA_BYTES - 8), short_address ? 4 : 8);
        compare("mov with an offset", w.length, random_registers(), 0);
    }
}

/* --- strings --- */

static void string_instructions_do_as_the_cpu(void **state)
{
    static const uint8_t opcodes[] = { 0xa4, 0xa5, 0xa6, 0xa7, 0xaa, 0xab, 0xac, 0xad, 0xae, 0xaf };

    (void)state;
    for (unsigned round = 0; round < 20000; round++) {
        struct registers registers = random_registers();
        struct writer w = { 0 };

        for (unsigned k = 0; k < DATA_BYTES; k++) /* mostly equal */
            data[k] = random_below(&seed, 40) == 0;
        registers.gpr[GPR_RAX] = random_below(&seed, 2);
        registers.gpr[GPR_RCX] = random_below(&seed, 24);
        registers.gpr[GPR_RSI] = (uintptr_t)data + DATA_BYTES / 2 + random_below(&seed, 200) - 100;
        registers.gpr[GPR_RDI] = (uintptr_t)data + DATA_BYTES / 2 + random_below(&seed, 200) - 100;
        registers.rflags |= random_below(&seed, 2) ? RFLAGS_DF : 0;
        if (random_below(&seed, 3) > 0)
            put(&w, 0xf2 + random_below(&seed, 2), 1);
        if (random_below(&seed, 4) == 0)
            put(&w, 0x66, 1);
        if (random_below(&seed, 4) == 0)
            put(&w, 0x67, 1);
        if (random_below(&seed, 4) == 0)
            put(&w, 0x48, 1);
        put(&w, opcodes[random_below(&seed, sizeof(opcodes))], 1);
        compare("string", w.length, registers, 0);
    }
}

static void *low_memory(size_t bytes, int protection)
{
    void *memory = mmap(NULL, bytes, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);

    assert_true(memory != MAP_FAILED);
    return memory;
}

static int set_up(void **state)
{
    (void)state;
    seed = 11;
    code = low_memory(PAGE_SIZE, PROT_READ | PROT_WRITE | PROT_EXEC);
    data = low_memory(DATA_BYTES, PROT_READ | PROT_WRITE);
    fake_long_mode();
    guest.reg[REG_CR0] = CR0_PE;
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(instructions_with_an_operand_in_memory_do_as_the_cpu),
        cmocka_unit_test(conditions_are_the_cpus),
        cmocka_unit_test(moves_of_an_absolute_address_do_as_the_cpu),
        cmocka_unit_test(string_instructions_do_as_the_cpu),
    };

    return cmocka_run_group_tests(tests, set_up, NULL);
}
