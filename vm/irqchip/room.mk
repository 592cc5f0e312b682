# SPDX-License-Identifier: BSD-2-Clause
src-arm64 += vm/irqchip/vgic.c vm/irqchip/vgic_irq.c vm/irqchip/vgic_sgi.c
src-arm64 += vm/irqchip/vgic_lr.c vm/irqchip/vgic_rank.c vm/irqchip/vgic_regs.c
src-arm64 += vm/irqchip/vgic_fields.c vm/irqchip/vgicd.c vm/irqchip/vgicr.c
src-arm64 += vm/irqchip/vgic_save.c vm/irqchip/vgic_signal.c vm/irqchip/vtimer.c
