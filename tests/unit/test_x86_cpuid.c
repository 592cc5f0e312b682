/* SPDX-License-Identifier: BSD-2-Clause */
/* CPUID by allow list, and what control registers accept of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "arch/x86/control.h"
#include "arch/x86/cpuid.h"
#include "tests/unit/random.h"
#include "tests/unit/x86_fake_guest.h"

#define BIT32(n) ((uint32_t)1 << (n))
#define EVERYTHING ((struct cpuid){ ~0u, ~0u, ~0u, ~0u })
#define AMD ((struct cpuid){ 0x20, 0x68747541, 0x444d4163, 0x69746e65 })
#define INTEL ((struct cpuid){ 0x20, 0x756e6547, 0x6c65746e, 0x49656e69 })

/* A CPU that has all that there is; XSAVE components as on real ones. */
static void rich_host(struct cpuid vendor)
{
    fake_cpuid_reset();
    for (uint32_t leaf = 1; leaf <= 0x20; leaf++)
        for (uint32_t subleaf = 0; subleaf < (leaf == 7 ? 2u : 1u); subleaf++)
            fake_cpuid(leaf, subleaf, EVERYTHING);
    fake_cpuid(0, 0, vendor);
    for (uint32_t leaf = 0x80000001; leaf <= 0x80000010; leaf++)
        fake_cpuid(leaf, 0, EVERYTHING);
    fake_cpuid(0x80000000, 0, (struct cpuid){ 0x80000021, 0, 0, 0 });
    fake_cpuid(0x80000008, 0, (struct cpuid){ 0x3034, ~0u, ~0u, ~0u });
    fake_cpuid(0xd, 0, (struct cpuid){ 0x2ff, 0xa88, 0xa88, 0 });
    fake_cpuid(0xd, 1, EVERYTHING);
    fake_cpuid(0xd, 2, (struct cpuid){ 256, 576, 0, 0 });
    fake_cpuid(0xd, 5, (struct cpuid){ 64, 1088, 0, 0 });
    fake_cpuid(0xd, 6, (struct cpuid){ 512, 1152, 0, 0 });
    fake_cpuid(0xd, 7, (struct cpuid){ 1024, 1664, 0, 0 });
    fake_cpuid(0xd, 9, (struct cpuid){ 8, 2688, 0, 0 });
    fake_cpuid(4, 0, (struct cpuid){ 0xfc004121, 1, 2, 3 });
    fake_cpuid(4, 1, (struct cpuid){ 0xfc1fc163, 1, 2, 3 });
    fake_cpuid(4, 2, (struct cpuid){ 0, 0, 0, 0 });
    x86_cpuid_init();
}

static int set_up(void **state)
{
    (void)state;
    fake_long_mode();
    guest.vcpu.id = 2;
    guest.vcpu.cpus = 3;
    guest.vcpu.apic = HV_APIC_PAGE;
    guest.vcpu.xcr0 = 3;
    rich_host(AMD);
    return 0;
}

static struct cpuid ask(uint32_t leaf, uint32_t subleaf)
{
    guest.vcpu.gpr[GPR_RAX] = 0xffffffff00000000 | leaf;
    guest.vcpu.gpr[GPR_RCX] = 0xffffffff00000000 | subleaf;
    x86_cpuid(&guest.vcpu);
    for (unsigned i = GPR_RAX; i <= GPR_RBX; i++)
        assert_int_equal(guest.vcpu.gpr[i] >> 32, 0);
    return (struct cpuid){ (uint32_t)guest.vcpu.gpr[GPR_RAX], (uint32_t)guest.vcpu.gpr[GPR_RBX],
                           (uint32_t)guest.vcpu.gpr[GPR_RCX], (uint32_t)guest.vcpu.gpr[GPR_RDX] };
}

