# SPDX-License-Identifier: BSD-2-Clause
#
# Host unit tests: portable code over arch/fake, under ASan and UBSan, with cmocka.
# A test is a line in one of the *.mk files beside this one:
#
#   unit-pmm := kernel/pmm.c kernel/bootmem.c      sources that test_pmm.c is linked with
#   unit-flags-insn := -Iarch/arm64/include        another architecture's headers, if it needs them
#
#   unit-libs-bundle := -lfdt                      libraries that it is linked with
#
# `make unit` runs all of them and counts, `make unit-pmm` runs one.

UNIT_OUT := build/unit
UNIT_CC := gcc
UNIT_CFLAGS := -std=gnu17 -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all \
               -fno-omit-frame-pointer $(WARNINGS)

include $(filter-out tests/unit/unit.mk,$(wildcard tests/unit/*.mk))
unit_names := $(patsubst tests/unit/test_%.c,%,$(wildcard tests/unit/test_*.c))

.PHONY: unit
unit: $(addprefix $(UNIT_OUT)/test_,$(unit_names))
	$(Q)tests/unit/run.py unit $(filter $(UNIT_OUT)/test_%,$^)

# $(1): test name. Objects with flags of their own stand in a folder of their own.
define unit_test
unit-objects-$(1) := $(addprefix $(UNIT_OUT)/$(if $(unit-flags-$(1)),$(1),all)/,$(patsubst %.c,%.o,tests/unit/test_$(1).c $(unit-$(1))))
$(UNIT_OUT)/test_$(1): $$(unit-objects-$(1))
	$(Q)$(UNIT_CC) $(UNIT_CFLAGS) $$^ $$(unit-libs-$(1)) -lcmocka -o $$@
.PHONY: unit-$(1)
unit-$(1): $(UNIT_OUT)/test_$(1)
	$(Q)$$<
$(UNIT_OUT)/$(1)/%.o: %.c | $(SYSROOT)/.done
	@mkdir -p $$(@D)
	$(Q)$(UNIT_CC) $(UNIT_CFLAGS) -I. $(unit-flags-$(1)) -MMD -MP -c $$< -o $$@
endef
$(foreach name,$(unit_names),$(eval $(call unit_test,$(name))))

$(UNIT_OUT)/all/%.o: %.c | $(SYSROOT)/.done
	@mkdir -p $(@D)
	$(Q)$(UNIT_CC) $(UNIT_CFLAGS) -I. -Iarch/fake/include -MMD -MP -c $< -o $@

-include $(shell find $(UNIT_OUT) -name '*.d' 2>/dev/null)
