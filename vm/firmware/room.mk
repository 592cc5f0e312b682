# SPDX-License-Identifier: BSD-2-Clause
src-y += vm/firmware/fdt_writer.c vm/firmware/guest_fdt_patch.c
src-arm64 += vm/firmware/guest_fdt.c vm/firmware/guest_fdt_create.c
src-x86 += vm/firmware/acpi.c vm/firmware/acpi_dsdt.c vm/firmware/acpi_aml.c vm/firmware/e820.c
