# SPDX-License-Identifier: BSD-2-Clause
#
# The same for x86: build/guests/x86/<name>.elf, a Multiboot kernel of 64-bit code from <name>.c,
# lib/ and what all architectures share. sector.S is a boot sector, sector.bin.

X86_OUT := $(GUEST_OUT)/x86
X86_CC := x86_64-linux-gnu-gcc
X86_CFLAGS := -std=gnu17 -O2 -g -ffreestanding -fno-pic -mno-red-zone -mgeneral-regs-only \
              -fcf-protection=none -fno-stack-protector -fno-asynchronous-unwind-tables \
              -fno-common $(WARNINGS) -I.
X86_LDFLAGS := -nostdlib -static -no-pie -Wl,-z,noexecstack -Wl,--build-id=none \
               -Wl,-z,max-page-size=4096 -Wl,--no-warn-rwx-segments

x86_guest_names := $(basename $(notdir $(wildcard tests/guests/x86/*.c)))
x86_guest_lib := $(patsubst %,$(X86_OUT)/%.o,$(basename $(wildcard tests/guests/x86/lib/*.[cS])) tests/guests/lib/say)

guests: $(patsubst %,$(X86_OUT)/%.elf,$(x86_guest_names)) $(X86_OUT)/sector.bin

$(X86_OUT)/%.o: %.c
	@mkdir -p $(@D)
	$(if $(Q),@echo "  GUEST $<")
	$(Q)$(X86_CC) $(X86_CFLAGS) -MMD -MP -c $< -o $@

$(X86_OUT)/%.o: %.S
	@mkdir -p $(@D)
	$(if $(Q),@echo "  GUEST $<")
	$(Q)$(X86_CC) $(X86_CFLAGS) -MMD -MP -c $< -o $@

$(X86_OUT)/%.elf64: $(X86_OUT)/tests/guests/x86/%.o $(x86_guest_lib) tests/guests/x86/lib/guest.lds
	$(Q)$(X86_CC) $(X86_CFLAGS) $(X86_LDFLAGS) -Wl,-T,tests/guests/x86/lib/guest.lds \
	    $< $(x86_guest_lib) -o $@

# QEMU's Multiboot loader wants the 32-bit form.
$(X86_OUT)/%.elf: $(X86_OUT)/%.elf64
	$(Q)x86_64-linux-gnu-objcopy -O elf32-i386 $< $@

$(X86_OUT)/sector.elf64: $(X86_OUT)/tests/guests/x86/sector.o
	$(Q)$(X86_CC) $(X86_LDFLAGS) -Wl,-m,elf_x86_64 -Wl,-Ttext=0x7c00,-e,0x7c00 $< -o $@

$(X86_OUT)/sector.bin: $(X86_OUT)/sector.elf64
	$(Q)x86_64-linux-gnu-objcopy -O binary -j .text $< $@

-include $(wildcard $(X86_OUT)/tests/guests/*/*.d $(X86_OUT)/tests/guests/*/*/*.d)
