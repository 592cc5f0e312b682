/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One instruction being emulated: what the files behind emulate.h share.
 *
 *     emulate.c  fetch, dispatch, retire or inject
 *     memory.c   segment:offset -> linear -> guest-physical -> bus
 *     data.c     moves and arithmetic with one operand in memory
 *     stack.c    PUSH and POP
 *     wide.c     operands of two registers' width
 *     string.c   string instructions
 *     watch.c    breakpoints
 *
 * Functions return OK, or what ends the instruction: with `outcome` set, an event that the
 * guest sees (ERR_BAD_STATE then); else an error of the bus.
 */
#pragma once

#include "arch/x86/emulate/insn.h"
#include "arch/x86/emulate/walk.h"
#include "arch/x86/exception.h"
#include "arch/x86/guest.h"

/* x86_segment_state.attributes, SDM 3A 3.4.5. */
#define SEGMENT_WRITE_OR_READ BIT(1) /* data: writable; code: readable */
#define SEGMENT_DOWN BIT(2)          /* data: expand-down; code: conforming */
#define SEGMENT_CODE BIT(3)
#define SEGMENT_PRESENT BIT(7)
#define SEGMENT_LONG BIT(9)
#define SEGMENT_BIG BIT(10)

enum emulation_outcome {
    OUTCOME_NONE,
    OUTCOME_FAULT, /* `fault` */
    OUTCOME_AGAIN, /* RIP stays: the CPU runs the instruction again */
    OUTCOME_STEP,  /* the same, and the guest takes a trap behind a string's element */
};

/* By which values of a breakpoint's R/W it is met. */
enum emulation_watch { WATCH_READ = BIT(3), WATCH_WRITE = BIT(3) | BIT(1), WATCH_PORT = BIT(2) };

/* An instruction's memory operands, each with its segment and the page last translated. */
enum emulation_slot { SLOT_SOURCE, SLOT_TARGET, SLOT_COUNT };

struct emulation_window {
    bool has_segment, has_page, writable;
    struct x86_segment_state segment;
    uint64_t page; /* linear */
    gpa_t frame;
};

struct emulation {
    struct hv_vcpu *vcpu;
    const struct vm_exit *exit;
    const struct hv_bus *bus;
    struct x86_paging paging;
    struct insn insn;
    enum insn_mode mode;
    bool descriptors; /* neither real nor virtual-8086 mode: segments have rights */
    bool one_operand; /* in memory: the exit's address is its */
    uint8_t cpl;
    uint64_t rip, rflags;
    uint64_t watched; /* watch.h's */
    uint64_t met;     /* breakpoints, as bits of DR6 */
    enum emulation_outcome outcome;
    struct {
        uint64_t address; /* of a page fault */
        uint32_t error;
        uint8_t vector;
    } fault;
    struct emulation_window window[SLOT_COUNT];
};

/* An operand in memory, in at most two pages. */
struct place {
    gpa_t first, second;
    uint8_t size;
    uint8_t in_first; /* bytes of it in the first page */
};

/* All return ERR_BAD_STATE, to be returned further. */
status_t emulate_raise(struct emulation *e, uint8_t vector);
status_t emulate_again(struct emulation *e);
status_t emulate_step(struct emulation *e);

/* Notes the breakpoints that an access meets, if any is on: a linear address, or a port. */
void emulate_watch(struct emulation *e, enum emulation_watch kinds, uint64_t at, unsigned size);

/* General registers by the operand's size; AH, CH, DH, BH where the instruction means them. */
uint64_t emulate_get(const struct emulation *e, unsigned reg, unsigned size);
void emulate_set(struct emulation *e, unsigned reg, unsigned size, uint64_t value);

/* Offset within its segment of the instruction's memory operand. */
uint64_t emulate_offset(const struct emulation *e);

/* `access`: PF_WRITE, PF_FETCH or 0. */
status_t emulate_translate(struct emulation *e, uint64_t linear, uint32_t access, gpa_t *out);

/* With all checks of segmentation and paging; faults are raised before anything is accessed. */
status_t emulate_locate(struct emulation *e, enum emulation_slot slot, enum x86_segment segment,
                        uint64_t offset, unsigned size, bool write, struct place *out);
status_t emulate_load(struct emulation *e, const struct place *place, uint64_t *value);
status_t emulate_store(struct emulation *e, const struct place *place, uint64_t value);

/* By INSN_ADD to INSN_CMPXCHG; PUSH and POP; two registers wide; INSN_MOVS to INSN_OUTS. */
status_t emulate_data(struct emulation *e);
status_t emulate_stack(struct emulation *e);
status_t emulate_wide(struct emulation *e);
status_t emulate_string(struct emulation *e);
