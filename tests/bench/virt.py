# SPDX-License-Identifier: BSD-2-Clause
"""The bench of qemu-virt: QEMU's -icount shift=0, Cortex-A53, GICv3."""

import debian
from common import MEMORY, Bench, at_power_off, figures, print_exits, print_image, print_memory, print_table, run

from bundles import VIRT, guest, linux

TICK = 16  # instructions in one tick of the 62.5 MHz counter
CPU = "cortex-a53"
PLAIN_MACHINE = "virt,gic-version=3,dtb-randomness=off"

OPERATIONS = {
    "hypercall": "HVC PSCI_VERSION round trip",
    "hypercall_vm": "the same, MIGRATE_INFO_TYPE, by the dispatcher",
    "gicd_read": "trapped read of GICD_TYPER",
    "self_sgi": "self-SGI to its vector",
    "timer_to_vector": "virtual timer expiry to its vector",
    "wfi_wake_up": "virtual timer expiry, in WFI, to its vector",
    "ipi": "SGI to another vCPU in WFI, to its vector",
    "switch": "the same, both on one CPU: with a switch",
    "pl011_write": "PL011 data register write",
    "fault_4k": "first touch of a 4 KiB page",
    "fault_2m": "first touch of a 2 MiB block",
    "first_instruction": "reset to guest's first instruction",
}

AIM = {
    "hypercall": 100,
    "gicd_read": 150,
    "self_sgi": 200,
    "timer_to_vector": 150,
    "first_instruction": 300_000,
}

# Measured side by side on the same machine.
PUBLISHED = {
    "Bao": {
        "hypercall": 193,
        "gicd_read": 227,
        "self_sgi": 777,
        "timer_to_vector": 192,
        "first_instruction": 380_000,
    },
    "Xen": {
        "hypercall": 707,
        "gicd_read": 1254,
        "self_sgi": 1401,
        "timer_to_vector": 1711,
        "first_instruction": 18_400_000,
    },
    "KVM": {
        "hypercall": 1545,
        "gicd_read": 2346,
        "self_sgi": 2932,
        "timer_to_vector": 2884,
        "first_instruction": 1_200_000_000,
    },
}


def plain(kernel, cmdline, *words, memory=f"{MEMORY}M"):
    """A guest without a hypervisor."""
    return run(
        ["qemu-system-aarch64", "-M", PLAIN_MACHINE, "-cpu", CPU, "-m", memory]
        + ["-display", "none", "-nic", "none", "-serial", "stdio", "-monitor", "none"]
        + ["-icount", "shift=0,sleep=off", "-rtc", "base=2020-01-01,clock=vm"]
        + ["-kernel", kernel, "-append", cmdline, *words]
    )


def tree_of_same_devices(folder, memory):
    """The file of a device tree for plain() with what machine `virt` has."""
    tree = folder / "plain.dtb"
    command = ["qemu-system-aarch64", "-M", f"{PLAIN_MACHINE},dumpdtb={tree}", "-cpu", CPU]
    run(command + ["-m", memory, "-display", "none", "-nic", "none"])
    tree.write_bytes(debian.same_devices(tree.read_bytes()))
    return tree


def bench_guest(cpus):
    return guest("bench", cpus=cpus, memory=f"{MEMORY}M", cmdline=f"memory={MEMORY}")


def operations(bench):
    alone = ("build/guests/bench.bin", f"memory={MEMORY}")
    without = {**figures(plain(*alone, "-smp", 2), TICK), **figures(plain(*alone), TICK)}
    socle = figures(bench.socle(bench_guest(2), cpus=2), TICK)
    one_cpu = figures(bench.socle(bench_guest(2), cpus=1), TICK)
    socle["switch"] = one_cpu["ipi"]
    socle.update(figures(bench.socle(bench_guest(1)), TICK))
    print_table(
        "Instructions per operation (QEMU TCG, -icount shift=0, Cortex-A53, GICv3)",
        {"alone": without, "Socle": socle, "aim": AIM, **PUBLISHED},
        OPERATIONS,
    )


def linux_boot(bench):
    """The guest's own clock at power-off, and its exits by reason."""
    memory = debian.MEMORY
    initrd = debian.unpacked(VIRT.debian / "initrd.gz", bench.folder / "initrd")
    alone = [VIRT.debian / "linux", f"console={VIRT.console} {debian.CMDLINE}", "-initrd", initrd]
    whole = plain(*alone, memory=memory)
    same = plain(*alone, "-dtb", tree_of_same_devices(bench.folder, memory), memory=memory)
    output = bench.socle(linux("debian", initrd, memory=memory, cmdline=debian.CMDLINE), memory="2G")
    whole, same, socle = map(at_power_off, (whole, same, output))
    rows = (
        ("alone, all of the emulator's devices", whole, "published: 1,118, KVM 1,141"),
        ("alone, the devices of machine `virt`", same, ""),
        ("Socle", socle, f"aim 1,125; {socle / same - 1:+.1%} of the line above"),
    )
    print("\nDebian's kernel, boot to power-off, in million instructions of its own clock")
    for label, value, remark in rows:
        print(f"    {label:40}{value:>10,.1f}    {remark}".rstrip())
    print_exits(output, "debian")


def main(folder):
    bench = Bench(VIRT, folder, ["--cpu", CPU, "--gic", 3, "--icount"])
    operations(bench)
    linux_boot(bench)
    print_image("aarch64-linux-gnu-size", VIRT)
    print_memory(bench, bench_guest(1), guest("sysreg"), guest("timer", prefault=True))
