/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * First instructions of a test guest.
 *
 * The file starts with the arm64 `Image` header, whose first word is a branch over it, so the
 * same bytes work as a Linux image and as a raw binary entered at its first byte. The guest is
 * position-independent: it applies its own relocations.
 *
 *     x0: the device tree, 0 for none
 */
    .section .head, "ax"
    .global _start
_start:
    b       boot
    .word   0
    .quad   0                       /* text_offset: anywhere */
    .quad   image_size
    .quad   0xa                     /* little-endian, 4 KiB pages, anywhere in memory */
    .quad   0, 0, 0
    .ascii  "ARM\x64"
    .word   0

boot:
    mrs     x19, cntpct_el0         /* time since the machine's reset, for the bench */
    mov     x20, x0
    adrp    x0, stacks_end
    add     x0, x0, :lo12:stacks_end
    mov     sp, x0

    adrp    x1, bss_start
    add     x1, x1, :lo12:bss_start
    adrp    x2, bss_end
    add     x2, x2, :lo12:bss_end
1:  cmp     x1, x2
    b.hs    2f
    str     xzr, [x1], #8
    b       1b

    /* Every relocation is R_AARCH64_RELATIVE: *(base + offset) = base + addend. */
2:  adr     x3, _start
    adrp    x1, rela_start
    add     x1, x1, :lo12:rela_start
    adrp    x2, rela_end
    add     x2, x2, :lo12:rela_end
3:  cmp     x1, x2
    b.hs    4f
    ldp     x4, x5, [x1], #16
    ldr     x6, [x1], #8
    add     x6, x6, x3
    str     x6, [x3, x4]
    b       3b

4:  bl      cpu_setup
    mov     x0, x20
    mov     x1, x19
    bl      guest_start
    b       .

/* PSCI CPU_ON arrives here; x0: struct cpu_start { stack top, function, argument }. */
    .global secondary_start
secondary_start:
    ldp     x1, x19, [x0]
    ldr     x20, [x0, #16]
    mov     sp, x1
    bl      cpu_setup
    mov     x0, x20
    blr     x19
    b       .

cpu_setup:
    adrp    x0, vectors
    add     x0, x0, :lo12:vectors
    msr     vbar_el1, x0
    mov     x0, #3 << 20            /* SIMD registers may be used */
    msr     cpacr_el1, x0
    isb
    ret
