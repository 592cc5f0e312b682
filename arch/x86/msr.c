/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * MSR policy, a line each, and what is kept for the guest. See msr.h.
 *
 *     passed      no exit; the backend switches it
 *     model       the local APIC's: vm/ answers
 *     zero        reads as zero, writes are swallowed: knobs of power management, debugging
 *                 and errata that kernels touch without asking CPUID
 *     functions   emulated; no write function: #GP
 *     no line     #GP
 */
#include "arch/x86/msr.h"

#include <arch/cpu.h>

#include "arch/timer.h"
#include "arch/x86/control.h"
#include "arch/x86/cpuid.h"
#include "arch/x86/guest.h"

/* IA32_MISC_ENABLE: fast strings; no branch trace, no precise sampling. */
#define MISC_ENABLE_RESET (BIT(0) | BIT(11) | BIT(12))
#define MISC_ENABLE_WRITABLE (BIT(0) | BIT(22) | BIT(34))

#define FEATURE_CONTROL_LOCKED BIT(0)

#define MTRRCAP_FIXED BIT(8)
#define MTRRCAP_WC BIT(10)
#define MTRR_DEFAULT_TYPE GENMASK(7, 0)
#define MTRR_DEFAULT_FIXED BIT(10)
#define MTRR_DEFAULT_ENABLE BIT(11)
#define MTRR_MASK_VALID BIT(11)
#define MTRR_WRITE_BACK 6
#define MTRR_ALL_WRITE_BACK 0x0606060606060606ULL

#define PLATFORM_INFO_RATIO GENMASK(15, 8) /* of 100 MHz, not turbo */
#define HWCR_TSC_FREQ_SEL BIT(24)          /* the TSC counts at P0's frequency */
#define DE_CFG_LFENCE_SERIALIZE BIT(1)

struct msr {
    uint32_t first, last;
    uint8_t policy; /* enum policy */
    uint64_t (*read)(const struct hv_vcpu *vcpu, uint32_t index);
    bool (*write)(struct hv_vcpu *vcpu, uint32_t index, uint64_t value); /* false: #GP */
};

enum policy { EMULATED, PASSED, MODEL, ZERO };

/* --- time --- */

static uint64_t read_tsc(const struct hv_vcpu *vcpu, uint32_t index)
{
    (void)index;
    return arch_counter() + vcpu->tsc_offset;
}

static void move_tsc(struct hv_vcpu *vcpu, uint64_t by)
{
    vcpu->tsc_offset += by;
    vcpu->msrs.tsc_adjust += by;
    x86_guest->set(vcpu, REG_TSC_OFFSET, vcpu->tsc_offset);
}

static bool write_tsc(struct hv_vcpu *vcpu, uint32_t index, uint64_t value)
{
    move_tsc(vcpu, value - read_tsc(vcpu, index));
    return true;
}

static uint64_t read_tsc_adjust(const struct hv_vcpu *vcpu, uint32_t index)
{
    (void)index;
    return vcpu->msrs.tsc_adjust;
}

static bool write_tsc_adjust(struct hv_vcpu *vcpu, uint32_t index, uint64_t value)
{
    (void)index;
    move_tsc(vcpu, value - vcpu->msrs.tsc_adjust);
    return true;
}

/* --- memory types --- */

/* UC WC WT WP WB, and for PAT also UC-. */
static bool is_memory_type(uint64_t type)
{
    return type <= 6 && type != 2 && type != 3;
}

static bool are_types(uint64_t value, bool pat)
{
    for (unsigned i = 0; i < 8; i++, value >>= 8)
        if (!is_memory_type(value & 0xff) && !(pat && (value & 0xff) == 7))
            return false;
    return true;
}

static uint64_t read_pat(const struct hv_vcpu *vcpu, uint32_t index)
{
    (void)index;
    return x86_guest->get(vcpu, REG_PAT);
}

static bool write_pat(struct hv_vcpu *vcpu, uint32_t index, uint64_t value)
{
    (void)index;
    if (!are_types(value, true))
        return false;
    x86_guest->set(vcpu, REG_PAT, value);
    return true;
}

static uint64_t read_mtrrcap(const struct hv_vcpu *vcpu, uint32_t index)
{
    (void)vcpu;
    (void)index;
    return X86_MTRR_VARIABLE | MTRRCAP_FIXED | MTRRCAP_WC;
}

