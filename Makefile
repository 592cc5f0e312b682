# SPDX-License-Identifier: BSD-2-Clause
#
# Socle's build. `make help` lists what can be asked for.
#
#   boards/$(BOARD)/board.mk  which architecture and drivers, how the emulator is started
#   */room.mk, */*/room.mk    each room's sources: src-y (all), src-$(ARCH)
#   tests/unit/*.mk           host tests, a line each

BOARD ?= qemu-virt
include boards/$(BOARD)/board.mk
include arch/$(ARCH)/arch.mk

OUT := build/$(BOARD)
V ?= 0
Q := $(if $(filter 0,$(V)),@)

.DELETE_ON_ERROR:
.SUFFIXES:
.DEFAULT_GOAL := all

WARNINGS := -Wall -Wextra -Werror -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
            -Wundef -Wvla
CFLAGS := -std=gnu17 -O2 -g -ffreestanding -fno-common -ffunction-sections -fdata-sections \
          -fno-stack-protector -fno-asynchronous-unwind-tables $(WARNINGS) $(ARCH_CFLAGS)
LTO := -flto=auto # rooms call each other on every exit: let the compiler see across them
INCLUDES := -I. -Iarch/$(ARCH)/include -isystem $(SYSROOT)/usr/include

include $(wildcard arch/$(ARCH)/room.mk arch/$(ARCH)/*/room.mk kernel/room.mk drivers/*/room.mk \
                   vm/room.mk vm/*/room.mk)
objects := $(patsubst %,$(OUT)/%.o,$(basename $(src-y) $(src-$(ARCH))))

.PHONY: all
all: $(OUT)/socle.elf $(OUT)/socle.bin

$(OUT)/%.o: %.c $(SYSROOT)/.done
	@mkdir -p $(@D)
	$(if $(Q),@echo "  CC  $<")
	$(Q)$(CC) $(CFLAGS) $(LTO) $(INCLUDES) -I$(OUT) -MMD -MP -c $< -o $@

$(OUT)/%.o: %.S $(OUT)/asm_offsets.h
	@mkdir -p $(@D)
	$(if $(Q),@echo "  AS  $<")
	$(Q)$(CC) $(CFLAGS) $(INCLUDES) -I$(OUT) -MMD -MP -c $< -o $@

# Offsets that assembly needs, read out of the C structures by the compiler.
$(OUT)/asm_offsets.h: arch/$(ARCH)/asm_offsets.c $(SYSROOT)/.done
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(INCLUDES) -MMD -MP -MT $@ -MF $(OUT)/asm_offsets.d -S $< -o $(OUT)/asm_offsets.s
	$(Q)sed -n 's/^.*ASM_OFFSET \([A-Za-z0-9_]*\) [#$$]*\([0-9]*\).*/#define \1 \2/p' $(OUT)/asm_offsets.s > $@

$(OUT)/linker.lds: linker/$(ARCH).lds.S
	@mkdir -p $(@D)
	$(Q)$(CC) -E -P -x assembler-with-cpp $(INCLUDES) $< -o $@

$(OUT)/socle.elf: $(objects) $(OUT)/linker.lds
	$(if $(Q),@echo "  LD  $@")
	$(Q)$(CC) $(CFLAGS) $(LTO) -nostdlib -static -Wl,--gc-sections -Wl,--build-id=none -Wl,-z,noexecstack \
	    -Wl,-z,max-page-size=4096 -Wl,-T,$(OUT)/linker.lds -Wl,-Map,$(OUT)/socle.map \
	    $(objects) $(ARCH_LIBS) -lgcc -o $@

$(OUT)/socle.bin: $(OUT)/socle.elf
	$(if $(Q),@echo "  BIN $@")
	$(Q)$(OBJCOPY) -O binary $< $@

# Target libraries (libfdt) and host packages come from Debian; tools/setup fetches them.
$(SYSROOT)/.done:
	tools/setup

-include $(wildcard $(OUT)/*.d $(OUT)/*/*.d $(OUT)/*/*/*.d $(OUT)/*/*/*/*.d)

include tests/tests.mk
include tools/tools.mk

.PHONY: clean
clean:
	rm -rf build
