/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The image: linked at LAYOUT_IMAGE, loaded at any 2 MiB-aligned physical address, and no
 * larger than one 2 MiB block, bss included.
 *
 *     text (RX) | rodata (R) | data, then read-only after init | bss (RW) | guard | boot stack
 */
#define IMAGE_BASE 0x800000000000
#define PAGE 4096

ENTRY(_start)

SECTIONS
{
    . = IMAGE_BASE;
    __image_start = .;

    .text : {
        __text_start = .;
        KEEP(*(.text.header))
        *(.text .text.*)
        . = ALIGN(PAGE);
        __text_end = .;
    }
    .rodata : {
        __rodata_start = .;
        *(.rodata .rodata.*)
        . = ALIGN(PAGE);
        __rodata_end = .;
    }
    .data : {
        __data_start = .;
        *(.data .data.*)
        . = ALIGN(PAGE);
        __sealed_start = .;
        *(.sealed)
        . = ALIGN(PAGE);
        __sealed_end = .;
    }
    __load_end = .;
    .bss (NOLOAD) : {
        __bss_start = .;
        *(.bss .bss.* COMMON)
        . = ALIGN(PAGE);
        __bss_end = .;
        __boot_tables_start = .;
        *(.boot_tables)
        . = ALIGN(PAGE);
        __data_end = .;
        . += PAGE; /* guard: never mapped */
        __boot_stack_bottom = .;
        . += 4 * PAGE;
        __boot_stack_top = .;
    }
    __image_end = .;
    __image_bytes = ABSOLUTE(__image_end - __image_start);

    /DISCARD/ : {
        *(.comment) *(.note .note.*) *(.eh_frame .eh_frame_hdr) *(.ARM.attributes)
    }
}

ASSERT(__image_end - __image_start <= 0x200000, "the image and its bss must fit one 2 MiB block")
