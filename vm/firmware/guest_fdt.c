/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The device tree of machine virt, node by node as its bindings describe them (Linux,
 * Documentation/devicetree/bindings). Addresses and interrupts come from virt_map.
 */

#include "vm/firmware/guest_fdt.h"

#include <libfdt.h>

#include "vm/firmware/fdt_writer.h"
#include "vm/machine/machine_virt.h"

enum { PHANDLE_CLOCK = 1, PHANDLE_GIC, PHANDLE_GPIO };

/* GIC binding: kind, number within the kind, flags. */
enum { GIC_SPI = 0, GIC_PPI = 1 };
enum { FIRST_PPI = 16, FIRST_SPI = 32 };
enum { IRQ_LEVEL_HIGH = 4 };

#define CLOCK_HZ 24000000u
#define KEY_POWER 116 /* of Linux' input events */
#define POWER_PIN 3

static void put_reg(struct fdt_writer *out, enum virt_part part)
{
    fdt_put_cells(out, "reg", FDT_CELLS(virt_map[part].base), FDT_CELLS(virt_map[part].size));
}

static void put_spi(struct fdt_writer *out, enum virt_part part)
{
    fdt_put_cells(out, "interrupts", GIC_SPI, virt_map[part].irq - FIRST_SPI, IRQ_LEVEL_HIGH);
}

static void put_root(struct fdt_writer *out)
{
    fdt_put_cells(out, "#address-cells", 2);
    fdt_put_cells(out, "#size-cells", 2);
    fdt_put_cells(out, "interrupt-parent", PHANDLE_GIC);
    fdt_put_string(out, "compatible", "linux,dummy-virt");
    fdt_put_string(out, "model", "linux,dummy-virt");
}

static void put_chosen(struct fdt_writer *out, const struct vm_config *config,
                       const struct image_plan *plan)
{
    fdt_put_begin(out, "chosen");
    fdt_put_string(out, "stdout-path", "serial0");
    if (config->cmdline[0] != '\0')
        fdt_put_string(out, "bootargs", config->cmdline);
    if (config->initrd.data != NULL) {
        fdt_put_u64(out, "linux,initrd-start", plan->initrd.raw);
        fdt_put_u64(out, "linux,initrd-end", plan->initrd.raw + config->initrd.bytes);
    }
    fdt_put_end(out);
}

static void put_aliases(struct fdt_writer *out)
{
    fdt_put_begin(out, "aliases");
    fdt_put_string(out, "serial0", "/pl011@9000000");
    fdt_put_end(out);
}

static void put_memory(struct fdt_writer *out, const struct vm_config *config)
{
    for (unsigned i = 0; i < config->ram_count; i++) {
        const struct vm_config_ram *ram = &config->ram[i];

        fdt_put_begin_at(out, "memory", ram->base.raw);
        fdt_put_string(out, "device_type", "memory");
        fdt_put_cells(out, "reg", FDT_CELLS(ram->base.raw), FDT_CELLS(ram->size));
        fdt_put_end(out);
    }
}

static void put_cpus(struct fdt_writer *out, unsigned count)
{
    fdt_put_begin(out, "cpus");
    fdt_put_cells(out, "#address-cells", 1);
    fdt_put_cells(out, "#size-cells", 0);
    for (unsigned id = 0; id < count; id++) {
        uint32_t mpidr = (id >> 4) << 8 | (id & 0xf); /* Aff1, Aff0 */

        fdt_put_begin_at(out, "cpu", mpidr);
        fdt_put_string(out, "device_type", "cpu");
        fdt_put_string(out, "compatible", "arm,armv8");
        fdt_put_cells(out, "reg", mpidr);
        fdt_put_string(out, "enable-method", "psci");
        fdt_put_end(out);
    }
    fdt_put_end(out);
}

static void put_psci(struct fdt_writer *out)
{
    fdt_put_begin(out, "psci");
    fdt_put_strings(out, "compatible", "arm,psci-1.0\0arm,psci-0.2");
    fdt_put_string(out, "method", "hvc");
    fdt_put_end(out);
}

/* Secure, non-secure, virtual and hypervisor timer (BSA: INTIDs 29, 30, 27, 26). */
static void put_timer(struct fdt_writer *out, unsigned cpus, unsigned gic_version)
{
    /* GICv2: which CPUs, in bits 15..8. */
    uint32_t flags = IRQ_LEVEL_HIGH;

    if (gic_version == 2)
        flags |= ((1u << MIN(cpus, 8u)) - 1) << 8;
    fdt_put_begin(out, "timer");
    fdt_put_string(out, "compatible", "arm,armv8-timer");
    fdt_put_cells(out, "interrupts", GIC_PPI, 29 - FIRST_PPI, flags, GIC_PPI, 30 - FIRST_PPI, flags,
                  GIC_PPI, 27 - FIRST_PPI, flags, GIC_PPI, 26 - FIRST_PPI, flags);
    fdt_put_flag(out, "always-on");
    fdt_put_end(out);
}