static void assert_words(struct cpuid got, uint32_t eax, uint32_t ebx, uint32_t ecx, uint32_t edx)
{
    assert_int_equal(got.eax, eax);
    assert_int_equal(got.ebx, ebx);
    assert_int_equal(got.ecx, ecx);
    assert_int_equal(got.edx, edx);
}

static void a_cpu_that_has_everything_shows_only_what_is_allowed(void **state)
{
    (void)state;
    assert_int_equal(ask(0, 0).eax, 0x16);
    assert_int_equal(ask(0x80000000, 0).eax, 0x80000008);
    assert_int_equal(ask(1, 0).ecx & (BIT32(2) | BIT32(3) | BIT32(4) | BIT32(5) | BIT32(6) |
                                      BIT32(7) | BIT32(8) | BIT32(14) | BIT32(15)),
                     0); /* DTES64 MONITOR DS-CPL VMX SMX EIST TM2 xTPR PDCM */
    assert_int_equal(ask(1, 0).edx & (BIT32(18) | BIT32(21) | BIT32(22) | BIT32(29) | BIT32(31)),
                     0); /* PSN DS ACPI TM PBE */
    assert_int_equal(ask(7, 0).ebx & (BIT32(2) | BIT32(4) | BIT32(11) | BIT32(12) | BIT32(14) |
                                      BIT32(15) | BIT32(25)),
                     0); /* SGX HLE RTM PQM MPX PQE PT */
    assert_int_equal(ask(7, 0).ecx & (BIT32(3) | BIT32(4) | BIT32(7) | BIT32(16)), 0);
    assert_int_equal(ask(7, 0).edx & (BIT32(26) | BIT32(27) | BIT32(29) | BIT32(31)), 0);
    assert_int_equal(ask(0x80000001, 0).ecx & BIT32(2), 0); /* SVM */
    assert_int_equal(ask(0xd, 1).eax, 7);                   /* no XSAVES */
    assert_int_equal(ask(0x80000007, 0).edx, BIT32(8));     /* invariant TSC alone */
}

static void leaves_without_a_line_are_zero(void **state)
{
    static const uint32_t empty[] = { 3,          5,          8,          9,          0xa,
                                      0xc,        0xe,        0xf,        0x10,       0x12,
                                      0x14,       0x17,       0x1f,       0x20,       0x40000001,
                                      0x4000000f, 0x40000011, 0x7fffffff, 0x80000009, 0x8000000a,
                                      0x8000001e, 0xc0000000, 0xffffffff };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(empty); i++)
        assert_words(ask(empty[i], 0), 0, 0, 0, 0);
    assert_words(ask(7, 2), 0, 0, 0, 0);
    assert_words(ask(7, 0xffffffff), 0, 0, 0, 0);
    assert_words(ask(0xd, 3), 0, 0, 0, 0); /* MPX */
    assert_words(ask(0xd, 9), 0, 0, 0, 0); /* PKRU */
    assert_words(ask(0xd, 64), 0, 0, 0, 0);
}

static void a_poor_cpu_shows_what_models_provide(void **state)
{
    (void)state;
    fake_cpuid_reset();
    x86_cpuid_init();
    assert_int_equal(ask(1, 0).ecx, BIT32(21) | BIT32(24) | BIT32(31));
    assert_int_equal(ask(1, 0).edx, BIT32(9) | BIT32(12) | BIT32(28));
    assert_words(ask(7, 0), 0, BIT32(1), 0, 0);
    assert_words(ask(0xd, 0), 0, 0, 0, 0);
    assert_words(ask(0xd, 1), 0, 0, 0, 0);
    assert_int_equal(x86_features.xcr0, 0);
    assert_int_equal(x86_features.efer, 0);
}

static void the_hypervisor_says_its_name(void **state)
{
    struct cpuid words = ask(0x40000000, 0);

    (void)state;
    assert_memory_equal(&words.ebx, "Socl", 4);
    assert_memory_equal(&words.ecx, "eSoc", 4);
    assert_memory_equal(&words.edx, "le  ", 4);
    assert_int_equal(words.eax, 0x40000010);
    assert_words(ask(0x40000010, 0), 2500000, 25000, 0, 0);
}

