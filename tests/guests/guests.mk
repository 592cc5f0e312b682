# SPDX-License-Identifier: BSD-2-Clause
#
# Bare-metal guests for the tests: build/guests/<name>.bin from <name>.c and lib/, one flat
# position-independent file with an arm64 Image header. hello.S stands alone.

GUEST_OUT := build/guests
GUEST_CC := aarch64-linux-gnu-gcc
GUEST_OBJCOPY := aarch64-linux-gnu-objcopy
# MMU off means device memory, where no access may be unaligned.
GUEST_CFLAGS := -std=gnu17 -O2 -g -march=armv8-a -ffreestanding -fpie -fvisibility=hidden \
                -mgeneral-regs-only -mstrict-align -mno-outline-atomics -fno-stack-protector \
                -fno-asynchronous-unwind-tables -fno-common $(WARNINGS) -I.
GUEST_LDFLAGS := -nostdlib -pie -Wl,-z,norelro -Wl,-z,noexecstack -Wl,--no-dynamic-linker -Wl,--build-id=none \
                 -Wl,-z,max-page-size=4096 -Wl,--no-warn-rwx-segments -Wl,-T,tests/guests/lib/guest.lds

guest_names := $(basename $(notdir $(wildcard tests/guests/*.c tests/guests/*.S)))
guest_lib := $(patsubst %,$(GUEST_OUT)/%.o,$(basename $(wildcard tests/guests/lib/*.[cS])))

.SECONDARY:
.PHONY: guests
guests: $(patsubst %,$(GUEST_OUT)/%.bin,$(guest_names))

$(GUEST_OUT)/%.o: %.c | $(SYSROOT)/.done
	@mkdir -p $(@D)
	$(if $(Q),@echo "  GUEST $<")
	$(Q)$(GUEST_CC) $(GUEST_CFLAGS) -MMD -MP -c $< -o $@

$(GUEST_OUT)/%.o: %.S | $(SYSROOT)/.done
	@mkdir -p $(@D)
	$(if $(Q),@echo "  GUEST $<")
	$(Q)$(GUEST_CC) $(GUEST_CFLAGS) -MMD -MP -c $< -o $@

$(GUEST_OUT)/hello.elf: guest_lib :=
$(GUEST_OUT)/%.elf: $(GUEST_OUT)/tests/guests/%.o $(guest_lib) tests/guests/lib/guest.lds
	$(Q)$(GUEST_CC) $(GUEST_CFLAGS) $(GUEST_LDFLAGS) $< $(guest_lib) -lgcc -o $@

$(GUEST_OUT)/%.bin: $(GUEST_OUT)/%.elf
	$(Q)$(GUEST_OBJCOPY) -O binary $< $@

include tests/guests/x86/guests.mk

-include $(wildcard $(GUEST_OUT)/tests/guests/*.d $(GUEST_OUT)/tests/guests/*/*.d)
