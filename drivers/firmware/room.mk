# SPDX-License-Identifier: BSD-2-Clause
src-y += drivers/firmware/bootargs.c
src-arm64 += drivers/firmware/fdt.c drivers/firmware/fdt_nodes.c drivers/firmware/fdt_read.c
src-arm64 += drivers/firmware/host_fdt.c
src-x86 += drivers/firmware/multiboot.c drivers/firmware/acpi.c drivers/firmware/acpi_sleep.c
src-x86 += drivers/firmware/host_pc.c
