# SPDX-License-Identifier: BSD-2-Clause
src-arm64 += drivers/firmware/fdt.c drivers/firmware/fdt_nodes.c drivers/firmware/fdt_read.c
