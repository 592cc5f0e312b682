# SPDX-License-Identifier: BSD-2-Clause
src-arm64 += drivers/irqchip/gicv2.c drivers/irqchip/gicv3.c drivers/irqchip/gic_dist.c
src-x86 += drivers/irqchip/x86_irq.c drivers/irqchip/ioapic.c
