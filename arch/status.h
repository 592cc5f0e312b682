/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Results of what can fail. Every function that can fail returns a status_t; results come
 * back through pointers.
 */
#pragma once

typedef enum status {
    OK = 0,
    ERR_INVALID_ARGS = -1,   /* the caller's arguments break the function's rules */
    ERR_NO_MEMORY = -2,      /* no page, block or slot left */
    ERR_NOT_FOUND = -3,      /* nothing there: address, name, index */
    ERR_BAD_STATE = -4,      /* right call, wrong moment; nothing changed */
    ERR_UNSUPPORTED = -5,    /* the hardware or this build cannot do it */
    ERR_ALREADY_EXISTS = -6, /* overlap or a name taken */
    ERR_HYPERVISOR = -7,     /* our own invariant failed: a bug worth a report */
} status_t;

/* "no memory", "bad state", …: for messages. */
const char *status_str(status_t status);
