/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where the linker put the parts of this image (linker/<arch>.lds.S), page-aligned.
 */
#pragma once

extern char __image_start[], __image_end[];
extern char __text_start[], __text_end[];              /* read, execute */
extern char __rodata_start[], __rodata_end[];          /* read */
extern char __data_start[], __data_end[];              /* read, write; with bss */
extern char __sealed_start[], __sealed_end[];          /* inside data: read only after init */
extern char __boot_stack_bottom[], __boot_stack_top[]; /* with a guard page below */

/* Written during boot, read-only ever after. */
#define SEALED __attribute__((section(".sealed")))
