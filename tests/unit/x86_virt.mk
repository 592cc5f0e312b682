# SPDX-License-Identifier: BSD-2-Clause
#
# Tests of what the VMX and SVM backends share, on a CPU that answers what the test wants
# (x86_fake/), for a vCPU that has no backend (x86_fake_guest.c).

x86_virt_flags := -Itests/unit/x86_fake -Iarch/x86/include
x86_virt := arch/x86/cpuid.c arch/x86/cpuid_shown.c arch/x86/msr.c arch/x86/control.c tests/unit/x86_fake/cpu.c \
            tests/unit/x86_fake_guest.c

unit-x86_cpuid := $(x86_virt)
unit-flags-x86_cpuid := $(x86_virt_flags)
unit-x86_msr := $(x86_virt)
unit-flags-x86_msr := $(x86_virt_flags)
unit-x86_svm := $(addprefix arch/x86/svm/,event.c registers.c exit.c finish.c) \
                $(addprefix arch/x86/,exits.c exception.c msr.c control.c cpuid.c cpuid_shown.c) \
                tests/unit/x86_fake/cpu.c
unit-x86_svm_event := $(unit-x86_svm)
unit-flags-x86_svm := $(x86_virt_flags)
unit-flags-x86_svm_event := $(x86_virt_flags)
unit-x86_mmio := arch/x86/emulate/mmio.c $(x86_decoder) tests/unit/x86_fake_guest.c
unit-flags-x86_mmio := -Iarch/x86/include