static uint64_t read_mtrr_default(const struct hv_vcpu *vcpu, uint32_t index)
{
    (void)index;
    return vcpu->msrs.mtrr_default;
}

static bool write_mtrr_default(struct hv_vcpu *vcpu, uint32_t index, uint64_t value)
{
    (void)index;
    if (value & ~(MTRR_DEFAULT_TYPE | MTRR_DEFAULT_FIXED | MTRR_DEFAULT_ENABLE) ||
        !is_memory_type(value & MTRR_DEFAULT_TYPE))
        return false;
    vcpu->msrs.mtrr_default = value;
    return true;
}

/* 0x250, 0x258, 0x259, 0x268 to 0x26f: in that order. */
static unsigned fixed_index(uint32_t index)
{
    if (index >= 0x268)
        return index - 0x268 + 3;
    return index >= 0x258 ? index - 0x258 + 1 : 0;
}

static uint64_t read_mtrr_fixed(const struct hv_vcpu *vcpu, uint32_t index)
{
    return vcpu->msrs.mtrr_fixed[fixed_index(index)];
}

static bool write_mtrr_fixed(struct hv_vcpu *vcpu, uint32_t index, uint64_t value)
{
    if (!are_types(value, false))
        return false;
    vcpu->msrs.mtrr_fixed[fixed_index(index)] = value;
    return true;
}

static uint64_t read_mtrr_variable(const struct hv_vcpu *vcpu, uint32_t index)
{
    return vcpu->msrs.mtrr_variable[index - MSR_MTRR_VARIABLE];
}

/* A base has a type, a mask a valid bit; both stay within the physical addresses. */
static bool write_mtrr_variable(struct hv_vcpu *vcpu, uint32_t index, uint64_t value)
{
    const uint64_t address = GENMASK(x86_features.physical_bits - 1, PAGE_SHIFT);
    const bool is_mask = index & 1;

    if (value & ~(address | (is_mask ? MTRR_MASK_VALID : MTRR_DEFAULT_TYPE)) ||
        (!is_mask && !is_memory_type(value & MTRR_DEFAULT_TYPE)))
        return false;
    vcpu->msrs.mtrr_variable[index - MSR_MTRR_VARIABLE] = value;
    return true;
}

/* --- modes and identification --- */

static uint64_t read_efer(const struct hv_vcpu *vcpu, uint32_t index)
{
    (void)index;
    return x86_guest->get(vcpu, REG_EFER);
}

static bool write_efer(struct hv_vcpu *vcpu, uint32_t index, uint64_t value)
{
    (void)index;
    return x86_set_efer(vcpu, value);
}

static uint64_t read_misc_enable(const struct hv_vcpu *vcpu, uint32_t index)
{
    (void)index;
    return vcpu->msrs.misc_enable;
}

/* Bits that would switch something off or on that is not there stay as they are. */
static bool write_misc_enable(struct hv_vcpu *vcpu, uint32_t index, uint64_t value)
{
    (void)index;
    vcpu->msrs.misc_enable =
        (vcpu->msrs.misc_enable & ~MISC_ENABLE_WRITABLE) | (value & MISC_ENABLE_WRITABLE);
    return true;
}

static uint64_t read_feature_control(const struct hv_vcpu *vcpu, uint32_t index)
{
    (void)vcpu;
    (void)index;
    return FEATURE_CONTROL_LOCKED;
}

/* Microcode: the host's revision. On Intel's it is in the high half. */
static uint64_t read_bios_sign(const struct hv_vcpu *vcpu, uint32_t index)
{
    (void)vcpu;
    return rdmsr(index);
}

static bool ignore(struct hv_vcpu *vcpu, uint32_t index, uint64_t value)
{
    (void)vcpu;
    (void)index;
    (void)value;
    return true;
}

static uint64_t read_platform_info(const struct hv_vcpu *vcpu, uint32_t index)
{
    (void)vcpu;
    (void)index;
    return FIELD_PREP(PLATFORM_INFO_RATIO, arch_counter_hz() / 100000000);
}

static uint64_t read_hwcr(const struct hv_vcpu *vcpu, uint32_t index)
{
    (void)vcpu;
    (void)index;
    return HWCR_TSC_FREQ_SEL;
}

static uint64_t read_de_cfg(const struct hv_vcpu *vcpu, uint32_t index)
{
    (void)vcpu;
    (void)index;
    return DE_CFG_LFENCE_SERIALIZE;
}