static void the_tsc_frequency_is_exact_to_25_khz(void **state)
{
    static const uint64_t rates[] = { 1000000000, 2500000000, 3999999999, 800000000, 2894561000 };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rates); i++) {
        struct cpuid words;
        uint64_t khz;

        fake_tsc_hz = rates[i];
        words = ask(0x15, 0);
        khz = (uint64_t)(words.ecx / 1000) * words.ebx;
        assert_true(khz <= UINT32_MAX); /* a kernel multiplies 32-bit numbers */
        khz /= words.eax;
        assert_true(khz * 1000 <= rates[i] && rates[i] - khz * 1000 < 25000 + 1000);
        assert_int_equal(ask(0x16, 0).eax, rates[i] / 1000000);
    }
    fake_tsc_hz = 2500000000;
}

static void topology_is_the_vms(void **state)
{
    (void)state;
    assert_int_equal(ask(1, 0).ebx, 2u << 24 | 4u << 16 | 0xff00);
    assert_true(ask(1, 0).edx & BIT32(28));
    assert_words(ask(0xb, 0), 0, 1, 0x100, 2);
    assert_words(ask(0xb, 1), 2, 3, 0x201, 2);
    assert_words(ask(0xb, 2), 0, 0, 2, 2);
    assert_int_equal(ask(0x80000008, 0).ecx, 2u | 2u << 12);
    assert_true(ask(0x80000001, 0).ecx & BIT32(1));
    guest.vcpu.cpus = 1;
    guest.vcpu.id = 0;
    assert_int_equal(ask(1, 0).ebx, 1u << 16 | 0xff00);
    assert_false(ask(1, 0).edx & BIT32(28));
    assert_words(ask(0xb, 1), 0, 1, 0x201, 0);
    assert_int_equal(ask(0x80000008, 0).ecx, 0);
    assert_false(ask(0x80000001, 0).ecx & BIT32(1));
}

static void caches_are_shared_as_the_vm_has_cores(void **state)
{
    (void)state;
    assert_words(ask(4, 0), 0, 0, 0, 0);
    rich_host(INTEL);
    assert_true(x86_features.is_intel);
    assert_words(ask(4, 0), 3u << 26 | 0x121, 1, 2, 3);
    assert_words(ask(4, 1), 3u << 26 | 3u << 14 | 0x163, 1, 2, 3);
    assert_words(ask(4, 2), 0, 0, 0, 0);
    assert_words(ask(4, 0x80000000), 0, 0, 0, 0);
}

static void bits_that_follow_the_vcpu(void **state)
{
    (void)state;
    assert_false(ask(1, 0).ecx & BIT32(27));
    guest.reg[REG_CR4] = CR4_OSXSAVE;
    assert_true(ask(1, 0).ecx & BIT32(27));
    assert_true(ask(1, 0).edx & BIT32(9));
    guest.vcpu.apic = HV_APIC_OFF;
    assert_false(ask(1, 0).edx & BIT32(9));
}

static void xsave_sizes_follow_xcr0(void **state)
{
    (void)state;
    assert_words(ask(0xd, 0), 0xe7, 576, 2688, 0);
    guest.vcpu.xcr0 = 7;
    assert_int_equal(ask(0xd, 0).ebx, 832);
    assert_int_equal(ask(0xd, 1).ebx, 832);
    guest.vcpu.xcr0 = 0xe7;
    assert_int_equal(ask(0xd, 0).ebx, 2688);
    assert_int_equal(ask(0xd, 1).ebx, 832 + 64 + 512 + 1024);
}

