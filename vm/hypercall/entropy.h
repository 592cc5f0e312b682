/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random numbers for guests: a ChaCha20 generator that forgets its key after each answer, so
 * that what one guest was given tells nothing about what another gets.
 *
 * It is as good as its seed. entropy_add takes what the firmware or a device gives; without
 * any, all there is are the moments of calls on the CPU's counter, which a patient observer
 * could guess.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Mixes bytes into the key. Any CPU. */
void entropy_add(const void *bytes, size_t count);

void entropy_get(void *to, size_t bytes);
