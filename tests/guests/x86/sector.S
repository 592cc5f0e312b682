/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A boot sector for the text-mode PC: prints on COM1 and on the VGA page, tells the keys that
 * are pressed until Enter, reads sector 1 of the disk with a REP INSW over a page boundary and
 * prints it, writes it back with its first letter counted up, prints "bye", and halts.
 */
#define COM1 0x3f8
#define VGA_SEGMENT 0xb800
#define ATTRIBUTE 0x07
#define IDE 0x1f0
#define KEYBOARD 0x60
#define KEYBOARD_STATUS 0x64
#define SCANCODE_ENTER 0x1c
#define BUFFER 0x1f00                   /* sector's end is in the next page */

    .code16
    .text
    .global _start
_start:
    cld
    xor     %ax, %ax
    mov     %ax, %ds
    mov     %ax, %ss
    mov     $0x7c00, %sp
    mov     $VGA_SEGMENT, %ax
    mov     %ax, %es
    xor     %di, %di

    mov     $greeting, %si
    call    print

keys:
    in      $KEYBOARD_STATUS, %al
    test    $1, %al
    jz      keys
    in      $KEYBOARD, %al
    test    $0x80, %al                  /* released */
    jnz     keys
    cmp     $SCANCODE_ENTER, %al
    je      disk
    mov     $key, %si
    mov     %al, %bl
    shr     $4, %al
    call    digit
    mov     %al, 4(%si)
    mov     %bl, %al
    and     $15, %al
    call    digit
    mov     %al, 5(%si)
    call    print
    jmp     keys

disk:
    mov     $0x20, %al                  /* READ SECTORS */
    call    command
    mov     $IDE, %dx
    push    %es
    push    %di
    push    %ds
    pop     %es
    mov     $BUFFER, %di
    mov     $256, %cx
    rep insw
    pop     %di
    pop     %es
    mov     $BUFFER, %si
    call    print
    incb    BUFFER
    mov     $0x30, %al                  /* WRITE SECTORS */
    call    command
    mov     $IDE, %dx
    mov     $BUFFER, %si
    mov     $256, %cx
    rep outsw
    mov     $0xe7, %al                  /* FLUSH CACHE */
    mov     $IDE + 7, %dx
    out     %al, %dx
    call    ready
    mov     $bye, %si
    call    print
halt:
    cli
    hlt
    jmp     halt

/* al to a hexadecimal digit */
digit:
    cmp     $10, %al
    sbb     $0x69, %al
    das
    ret

/* Sector 1 by command al; until there is data to move. */
command:
    push    %ax
    mov     $IDE + 2, %dx
    mov     $1, %al
    out     %al, %dx
    inc     %dx
    out     %al, %dx
    dec     %al
    inc     %dx
    out     %al, %dx
    inc     %dx
    out     %al, %dx
    inc     %dx
    mov     $0xe0, %al
    out     %al, %dx
    inc     %dx
    pop     %ax
    out     %al, %dx
    call    ready
    test    $8, %al                     /* DRQ */
    jz      failed
    ret
ready:
    in      %dx, %al
    test    $0x80, %al                  /* BSY */
    jnz     ready
    test    $0x21, %al                  /* DF, ERR */
    jnz     failed
    ret
failed:
    mov     $error, %si
    call    print
    jmp     halt

/* The string at ds:si on COM1, and at es:di in colour. */
print:
    lodsb
    test    %al, %al
    jz      1f
    mov     $ATTRIBUTE, %ah
    stosw
    mov     $COM1, %dx
    out     %al, %dx
    jmp     print
1:  ret

greeting:
    .asciz  "sector: hello;"
key:
    .asciz  " key__"
bye:
    .asciz  "bye"
error:
    .asciz  " error"

    .org    510
    .byte   0x55, 0xaa
