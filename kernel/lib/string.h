/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The parts of the C library that compilers and libfdt call, as the C standard describes
 * them. Unit tests link the C library's own instead.
 */
#pragma once

#include <stddef.h>

void *memcpy(void *restrict to, const void *restrict from, size_t bytes);
void *memmove(void *to, const void *from, size_t bytes);
void *memset(void *to, int byte, size_t bytes);
int memcmp(const void *a, const void *b, size_t bytes);
void *memchr(const void *in, int byte, size_t bytes);

size_t strlen(const char *text);
size_t strnlen(const char *text, size_t most);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t most);
char *strchr(const char *text, int c);
char *strrchr(const char *text, int c);
char *strstr(const char *text, const char *part);

/* Bases 0 (by prefix 0x, 0), and 2 to 36. Too large: ULONG_MAX. */
unsigned long strtoul(const char *restrict text, char **restrict end, int base);
