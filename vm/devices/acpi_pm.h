/* SPDX-License-Identifier: BSD-2-Clause */
/* ACPI power management registers: see acpi_pm.c. */
#pragma once

#include "vm/devices/pc_events.h"
#include "vm/vdev.h"

/* The block of ports that the FADT describes. */
#define ACPI_PM_EVENT 0   /* PM1a_EVT_BLK, 4 bytes */
#define ACPI_PM_CONTROL 4 /* PM1a_CNT_BLK, 2 bytes */
#define ACPI_PM_TIMER 8   /* PM_TMR_BLK, 4 bytes; 24 bits count */
#define ACPI_PM_PORTS 12

#define ACPI_PM_TIMER_HZ 3579545u

/* SLP_TYPa of \_S5, the only sleeping state there is. */
#define ACPI_PM_S5 5

extern const struct vdev_ops acpi_pm_ops;

/* `sci` is level-sensitive; uses events->power_off. ERR_NO_MEMORY. */
status_t acpi_pm_create(struct vdev **out, struct irq_line sci, const struct pc_events *events);

/* The power button is pressed. Any CPU. */
void acpi_pm_press_power(struct vdev *dev);
