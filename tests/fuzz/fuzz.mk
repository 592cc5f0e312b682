# SPDX-License-Identifier: BSD-2-Clause
#
# Fuzzers: host programs under the sanitizers, each a line as a unit test's (tests/unit/unit.mk):
#
#   fuzz-pc := vm/vm.c …          sources that fuzz_pc.c is linked with
#   fuzz-flags-pc := -I…          the headers' folders, if not arch/fake's
#   fuzz-libs-pc := -lfdt
#
# `make fuzz` runs all of them, `make fuzz-pc` one; FUZZ_ROUNDS=100 as many times as much.

fuzz-world := tests/fuzz/world.c tests/fuzz/guest.c \
             $(addprefix vm/,vm.c pio.c ports.c vm_list.c vm_parts.c vm_end.c vcpu.c aspace.c aspace_copy.c \
               guest_memory.c exit.c exit_memory.c report.c stats.c state.c console.c ram_disk.c) \
             $(addprefix arch/fake/fake_,ram.c mem.c mmu.c cpu.c smp.c timer.c) \
             $(addprefix kernel/,pagetable.c pagetable_walk.c tag.c vmo.c pmm.c pmm_system.c bootmem.c sched.c run_queue.c timer.c irq.c \
               percpu.c log.c lib/format.c status.c) tests/unit/fake_panic.c

fuzz-pc := vm/exit_x86.c $(fuzz-world) $(wildcard vm/irqchip/x86/*.c) $(pc-devices) vm/devices/vdev_timer.c \
           vm/devices/debug_console.c \
           $(addprefix vm/machine/,machine.c machines_x86.c machine_pc.c machine_bare.c) $(filter-out tests/%,$(unit-image_x86)) \
           vm/firmware/acpi.c vm/firmware/acpi_dsdt.c vm/firmware/acpi_aml.c
fuzz-flags-pc := -Itests/fuzz/x86 -Itests/fuzz/include -Iarch/fake/include

fuzz-virt := vm/exit_arm64.c $(wildcard vm/hypercall/*.c) $(fuzz-world) $(wildcard vm/irqchip/*.c) \
             arch/fake/fake_gich.c arch/fake/fake_vtimer.c $(vdev-models) vm/devices/vdev_timer.c \
             $(addprefix vm/machine/,machine.c machines_arm64.c machine_virt.c machine_virt_map.c machine_bare.c \
               virt_flash.c) $(filter-out tests/%,$(unit-image)) \
             $(addprefix vm/firmware/,guest_fdt.c guest_fdt_create.c guest_fdt_patch.c fdt_writer.c)
fuzz-flags-virt := -Itests/fuzz/include -Iarch/fake/include -Iarch/arm64/include
fuzz-libs-virt := -lfdt

fuzz-image := $(filter-out tests/%,$(unit-image))
fuzz-fdt := vm/firmware/guest_fdt.c vm/firmware/guest_fdt_patch.c vm/firmware/fdt_writer.c \
            vm/machine/machine_virt_map.c vm/config/config.c kernel/lib/format.c
fuzz-flags-fdt := $(unit-flags-guestfdt)
fuzz-libs-fdt := -lfdt
fuzz-arm64 := $(unit-emulate)
fuzz-flags-arm64 := $(arm64_fake)

fuzz_names := $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))

.PHONY: fuzz
fuzz: $(addprefix $(UNIT_OUT)/fuzz_,$(fuzz_names))
	$(Q)tests/unit/run.py fuzz $^

# $(1): name. A source that two lists have is linked once.
define fuzz_program
fuzz-objects-$(1) := $(addprefix $(UNIT_OUT)/fuzz-$(1)/,$(patsubst %.c,%.o,$(sort tests/fuzz/fuzz.c tests/fuzz/fuzz_$(1).c $(fuzz-$(1)))))
$(UNIT_OUT)/fuzz_$(1): $$(fuzz-objects-$(1))
	$(Q)$(UNIT_CC) $(UNIT_CFLAGS) $$^ $$(fuzz-libs-$(1)) -lcmocka -lpthread -o $$@
.PHONY: fuzz-$(1)
fuzz-$(1): $(UNIT_OUT)/fuzz_$(1)
	$(Q)$$<
$(UNIT_OUT)/fuzz-$(1)/%.o: %.c | $(SYSROOT)/.done
	@mkdir -p $$(@D)
	$(Q)$(UNIT_CC) $(UNIT_CFLAGS) -I. $(or $(fuzz-flags-$(1)),-Iarch/fake/include) -MMD -MP -c $$< -o $$@
endef
$(foreach name,$(fuzz_names),$(eval $(call fuzz_program,$(name))))
