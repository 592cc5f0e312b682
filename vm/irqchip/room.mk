# SPDX-License-Identifier: BSD-2-Clause
src-arm64 += vm/irqchip/vgic.c vm/irqchip/vgic_irq.c vm/irqchip/vgic_sgi.c
src-arm64 += vm/irqchip/vgic_lr.c vm/irqchip/vgic_rank.c vm/irqchip/vgic_regs.c
src-arm64 += vm/irqchip/vgic_fields.c vm/irqchip/vgicd.c vm/irqchip/vgicr.c
src-arm64 += vm/irqchip/vgic_save.c vm/irqchip/vgic_signal.c vm/irqchip/vtimer.c
src-x86 += $(addprefix vm/irqchip/x86/,pc_irqchip.c vioapic.c vpic.c vpic_save.c vpit.c vpit_channel.c)
src-x86 += $(addprefix vm/irqchip/x86/,vlapic.c vlapic_regs.c vlapic_irq.c vlapic_ipi.c vlapic_timer.c vlapic_save.c vlapic_page.c)
