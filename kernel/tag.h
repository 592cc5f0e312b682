/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tags of guest address spaces in the TLB (VMID, ASID, VPID): few, so they are recycled. A
 * freed tag rests, since TLBs may still know it, until no other is left; then all TLBs forget
 * everything, once for all tags that rest.
 */
#pragma once

#include "arch/status.h"

#include <stdint.h>

/* A tag no live guest has and no TLB knows, never 0. ERR_NO_MEMORY: all in use. */
status_t tag_alloc(uint32_t *out);

/* The tag may be handed out again, once every TLB has forgotten it. */
void tag_free(uint32_t tag);
