/* SPDX-License-Identifier: BSD-2-Clause */
/* What each vCPU has done, for people. */
#pragma once

struct vm;

/* A table on the log: a line for each vCPU that has run. */
void vm_log_stats(const struct vm *vm);