#define ONE(index) (index), (index)

/* The hot ones first. */
/* clang-format off */
static const struct msr msrs[] = {
    { ONE(MSR_TSC_DEADLINE),         MODEL,    NULL, NULL },
    { MSR_X2APIC_FIRST, MSR_X2APIC_LAST, MODEL, NULL, NULL },
    { ONE(MSR_APIC_BASE),            MODEL,    NULL, NULL },
    { ONE(MSR_EFER),                 EMULATED, read_efer, write_efer },
    { ONE(MSR_TSC),                  EMULATED, read_tsc, write_tsc },
    { ONE(MSR_TSC_ADJUST),           EMULATED, read_tsc_adjust, write_tsc_adjust },

    { MSR_SYSENTER_CS, MSR_SYSENTER_EIP, PASSED, NULL, NULL },
    { MSR_STAR, MSR_SFMASK,              PASSED, NULL, NULL }, /* LSTAR, CSTAR between them */
    { MSR_FS_BASE, MSR_TSC_AUX,          PASSED, NULL, NULL }, /* GS_BASE, KERNEL_GS_BASE */

    { ONE(MSR_PAT),                  EMULATED, read_pat, write_pat },
    { ONE(MSR_MTRRCAP),              EMULATED, read_mtrrcap, NULL },
    { ONE(MSR_MTRR_DEFAULT),         EMULATED, read_mtrr_default, write_mtrr_default },
    { ONE(0x250),                    EMULATED, read_mtrr_fixed, write_mtrr_fixed },
    { 0x258, 0x259,                  EMULATED, read_mtrr_fixed, write_mtrr_fixed },
    { 0x268, 0x26f,                  EMULATED, read_mtrr_fixed, write_mtrr_fixed },
    { MSR_MTRR_VARIABLE, MSR_MTRR_VARIABLE + 2 * X86_MTRR_VARIABLE - 1,
                                     EMULATED, read_mtrr_variable, write_mtrr_variable },

    { ONE(MSR_MISC_ENABLE),          EMULATED, read_misc_enable, write_misc_enable },
    { ONE(MSR_FEATURE_CONTROL),      EMULATED, read_feature_control, NULL },
    { ONE(MSR_BIOS_SIGN),            EMULATED, read_bios_sign, ignore },
    { ONE(0xce),                     EMULATED, read_platform_info, NULL },
    { 0x00, 0x01,                    ZERO,     NULL, NULL }, /* P5 machine check */
    { ONE(0x17),                     ZERO,     NULL, NULL }, /* PLATFORM_ID */
    { ONE(0x2a),                     ZERO,     NULL, NULL }, /* EBL_CR_POWERON */
    { ONE(0x34),                     ZERO,     NULL, NULL }, /* SMI_COUNT */
    { ONE(0x79),                     ZERO,     NULL, NULL }, /* BIOS_UPDT_TRIG */
    { ONE(0xcd),                     ZERO,     NULL, NULL }, /* FSB_FREQ */
    { ONE(0xe2),                     ZERO,     NULL, NULL }, /* PKG_CST_CONFIG_CONTROL */
    { ONE(0x119),                    ZERO,     NULL, NULL }, /* BBL_CR_CTL */
    { ONE(0x11e),                    ZERO,     NULL, NULL }, /* BBL_CR_CTL3 */
    { MSR_MCG_CAP, MSR_MCG_CAP + 2,  ZERO,     NULL, NULL }, /* no banks; STATUS, CTL */
    { 0x198, 0x199,                  ZERO,     NULL, NULL }, /* PERF_STATUS, PERF_CTL */
    { 0x19a, 0x19d,                  ZERO,     NULL, NULL }, /* clock modulation, thermal */
    { ONE(0x1a2),                    ZERO,     NULL, NULL }, /* TEMPERATURE_TARGET */
    { ONE(0x1a4),                    ZERO,     NULL, NULL }, /* MISC_FEATURE_CONTROL */
    { ONE(0x1aa),                    ZERO,     NULL, NULL }, /* MISC_PWR_MGMT */
    { ONE(0x1ad),                    ZERO,     NULL, NULL }, /* TURBO_RATIO_LIMIT */
    { ONE(0x1b0),                    ZERO,     NULL, NULL }, /* ENERGY_PERF_BIAS */
    { ONE(MSR_DEBUGCTL),             ZERO,     NULL, NULL },
    { 0x1db, 0x1de,                  ZERO,     NULL, NULL }, /* last branch and exception */
    { ONE(0x1fc),                    ZERO,     NULL, NULL }, /* POWER_CTL */
    { 0x606, 0x606,                  ZERO,     NULL, NULL }, /* RAPL_POWER_UNIT */

    { 0xc0010000, 0xc0010007,        ZERO,     NULL, NULL }, /* PERF_CTL0-3, PERF_CTR0-3 */
    { ONE(0xc0010010),               ZERO,     NULL, NULL }, /* SYSCFG */
    { ONE(0xc0010015),               EMULATED, read_hwcr, ignore },
    { 0xc0010016, 0xc001001a,        ZERO,     NULL, NULL }, /* IORRs, TOP_MEM */
    { ONE(0xc001001d),               ZERO,     NULL, NULL }, /* TOM2 */
    { ONE(0xc001001f),               ZERO,     NULL, NULL }, /* NB_CFG */
    { ONE(0xc0010020),               ZERO,     NULL, NULL }, /* PATCH_LOADER */
    { ONE(0xc0010055),               ZERO,     NULL, NULL }, /* interrupt pending message */
    { ONE(0xc0010058),               ZERO,     NULL, NULL }, /* MMIO_CONF_BASE */
    { 0xc0011004, 0xc0011005,        ZERO,     NULL, NULL }, /* CPUID feature overrides */
    { 0xc0011020, 0xc0011023,        ZERO,     NULL, NULL }, /* LS_CFG, IC_CFG, DC_CFG, BU_CFG */
    { ONE(0xc0011029),               EMULATED, read_de_cfg, ignore },
    { ONE(0xc001102a),               ZERO,     NULL, NULL }, /* BU_CFG2 */
};
/* clang-format on */

