/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest's memory as image loaders see it: they write through the VM's API, here to arrays. */
#pragma once

#include "vm/vm.h"

extern struct vm vm;

/* The test's: where `bytes` at a guest address are. It fails where the guest has no memory. */
uint8_t *guest(gpa_t at, size_t bytes);