static void without_avx512_nothing_speaks_of_it(void **state)
{
    (void)state;
    fake_cpuid(0xd, 0, (struct cpuid){ 7, 832, 832, 0 });
    x86_cpuid_init();
    assert_int_equal(x86_features.xcr0, 7);
    assert_int_equal(
        ask(7, 0).ebx & (BIT32(16) | BIT32(17) | BIT32(21) | BIT32(28) | BIT32(30) | BIT32(31)), 0);
    assert_words(ask(0xd, 5), 0, 0, 0, 0);
    assert_int_equal(ask(0xd, 0).ecx, 832);
}

static void too_large_components_are_hidden(void **state)
{
    (void)state;
    fake_cpuid(0xd, 7, (struct cpuid){ 1024, 0x10000, 0, 0 });
    x86_cpuid_init();
    assert_int_equal(x86_features.xcr0, 7);
}

/* --- control registers --- */

static bool load_xcr0(uint64_t value)
{
    guest.vcpu.gpr[GPR_RCX] = 0;
    guest.vcpu.gpr[GPR_RAX] = (uint32_t)value;
    guest.vcpu.gpr[GPR_RDX] = value >> 32;
    return x86_xsetbv(&guest.vcpu);
}

static void xcr0_follows_its_rules(void **state)
{
    (void)state;
    guest.reg[REG_CPL] = 0;
    assert_true(load_xcr0(1));
    assert_true(load_xcr0(7));
    assert_true(load_xcr0(0xe7));
    assert_int_equal(guest.vcpu.xcr0, 0xe7);
    assert_false(load_xcr0(0));
    assert_false(load_xcr0(5));
    assert_false(load_xcr0(0x27));
    assert_false(load_xcr0(0xe3));
    assert_false(load_xcr0(0x207)); /* PKRU */
    assert_false(load_xcr0(7 | BIT(62)));
    guest.reg[REG_CPL] = 3;
    assert_false(load_xcr0(7));
    assert_int_equal(guest.vcpu.xcr0, 0xe7);
}

static void hidden_cr4_bits_are_refused(void **state)
{
    (void)state;
    assert_true(x86_features.hides_cr4);
    guest.reg[REG_CR3] = 0;
    assert_true(x86_set_cr4(&guest.vcpu, CR4_PAE | CR4_PGE | CR4_OSXSAVE | CR4_SMEP | CR4_SMAP));
    assert_true(x86_set_cr4(&guest.vcpu, CR4_PAE | CR4_PCIDE));
    for (unsigned bit = 0; bit < 64; bit++)
        if (bit >= 22 || bit == 12 || bit == 13 || bit == 14 || bit == 15 || bit == 19)
            assert_false(x86_set_cr4(&guest.vcpu, CR4_PAE | BIT(bit)));
    assert_false(x86_set_cr4(&guest.vcpu, 0)); /* long mode needs PAE */
    assert_int_equal(guest.reg[REG_CR4], CR4_PAE | CR4_PCIDE);
}

static void process_contexts_start_with_none(void **state)
{
    (void)state;
    guest.reg[REG_CR4] = CR4_PAE;
    guest.reg[REG_CR3] = 0x1001;
    assert_false(x86_set_cr4(&guest.vcpu, CR4_PAE | CR4_PCIDE));
    fake_protected_mode(32);
    assert_false(x86_set_cr4(&guest.vcpu, CR4_PAE | CR4_PCIDE));
}