static const struct msr *find(uint32_t index)
{
    for (size_t i = 0; i < ARRAY_SIZE(msrs); i++)
        if (index - msrs[i].first <= msrs[i].last - msrs[i].first)
            return &msrs[i];
    return NULL;
}

enum x86_msr_result x86_msr_read(struct hv_vcpu *vcpu, uint32_t index, uint64_t *value)
{
    const struct msr *msr = find(index);

    *value = 0;
    if (msr == NULL || msr->policy == PASSED)
        return MSR_FAULT;
    if (msr->policy == MODEL)
        return MSR_MODEL;
    if (msr->read != NULL)
        *value = msr->read(vcpu, index);
    return MSR_DONE;
}

enum x86_msr_result x86_msr_write(struct hv_vcpu *vcpu, uint32_t index, uint64_t value)
{
    const struct msr *msr = find(index);

    if (msr == NULL || msr->policy == PASSED)
        return MSR_FAULT;
    if (msr->policy == MODEL)
        return MSR_MODEL;
    if (msr->policy == ZERO)
        return MSR_DONE;
    return msr->write != NULL && msr->write(vcpu, index, value) ? MSR_DONE : MSR_FAULT;
}

bool x86_msr_passed(unsigned i, struct x86_msr_range *out)
{
    for (size_t at = 0; at < ARRAY_SIZE(msrs); at++)
        if (msrs[at].policy == PASSED && i-- == 0) {
            *out = (struct x86_msr_range){ msrs[at].first, msrs[at].last };
            if (out->last == MSR_TSC_AUX && !x86_features.has_rdtscp)
                out->last--;
            return true;
        }
    return false;
}

void x86_msr_reset(struct hv_vcpu *vcpu)
{
    const uint64_t tsc_aux = vcpu->msrs.tsc_aux;

    vcpu->msrs = (struct x86_msrs){
        .tsc_aux = tsc_aux, /* switch.h's */
        .misc_enable = MISC_ENABLE_RESET,
        .mtrr_default = MTRR_DEFAULT_ENABLE | MTRR_DEFAULT_FIXED | MTRR_WRITE_BACK,
    };
    for (unsigned i = 0; i < X86_MTRR_FIXED; i++)
        vcpu->msrs.mtrr_fixed[i] = i == fixed_index(0x259) ? 0 : MTRR_ALL_WRITE_BACK;
    x86_guest->set(vcpu, REG_PAT, PAT_RESET);
    x86_guest->set(vcpu, REG_TSC_OFFSET, vcpu->tsc_offset);
}
