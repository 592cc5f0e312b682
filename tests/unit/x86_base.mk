# SPDX-License-Identifier: BSD-2-Clause
#
# What an x86 host's firmware tells, its screen and keyboard, and the architecture's own primitives (the tests' host is
# of that architecture, so they run as they are).
unit-acpi_host := drivers/firmware/acpi.c drivers/firmware/acpi_sleep.c
unit-multiboot := drivers/firmware/multiboot.c
unit-screen := drivers/screen/screen.c drivers/screen/screen_pixels.c
unit-flags-screen := -Iarch/x86/include
unit-scan_codes := drivers/keyboard/scan_codes.c drivers/keyboard/us_layout.c
unit-x86_mmu := arch/x86/mmu.c
unit-flags-x86_mmu := -Iarch/x86/include

ifeq ($(shell uname -m),x86_64)
unit: unit-x86_asm_mem
endif
.PHONY: unit-x86_asm_mem
unit-x86_asm_mem: $(UNIT_OUT)/x86/asm_mem
	$(Q)$<

$(UNIT_OUT)/x86/asm_mem: tests/unit/arm64/asm_mem.c arch/x86/mem.S arch/mem.h
	@mkdir -p $(@D)
	$(Q)$(UNIT_CC) -std=gnu17 -O1 -g $(WARNINGS) -I. $(filter-out %.h,$^) -o $@
