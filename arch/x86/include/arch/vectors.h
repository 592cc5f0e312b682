/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The host's interrupt vectors, which are also its interrupt numbers (kernel/irq.h). All of
 * them are in the last 64, so that what arrived on a CPU is one word.
 *
 *     0..31 exceptions   32..191 none   192..239 I/O APIC   252 kick   253 timer   255 spurious
 */
#pragma once

#define VECTOR_FIRST 192
#define VECTOR_GSI_BASE 192 /* + global system interrupt */
#define VECTOR_GSI_COUNT 48
#define VECTOR_KICK 252
#define VECTOR_TIMER 253
#define VECTOR_SPURIOUS 255
