# SPDX-License-Identifier: BSD-2-Clause
#
# The VMX backend without the hardware: x86_fake/ has a VMCS that is an array.

x86_vmx_flags := -Itests/unit/x86_fake -Iarch/x86/include

unit-x86_vmx := $(addprefix arch/x86/vmx/,event.c registers.c exit.c finish.c failure.c \
                apic.c capability.c) \
                $(addprefix arch/x86/,exits.c exception.c msr.c control.c cpuid.c cpuid_shown.c) \
                tests/unit/x86_fake/cpu.c
unit-x86_vmx_event := $(unit-x86_vmx)
unit-x86_vmx_apic := $(unit-x86_vmx)
unit-flags-x86_vmx := $(x86_vmx_flags)
unit-flags-x86_vmx_apic := $(x86_vmx_flags)
unit-flags-x86_vmx_event := $(x86_vmx_flags)
unit-x86_vmx_capability := arch/x86/vmx/capability.c
unit-flags-x86_vmx_capability := $(x86_vmx_flags)
