# SPDX-License-Identifier: BSD-2-Clause
src-y += $(addprefix arch/x86/vmx/,vmx.c apic.c state.c exit.c event.c registers.c finish.c \
           capability.c failure.c run.S)
