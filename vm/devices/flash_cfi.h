/* SPDX-License-Identifier: BSD-2-Clause */
/* What the flash chips tell about themselves: see flash_cfi.c. */
#pragma once

#include <stdint.h>

#define FLASH_BUFFER_LOG2 6u /* bytes of each chip's write buffer */

/* A chip's answer at `word` of the CFI query; its bank has two and is `bank_bytes` long. */
uint8_t flash_cfi_byte(uint64_t bank_bytes, uint64_t word);

/* A chip's answer at `word` in read-ID mode. */
uint8_t flash_id_byte(uint64_t word);
