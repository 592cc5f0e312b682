/* SPDX-License-Identifier: BSD-2-Clause */
/* A RAM disk that a test can look into, and that fails when told to. */
#pragma once

#include "vm/ram_disk.h"

#define FAKE_DISK_BYTES ((size_t)1 << 20)

struct ram_disk {
    uint64_t sectors; /* beyond FAKE_DISK_BYTES they read as zero and swallow writes */
    bool fails;
    uint8_t bytes[FAKE_DISK_BYTES];
};
