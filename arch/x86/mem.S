/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bulk memory with general registers. The string instructions take any alignment, and every
 * CPU that virtualizes moves a cache line at a time with them (SDM 1 7.3.9.3).
 */
    .text

/* void asm_mem_copy(void *dst, const void *src, size_t bytes) */
    .global asm_mem_copy
    .balign 16
asm_mem_copy:
    movq    %rdx, %rcx
    shrq    $3, %rcx
    rep movsq
    movl    %edx, %ecx
    andl    $7, %ecx
    rep movsb
    ret

/* void asm_block_fill(void *dst, uint64_t pattern, size_t bytes) */
    .global asm_block_fill
    .balign 16
asm_block_fill:
    movq    %rsi, %rax
    movq    %rdx, %rcx
    shrq    $3, %rcx
    rep stosq
    testb   $4, %dl /* the rest: from the pattern's low end */
    jz      1f
    stosl
    shrq    $32, %rax
1:  testb   $2, %dl
    jz      2f
    stosw
    shrl    $16, %eax
2:  testb   $1, %dl
    jz      3f
    stosb
3:  ret

/* void asm_mem_zero(void *dst, size_t bytes) */
/* void arch_zero_for_guest(void *page, size_t bytes): caches are coherent for everybody */
    .global asm_mem_zero, arch_zero_for_guest
    .balign 16
asm_mem_zero:
arch_zero_for_guest:
    movq    %rsi, %rdx
    xorl    %esi, %esi
    jmp     asm_block_fill

/* void arch_clean_for_guest(const void *start, size_t bytes) */
/* void arch_sync_instructions(void): instruction fetches snoop, an entry serializes */
    .global arch_clean_for_guest, arch_sync_instructions
arch_clean_for_guest:
arch_sync_instructions:
    ret

    .section .note.GNU-stack, "", @progbits
