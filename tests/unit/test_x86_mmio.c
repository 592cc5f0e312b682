/* SPDX-License-Identifier: BSD-2-Clause */
/* Device accesses that are recalled instead of decoded, and when they are not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "arch/x86/emulate/mmio.h"
#include "arch/x86/tlb.h"
#include "tests/unit/x86_fake_guest.h"

#define DEVICE 0xfee00300u

uint32_t x86_tlb_generation[1u << X86_TAG_BITS];

static struct vm_exit vm_exit;

const void *x86_guest_find(const struct hv_vcpu *vcpu, gpa_t address, uint64_t *left)
{
    (void)vcpu;
    *left = FAKE_MEMORY - address.raw;
    return address.raw < FAKE_MEMORY ? guest.memory + address.raw : NULL;
}

static int set_up(void **state)
{
    (void)state;
    fake_long_mode();
    fake_map(FAKE_CODE, FAKE_CODE, ENTRY_P | ENTRY_W);
    guest.reg[REG_RIP] = FAKE_CODE;
    guest.vcpu.gpr[GPR_RSI] = 0x5000000300;
    guest.vcpu.gpr[GPR_RAX] = 0x1122334455667788;
    return 0;
}

static bool recall(uint8_t access)
{
    vm_exit = (struct vm_exit){ .reason = VM_EXIT_MEMORY };
    vm_exit.memory.gpa = gpa(DEVICE);
    vm_exit.memory.access = access;
    return x86_mmio_recall(&guest.vcpu, guest.reg[REG_RIP], guest.reg[REG_CR3], &vm_exit);
}

#define LEARN(...)                                      \
    do {                                                \
        static const uint8_t code_[] = { __VA_ARGS__ }; \
        fake_code(code_, sizeof(code_));                \
        x86_mmio_learn(&guest.vcpu);                    \
    } while (0)

static void a_load_is_recalled(void **state)
{
    (void)state;
    assert_false(recall(VM_ACCESS_READ));
    LEARN(0x8b, 0x06); /* mov (%rsi), %eax */
    assert_true(recall(VM_ACCESS_READ));
    assert_int_equal(vm_exit.memory.size, 4);
    assert_int_equal(guest.vcpu.mmio->reg, GPR_RAX);
    assert_int_equal(guest.vcpu.mmio->length, 2);
    assert_int_equal(guest.vcpu.mmio->register_size, 4);
    assert_false(recall(VM_ACCESS_WRITE));
}

static void what_is_forgotten_is_not_recalled(void **state)
{
    (void)state;
    LEARN(0x8b, 0x06);
    x86_mmio_forget(&guest.vcpu, FAKE_CODE);
    assert_false(recall(VM_ACCESS_READ));
    x86_mmio_learn(&guest.vcpu);
    assert_true(recall(VM_ACCESS_READ));
}

static void nothing_is_learned_while_a_breakpoint_is_on(void **state)
{
    (void)state;
    guest.reg[REG_DR7] = BIT(7); /* G3 */
    LEARN(0x8b, 0x06);
    assert_false(recall(VM_ACCESS_READ));
    guest.reg[REG_DR7] = BIT(10); /* always set */
    x86_mmio_learn(&guest.vcpu);
    assert_true(recall(VM_ACCESS_READ));
}

static void stores_have_their_value(void **state)
{
    (void)state;
    LEARN(0x66, 0x89, 0x06); /* mov %ax, (%rsi) */
    assert_true(recall(VM_ACCESS_WRITE));
    assert_int_equal(vm_exit.memory.size, 2);
    assert_int_equal(vm_exit.memory.value, 0x7788);
    LEARN(0x48, 0xc7, 0x06, 0xff, 0xff, 0xff, 0xff); /* movq $-1, (%rsi) */
    assert_true(recall(VM_ACCESS_WRITE));
    assert_int_equal(vm_exit.memory.size, 8);
    assert_int_equal(vm_exit.memory.value, UINT64_MAX);
}

static void movzx_extends(void **state)
{
    (void)state;
    LEARN(0x0f, 0xb6, 0x06); /* movzbl (%rsi), %eax */
    assert_true(recall(VM_ACCESS_READ));
    assert_int_equal(vm_exit.memory.size, 1);
    assert_int_equal(guest.vcpu.mmio->register_size, 4);
}