static void paging_and_long_mode_follow_their_rules(void **state)
{
    (void)state;
    fake_protected_mode(32);
    guest.reg[REG_EFER] = 0;
    guest.reg[REG_CR4] = 0;
    assert_true(x86_set_efer(&guest.vcpu, EFER_LME | EFER_NXE));
    assert_false(x86_set_cr0(&guest.vcpu, CR0_PG | CR0_PE)); /* no PAE */
    guest.reg[REG_CR4] = CR4_PAE;
    assert_true(x86_set_cr0(&guest.vcpu, CR0_PG | CR0_PE));
    assert_int_equal(guest.reg[REG_EFER], EFER_LME | EFER_LMA | EFER_NXE);
    assert_int_equal(guest.reg[REG_CR0], CR0_PG | CR0_PE | CR0_ET);
    assert_false(x86_set_efer(&guest.vcpu, EFER_NXE));           /* LME, paging */
    assert_true(x86_set_efer(&guest.vcpu, EFER_LME | EFER_SCE)); /* LMA stays */
    assert_int_equal(guest.reg[REG_EFER], EFER_LME | EFER_LMA | EFER_SCE);
    guest.segment[SEG_CS].attributes = FAKE_CODE_64;
    assert_false(x86_set_cr0(&guest.vcpu, CR0_PE)); /* not from 64-bit code */
    guest.segment[SEG_CS].attributes = FAKE_CODE_32;
    assert_true(x86_set_cr0(&guest.vcpu, CR0_PE));
    assert_int_equal(guest.reg[REG_EFER], EFER_LME | EFER_SCE);
}

static void contradictions_in_cr0_are_refused(void **state)
{
    (void)state;
    fake_protected_mode(32);
    guest.reg[REG_EFER] = 0;
    assert_false(x86_set_cr0(&guest.vcpu, CR0_PG));
    assert_false(x86_set_cr0(&guest.vcpu, CR0_PE | CR0_NW));
    assert_false(x86_set_cr0(&guest.vcpu, CR0_PE | BIT(32)));
    assert_true(x86_set_cr0(&guest.vcpu, CR0_PE | CR0_CD | CR0_NW | BIT(10)));
    assert_int_equal(guest.reg[REG_CR0], CR0_PE | CR0_CD | CR0_NW | CR0_ET);
}

static void svme_is_not_a_guests(void **state)
{
    (void)state;
    for (unsigned bit = 0; bit < 64; bit++)
        if (bit == 12 || bit == 13 || bit == 15 || bit > 15)
            assert_false(x86_set_efer(&guest.vcpu, guest.reg[REG_EFER] | BIT(bit)));
}

static void any_leaf_is_answered(void **state)
{
    uint64_t seed = 1;

    (void)state;
    for (unsigned i = 0; i < 200000; i++) {
        const uint64_t r = random_next(&seed);
        const uint32_t bases[] = { 0, 0x40000000, 0x80000000, (uint32_t)r };

        ask(bases[r >> 60 & 3] + (uint32_t)(r >> 32 & 0x3f), (uint32_t)(r >> 48 & 0x1f));
        ask((uint32_t)r, (uint32_t)(r >> 32));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_cpu_that_has_everything_shows_only_what_is_allowed, set_up),
        cmocka_unit_test_setup(leaves_without_a_line_are_zero, set_up),
        cmocka_unit_test_setup(a_poor_cpu_shows_what_models_provide, set_up),
        cmocka_unit_test_setup(the_hypervisor_says_its_name, set_up),
        cmocka_unit_test_setup(the_tsc_frequency_is_exact_to_25_khz, set_up),
        cmocka_unit_test_setup(topology_is_the_vms, set_up),
        cmocka_unit_test_setup(caches_are_shared_as_the_vm_has_cores, set_up),
        cmocka_unit_test_setup(bits_that_follow_the_vcpu, set_up),
        cmocka_unit_test_setup(xsave_sizes_follow_xcr0, set_up),
        cmocka_unit_test_setup(without_avx512_nothing_speaks_of_it, set_up),
        cmocka_unit_test_setup(too_large_components_are_hidden, set_up),
        cmocka_unit_test_setup(xcr0_follows_its_rules, set_up),
        cmocka_unit_test_setup(hidden_cr4_bits_are_refused, set_up),
        cmocka_unit_test_setup(process_contexts_start_with_none, set_up),
        cmocka_unit_test_setup(paging_and_long_mode_follow_their_rules, set_up),
        cmocka_unit_test_setup(contradictions_in_cr0_are_refused, set_up),
        cmocka_unit_test_setup(svme_is_not_a_guests, set_up),
        cmocka_unit_test_setup(any_leaf_is_answered, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
