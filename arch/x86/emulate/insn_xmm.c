/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The moves of XMM registers from and to memory that have no VEX prefix: each is an opcode with
 * one of four prefixes. SDM 2A appendix A, table A-3; the loads and stores alone.
 */
#include "arch/bits.h"
#include "arch/x86/emulate/insn_table.h"

enum prefix { PLAIN, WITH_66, WITH_F2, WITH_F3 };

static const struct {
    uint8_t map, opcode, prefix;
    uint8_t form, size, flags;
} moves[] = {
    { 1, 0x10, PLAIN, FORM_REG_RM, 16, 0 }, /* MOVUPS, MOVUPD, MOVSS, MOVSD */
    { 1, 0x10, WITH_66, FORM_REG_RM, 16, 0 },
    { 1, 0x10, WITH_F3, FORM_REG_RM, 4, 0 },
    { 1, 0x10, WITH_F2, FORM_REG_RM, 8, 0 },
    { 1, 0x11, PLAIN, FORM_RM_REG, 16, 0 },
    { 1, 0x11, WITH_66, FORM_RM_REG, 16, 0 },
    { 1, 0x11, WITH_F3, FORM_RM_REG, 4, 0 },
    { 1, 0x11, WITH_F2, FORM_RM_REG, 8, 0 },
    { 1, 0x12, PLAIN, FORM_REG_RM, 8, XMM_KEEPS }, /* MOVLPS, MOVLPD */
    { 1, 0x12, WITH_66, FORM_REG_RM, 8, XMM_KEEPS },
    { 1, 0x13, PLAIN, FORM_RM_REG, 8, 0 },
    { 1, 0x13, WITH_66, FORM_RM_REG, 8, 0 },
    { 1, 0x16, PLAIN, FORM_REG_RM, 8, XMM_HIGH | XMM_KEEPS }, /* MOVHPS, MOVHPD */
    { 1, 0x16, WITH_66, FORM_REG_RM, 8, XMM_HIGH | XMM_KEEPS },
    { 1, 0x17, PLAIN, FORM_RM_REG, 8, XMM_HIGH },
    { 1, 0x17, WITH_66, FORM_RM_REG, 8, XMM_HIGH },
    { 1, 0x28, PLAIN, FORM_REG_RM, 16, XMM_ALIGNED }, /* MOVAPS, MOVAPD */
    { 1, 0x28, WITH_66, FORM_REG_RM, 16, XMM_ALIGNED },
    { 1, 0x29, PLAIN, FORM_RM_REG, 16, XMM_ALIGNED },
    { 1, 0x29, WITH_66, FORM_RM_REG, 16, XMM_ALIGNED },
    { 1, 0x2b, PLAIN, FORM_RM_REG, 16, XMM_ALIGNED }, /* MOVNTPS, MOVNTPD */
    { 1, 0x2b, WITH_66, FORM_RM_REG, 16, XMM_ALIGNED },
    { 1, 0x6e, WITH_66, FORM_REG_RM, 0, 0 }, /* MOVD, MOVQ: as the operand size says */
    { 1, 0x7e, WITH_66, FORM_RM_REG, 0, 0 },
    { 1, 0x7e, WITH_F3, FORM_REG_RM, 8, 0 }, /* MOVQ */
    { 1, 0xd6, WITH_66, FORM_RM_REG, 8, 0 },
    { 1, 0x6f, WITH_66, FORM_REG_RM, 16, XMM_ALIGNED }, /* MOVDQA, MOVDQU */
    { 1, 0x6f, WITH_F3, FORM_REG_RM, 16, 0 },
    { 1, 0x7f, WITH_66, FORM_RM_REG, 16, XMM_ALIGNED },
    { 1, 0x7f, WITH_F3, FORM_RM_REG, 16, 0 },
    { 1, 0xe7, WITH_66, FORM_RM_REG, 16, XMM_ALIGNED }, /* MOVNTDQ */
    { 1, 0xf0, WITH_F2, FORM_REG_RM, 16, 0 },           /* LDDQU */
    { 2, 0x2a, WITH_66, FORM_REG_RM, 16, XMM_ALIGNED }, /* MOVNTDQA */
};

static unsigned prefix_of(bool prefix_66, const struct insn *insn)
{
    if (insn->repeat != REPEAT_NONE)
        return insn->repeat == REPEAT_F2 ? WITH_F2 : WITH_F3;
    return prefix_66 ? WITH_66 : PLAIN;
}

void insn_find_xmm(unsigned map, bool prefix_66, struct insn *out)
{
    const unsigned prefix = prefix_of(prefix_66, out);

    for (size_t i = 0; i < ARRAY_SIZE(moves); i++) {
        if (moves[i].opcode != out->opcode || moves[i].map != map || moves[i].prefix != prefix)
            continue;
        out->op = INSN_MOVE_XMM;
        out->form = moves[i].form;
        out->xmm = moves[i].flags;
        out->memory_size = moves[i].size != 0 ? moves[i].size : MAX(out->size, (uint8_t)4);
        return;
    }
}
