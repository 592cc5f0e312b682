/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bulk memory with general registers. Called with the MMU on and alignment checks off, so that
 * any alignment works on normal memory.
 *
 *     copy, fill   64 bytes a turn, then what the bits of the rest's length say: 32, 16, 8, …
 *     zero         DC ZVA in the middle where the CPU allows it
 */

/* DCZID_EL0 and CTR_EL0: 4-byte words, as a power of two; DZP prohibits DC ZVA. */
#define DCZID_DZP_BIT 4
#define DCZID_64_BYTES 4
#define CTR_DMINLINE_SHIFT 16

    .text

/* void asm_mem_copy(void *dst, const void *src, size_t bytes) */
    .global asm_mem_copy
    .balign 64
asm_mem_copy:
    subs    x2, x2, #64
    b.lo    2f
1:  ldp     x4, x5, [x1]
    ldp     x6, x7, [x1, #16]
    ldp     x8, x9, [x1, #32]
    ldp     x10, x11, [x1, #48]
    add     x1, x1, #64
    stp     x4, x5, [x0]
    stp     x6, x7, [x0, #16]
    stp     x8, x9, [x0, #32]
    stp     x10, x11, [x0, #48]
    add     x0, x0, #64
    subs    x2, x2, #64
    b.hs    1b
2:  tbz     x2, #5, 3f /* the low six bits are still those of the length */
    ldp     x4, x5, [x1], #16
    ldp     x6, x7, [x1], #16
    stp     x4, x5, [x0], #16
    stp     x6, x7, [x0], #16
3:  tbz     x2, #4, 4f
    ldp     x4, x5, [x1], #16
    stp     x4, x5, [x0], #16
4:  tbz     x2, #3, 5f
    ldr     x4, [x1], #8
    str     x4, [x0], #8
5:  tbz     x2, #2, 6f
    ldr     w4, [x1], #4
    str     w4, [x0], #4
6:  tbz     x2, #1, 7f
    ldrh    w4, [x1], #2
    strh    w4, [x0], #2
7:  tbz     x2, #0, 8f
    ldrb    w4, [x1]
    strb    w4, [x0]
8:  ret

/* void asm_block_fill(void *dst, uint64_t pattern, size_t bytes) */
    .global asm_block_fill
    .balign 64
asm_block_fill:
    subs    x2, x2, #64
    b.lo    2f
1:  stp     x1, x1, [x0]
    stp     x1, x1, [x0, #16]
    stp     x1, x1, [x0, #32]
    stp     x1, x1, [x0, #48]
    add     x0, x0, #64
    subs    x2, x2, #64
    b.hs    1b
2:  tbz     x2, #5, 3f
    stp     x1, x1, [x0], #16
    stp     x1, x1, [x0], #16
3:  tbz     x2, #4, 4f
    stp     x1, x1, [x0], #16
4:  tbz     x2, #3, 5f
    str     x1, [x0], #8
5:  tbz     x2, #2, 6f /* from here on the pattern is used up from its low end */
    str     w1, [x0], #4
    lsr     x1, x1, #32
6:  tbz     x2, #1, 7f
    strh    w1, [x0], #2
    lsr     x1, x1, #16
7:  tbz     x2, #0, 8f
    strb    w1, [x0]
8:  ret

/*
 * void asm_mem_zero(void *dst, size_t bytes)
 *
 *     x3: size of a ZVA block, x4: start of the first whole block, x5: end of the last one
 */
    .global asm_mem_zero
    .balign 64
asm_mem_zero:
    mov     x2, x1
    mov     x1, xzr
    cmp     x2, #256
    b.lo    asm_block_fill
    mrs     x6, dczid_el0
    tbnz    x6, #DCZID_DZP_BIT, asm_block_fill
    mov     w3, #4
    lsl     w3, w3, w6 /* the block size field is alone in the bits that count */
    sub     x7, x3, #1
    add     x4, x0, x7
    bic     x4, x4, x7
    add     x5, x0, x2
    bic     x5, x5, x7
    cmp     x4, x5
    b.hs    asm_block_fill
    add     x8, x0, x2
1:  stp     xzr, xzr, [x0], #16 /* up to the first block, and up to 15 bytes into it */
    cmp     x0, x4
    b.lo    1b
2:  add     x6, x4, x3, lsl #3
    cmp     x6, x5
    b.hi    3f
    .rept 8
    dc      zva, x4
    add     x4, x4, x3
    .endr
    b       2b
3:  cmp     x4, x5
    b.hs    4f
    dc      zva, x4
    add     x4, x4, x3
    b       3b
4:  mov     x0, x5
    sub     x2, x8, x5
    b       asm_block_fill

/*
 * void arch_clean_for_guest(const void *start, size_t bytes)
 *
 * Cleaned and invalidated: a line that stayed would hide from the guest, once its caches are
 * on, what it wrote while they were off.
 */
    .global arch_clean_for_guest
    .balign 64
arch_clean_for_guest:
    cbz     x1, 2f
    mrs     x3, ctr_el0
    ubfx    x3, x3, #CTR_DMINLINE_SHIFT, #4
    mov     x2, #4
    lsl     x2, x2, x3
    add     x1, x0, x1
    sub     x3, x2, #1
    bic     x0, x0, x3
1:  dc      civac, x0
    add     x0, x0, x2
    cmp     x0, x1
    b.lo    1b
    dsb     sy
2:  ret

/*
 * void arch_zero_for_guest(void *page, size_t bytes)
 *
 * Lines and ZVA blocks of 64 bytes, as nearly every CPU has: three instructions for each.
 */
    .global arch_zero_for_guest
    .balign 64
arch_zero_for_guest:
    mrs     x2, dczid_el0
    and     x2, x2, #0x1f /* with DZP: allowed */
    mrs     x3, ctr_el0
    ubfx    x3, x3, #CTR_DMINLINE_SHIFT, #4
    cmp     x2, #DCZID_64_BYTES
    ccmp    x3, #4, #0, eq
    b.ne    3f
    cbz     x1, 2f
    add     x1, x0, x1
1:  .rept 64
    dc      zva, x0
    dc      civac, x0
    add     x0, x0, #64
    .endr
    cmp     x0, x1
    b.lo    1b
    dsb     sy
2:  ret
3:  stp     x29, x30, [sp, #-32]!
    stp     x0, x1, [sp, #16]
    mov     x29, sp
    bl      asm_mem_zero
    ldp     x0, x1, [sp, #16]
    ldp     x29, x30, [sp], #32
    b       arch_clean_for_guest

/* void arch_sync_instructions(void) */
    .global arch_sync_instructions
arch_sync_instructions:
    dsb     ish
    ic      ialluis
    dsb     ish
    isb
    ret