static void changed_code_is_not_recalled(void **state)
{
    (void)state;
    LEARN(0x8b, 0x06);
    assert_true(recall(VM_ACCESS_READ));
    fake_store(FAKE_CODE + 2, 1, 0xcc); /* what follows does not matter */
    assert_true(recall(VM_ACCESS_READ));
    fake_store(FAKE_CODE + 1, 1, 0x1e);
    assert_false(recall(VM_ACCESS_READ));
}

static void changed_tables_are_not_recalled(void **state)
{
    (void)state;
    LEARN(0x8b, 0x06);
    *fake_entry(FAKE_CODE) += 0x1000;
    assert_false(recall(VM_ACCESS_READ));
    *fake_entry(FAKE_CODE) -= 0x1000;
    assert_true(recall(VM_ACCESS_READ));
    guest.reg[REG_CR3] += 0x1000;
    assert_false(recall(VM_ACCESS_READ));
}

static void a_changed_second_stage_is_not_trusted(void **state)
{
    (void)state;
    LEARN(0x8b, 0x06);
    x86_tlb_generation[guest.vcpu.tag]++;
    assert_false(recall(VM_ACCESS_READ));
    LEARN(0x8b, 0x06);
    assert_true(recall(VM_ACCESS_READ));
}

static void an_access_across_pages_is_not_recalled(void **state)
{
    (void)state;
    LEARN(0x8b, 0x06);
    guest.vcpu.gpr[GPR_RSI] = 0x5000000ffe;
    assert_false(recall(VM_ACCESS_READ)); /* the exit names another offset */
    vm_exit.memory.gpa = gpa(0xfee00ffe);
    assert_false(x86_mmio_recall(&guest.vcpu, FAKE_CODE, guest.reg[REG_CR3], &vm_exit));
}

static void what_is_not_plain_is_not_learned(void **state)
{
    (void)state;
    LEARN(0x8a, 0x26); /* mov (%rsi), %ah */
    assert_false(recall(VM_ACCESS_READ));
    LEARN(0x8b, 0x26); /* mov (%rsi), %esp */
    assert_false(recall(VM_ACCESS_READ));
    LEARN(0x64, 0x8b, 0x06); /* mov %fs:(%rsi), %eax */
    assert_false(recall(VM_ACCESS_READ));
    LEARN(0x0f, 0xbe, 0x06); /* movsbl (%rsi), %eax */
    assert_false(recall(VM_ACCESS_READ));
    LEARN(0xf3, 0xa5); /* rep movsl */
    assert_false(recall(VM_ACCESS_READ) || recall(VM_ACCESS_WRITE));
    LEARN(0x09, 0x06); /* or %eax, (%rsi) */
    assert_false(recall(VM_ACCESS_READ) || recall(VM_ACCESS_WRITE));
    LEARN(0x87, 0x06); /* xchg */
    assert_false(recall(VM_ACCESS_READ) || recall(VM_ACCESS_WRITE));
}

static void other_modes_are_not_learned(void **state)
{
    (void)state;
    guest.segment[SEG_CS].attributes = FAKE_CODE_32;
    LEARN(0x8b, 0x06);
    assert_false(recall(VM_ACCESS_READ));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_load_is_recalled, set_up),
        cmocka_unit_test_setup(what_is_forgotten_is_not_recalled, set_up),
        cmocka_unit_test_setup(nothing_is_learned_while_a_breakpoint_is_on, set_up),
        cmocka_unit_test_setup(stores_have_their_value, set_up),
        cmocka_unit_test_setup(movzx_extends, set_up),
        cmocka_unit_test_setup(changed_code_is_not_recalled, set_up),
        cmocka_unit_test_setup(changed_tables_are_not_recalled, set_up),
        cmocka_unit_test_setup(a_changed_second_stage_is_not_trusted, set_up),
        cmocka_unit_test_setup(an_access_across_pages_is_not_recalled, set_up),
        cmocka_unit_test_setup(what_is_not_plain_is_not_learned, set_up),
        cmocka_unit_test_setup(other_modes_are_not_learned, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
