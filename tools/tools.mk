# SPDX-License-Identifier: BSD-2-Clause
#
# What is done with a built Socle, and to the sources: run, lint, format, help.

# A package that has gone missing since the sysroot was filled is installed again first.
ifneq ($(filter run test test-all bench,$(MAKECMDGOALS)),)
ifneq ($(shell tools/setup --missing),)
$(SYSROOT)/.done: FORCE
endif
endif

DEMO := build/$(BOARD)/demo.itb

.PHONY: FORCE run iso lint list-sources format help
FORCE:

run: all $(DEMO)
	$(Q)tools/socle-run --board $(BOARD) --bundle $(DEMO) $(RUN_ARGS)

$(DEMO): boards/$(BOARD)/demo.toml guests $(SYSROOT)/.done
	@mkdir -p $(@D)
	$(Q)tools/socle-bundle $< -o $@

# A CD-ROM image with the demo, for a PC or any emulator of one.
iso: all $(DEMO)
	$(Q)tools/socle-iso --image $(OUT)/socle.elf --bundle $(DEMO) -o $(OUT)/socle.iso

lint: $(SYSROOT)/.done
	$(Q)$(MAKE) --no-print-directory BOARD=qemu-virt build/qemu-virt/asm_offsets.h
	$(Q)$(MAKE) --no-print-directory BOARD=q35 build/q35/asm_offsets.h
	$(Q)tools/lint

# What BOARD is made of.
list-sources:
	@echo $(src-y) $(src-$(ARCH))

format:
	$(Q)tools/lint --format

help:
	@echo 'make              build/$(BOARD)/socle.elf and socle.bin'
	@echo 'make run          start the demo: Debian with a shell beside a bare guest'
	@echo 'make iso          BOARD=q35: build/q35/socle.iso, which boots the demo by GRUB'
	@echo 'make test         unit tests, tests of the tools, fast tests on both emulated boards'
	@echo 'make test-all     the same with the slow ones'
	@echo 'make bench        instructions per operation, exits of a Linux boot, sizes'
	@echo 'make unit         only the unit tests; unit-<name> for one'
	@echo 'make fuzz         only the fuzzers, from fixed seeds; FUZZ_ROUNDS=100 for as many times as much'
	@echo 'make boot-tests   only those on emulated boards; TESTS="-k q35" for some'
	@echo 'make guests       the bare-metal test guests, in build/guests'
	@echo 'make lint         check format, analyse statically; make format to reformat'
	@echo 'make clean        remove build/ (the fetched libraries, too)'
	@echo
	@echo 'BOARD=$(BOARD)  RUN_ARGS="--cpu max --cpus 2"  V=1 shows commands'