static void put_gic(struct fdt_writer *out, unsigned cpus, unsigned gic_version)
{
    const struct virt_slot *gicd = &virt_map[VIRT_GICD];
    const struct virt_slot *cpu_side = &virt_map[gic_version == 2 ? VIRT_GICC : VIRT_GICR];
    uint64_t cpu_bytes = gic_version == 2 ? cpu_side->size : cpu_side->size * cpus;

    fdt_put_begin_at(out, "intc", gicd->base);
    fdt_put_string(out, "compatible", gic_version == 2 ? "arm,cortex-a15-gic" : "arm,gic-v3");
    fdt_put_cells(out, "#interrupt-cells", 3);
    fdt_put_cells(out, "#address-cells", 2);
    fdt_put_cells(out, "#size-cells", 2);
    fdt_put_flag(out, "ranges");
    fdt_put_flag(out, "interrupt-controller");
    fdt_put_cells(out, "reg", FDT_CELLS(gicd->base), FDT_CELLS(gicd->size),
                  FDT_CELLS(cpu_side->base), FDT_CELLS(cpu_bytes));
    fdt_put_cells(out, "phandle", PHANDLE_GIC);
    fdt_put_end(out);
}

static void put_clock(struct fdt_writer *out)
{
    fdt_put_begin(out, "apb-pclk");
    fdt_put_string(out, "compatible", "fixed-clock");
    fdt_put_cells(out, "#clock-cells", 0);
    fdt_put_cells(out, "clock-frequency", CLOCK_HZ);
    fdt_put_string(out, "clock-output-names", "clk24mhz");
    fdt_put_cells(out, "phandle", PHANDLE_CLOCK);
    fdt_put_end(out);
}

/* What every PrimeCell has; the node stays open. */
static void begin_primecell(struct fdt_writer *out, const char *name, enum virt_part part)
{
    fdt_put_begin_at(out, name, virt_map[part].base);
    put_reg(out, part);
    put_spi(out, part);
}

static void put_primecells(struct fdt_writer *out)
{
    begin_primecell(out, "pl011", VIRT_UART);
    fdt_put_strings(out, "compatible", "arm,pl011\0arm,primecell");
    fdt_put_cells(out, "clocks", PHANDLE_CLOCK, PHANDLE_CLOCK);
    fdt_put_strings(out, "clock-names", "uartclk\0apb_pclk");
    fdt_put_end(out);

    begin_primecell(out, "pl031", VIRT_RTC);
    fdt_put_strings(out, "compatible", "arm,pl031\0arm,primecell");
    fdt_put_cells(out, "clocks", PHANDLE_CLOCK);
    fdt_put_string(out, "clock-names", "apb_pclk");
    fdt_put_end(out);

    begin_primecell(out, "pl061", VIRT_GPIO);
    fdt_put_strings(out, "compatible", "arm,pl061\0arm,primecell");
    fdt_put_cells(out, "#gpio-cells", 2);
    fdt_put_flag(out, "gpio-controller");
    fdt_put_cells(out, "#address-cells", 0);
    fdt_put_cells(out, "#interrupt-cells", 2);
    fdt_put_flag(out, "interrupt-controller");
    fdt_put_cells(out, "clocks", PHANDLE_CLOCK);
    fdt_put_string(out, "clock-names", "apb_pclk");
    fdt_put_cells(out, "phandle", PHANDLE_GPIO);
    fdt_put_end(out);
}

static void put_power_key(struct fdt_writer *out)
{
    fdt_put_begin(out, "gpio-keys");
    fdt_put_string(out, "compatible", "gpio-keys");
    fdt_put_begin(out, "poweroff");
    fdt_put_string(out, "label", "GPIO Key Poweroff");
    fdt_put_cells(out, "linux,code", KEY_POWER);
    fdt_put_cells(out, "gpios", PHANDLE_GPIO, POWER_PIN, 0);
    fdt_put_end(out);
    fdt_put_end(out);
}

static void put_fw_cfg(struct fdt_writer *out)
{
    fdt_put_begin_at(out, "fw-cfg", virt_map[VIRT_FW_CFG].base);
    fdt_put_string(out, "compatible", "qemu,fw-cfg-mmio");
    put_reg(out, VIRT_FW_CFG);
    fdt_put_flag(out, "dma-coherent");
    fdt_put_end(out);
}

static void put_flash(struct fdt_writer *out)
{
    const struct virt_slot *banks = &virt_map[VIRT_FLASH0];

    fdt_put_begin_at(out, "flash", banks[0].base);
    fdt_put_string(out, "compatible", "cfi-flash");
    fdt_put_cells(out, "reg", FDT_CELLS(banks[0].base), FDT_CELLS(banks[0].size),
                  FDT_CELLS(banks[1].base), FDT_CELLS(banks[1].size));
    fdt_put_cells(out, "bank-width", 4);
    fdt_put_end(out);
}

status_t guest_fdt_generate(const struct vm_config *config, const struct image_plan *plan,
                            const struct guest_fdt_facts *facts, void *buffer, size_t room)
{
    struct fdt_writer out;

    fdt_writer_init(&out, buffer, room);
    fdt_put_begin(&out, "");
    put_root(&out);
    put_chosen(&out, config, plan);
    put_aliases(&out);
    put_memory(&out, config);
    put_cpus(&out, config->cpus);
    put_psci(&out);
    put_timer(&out, config->cpus, facts->gic_version);
    put_gic(&out, config->cpus, facts->gic_version);
    put_clock(&out);
    put_primecells(&out);
    put_power_key(&out);
    put_fw_cfg(&out);
    if (config->firmware.data != NULL)
        put_flash(&out);
    fdt_put_end(&out);
    return fdt_writer_finish(&out);
}
