#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Counts instructions per operation on a machine whose clock counts instructions.

QEMU's -icount shift=0, Cortex-A53, GICv3, with and without Socle, beside the published figures
of other hypervisors and this project's aims; then a Linux boot, and sizes.
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/boot"))

import initramfs  # noqa: E402
from bundles import DEBIAN, guest, linux  # noqa: E402

TICK = 16  # instructions in one tick of the 62.5 MHz counter
MEMORY = 255  # MiB of the guest: the last one is not a whole 2 MiB block
CPU = "cortex-a53"
HOST_MEMORY = "1G"

POWER_OFF_INIT = "#!/bin/busybox sh\nexec /bin/busybox poweroff -f\n"

# Operation: label, then what Bao, Xen and KVM take on the same machine, and the aim.
OPERATIONS = {
    "hypercall": ("HVC PSCI_VERSION round trip", 193, 707, 1545, 100),
    "hypercall_vm": ("the same, MIGRATE_INFO_TYPE, by the dispatcher", None, None, None, None),
    "gicd_read": ("trapped read of GICD_TYPER", 227, 1254, 2346, 150),
    "self_sgi": ("self-SGI to its vector", 777, 1401, 2932, 200),
    "timer_to_vector": ("virtual timer expiry to its vector", 192, 1711, 2884, 150),
    "wfi_wake_up": ("virtual timer expiry, in WFI, to its vector", None, None, None, None),
    "ipi": ("SGI to another vCPU in WFI, to its vector", None, None, None, None),
    "switch": ("the same, both on one CPU: with a switch", None, None, None, None),
    "pl011_write": ("PL011 data register write", None, None, None, None),
    "fault_4k": ("first touch of a 4 KiB page", None, None, None, None),
    "fault_2m": ("first touch of a 2 MiB block", None, None, None, None),
    "first_instruction": ("reset to guest's first instruction", 380_000, 18_400_000, 1_200_000_000, 300_000),
}


def run(command):
    result = subprocess.run(
        [str(word) for word in command],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=1800,
        text=True,
        errors="replace",
    )
    if result.returncode != 0:
        sys.exit(f"bench: {command[0]} failed with {result.returncode}:\n{result.stdout[-3000:]}")
    return result.stdout


class Bench:
    def __init__(self, folder):
        self.folder = Path(folder)

    def socle(self, toml, cpus=1, memory=HOST_MEMORY):
        config = self.folder / "vms.toml"
        bundle = self.folder / "bundle.itb"
        config.write_text(toml)
        run(["tools/socle-bundle", config, "-o", bundle])
        return run(
            ["tools/socle-run", "--bundle", bundle, "--cpu", CPU, "--cpus", cpus]
            + ["--memory", memory, "--gic", 3, "--icount"]
        )

    def plain(self, kernel, cmdline, *words):
        """A guest without a hypervisor."""
        return run(
            ["qemu-system-aarch64", "-M", "virt,gic-version=3,dtb-randomness=off", "-cpu", CPU]
            + ["-m", f"{MEMORY}M", "-display", "none", "-nic", "none", "-serial", "stdio"]
            + ["-monitor", "none", "-icount", "shift=0,sleep=off", "-rtc", "base=2020-01-01,clock=vm"]
            + ["-kernel", kernel, "-append", cmdline, *words]
        )

    def initrd(self):
        busybox = ROOT / "build/sysroot/arm64/bin/busybox"
        return initramfs.make(busybox, self.folder / "initrd.gz", POWER_OFF_INIT)


def figures(output):
    """Instructions per operation, by the operation's name."""
    rows = re.findall(r"bench: (\w+) (\d+) (\d+)", output)
    return {name: round(int(ticks) * TICK / int(count)) for name, ticks, count in rows}


def bench_guest(cpus, **keys):
    return guest("bench", cpus=cpus, memory=f"{MEMORY}M", cmdline=f"memory={MEMORY}", **keys)


def operations(bench):
    alone = ("build/guests/bench.bin", f"memory={MEMORY}")
    plain = {**figures(bench.plain(*alone, "-smp", 2)), **figures(bench.plain(*alone))}
    socle = figures(bench.socle(bench_guest(2), cpus=2))
    one_cpu = figures(bench.socle(bench_guest(2), cpus=1))
    socle["switch"] = one_cpu["ipi"]
    socle.update(figures(bench.socle(bench_guest(1))))
    return plain, socle


def show(value):
    return "-" if value is None else f"{value:,}"


def print_operations(plain, socle):
    print("Instructions per operation (QEMU TCG, -icount shift=0, Cortex-A53, GICv3)\n")
    columns = ("alone", "Socle", "aim", "Bao", "Xen", "KVM")
    print(f"{'':46}" + "".join(f"{column:>15}" for column in columns))
    for key, (label, bao, xen, kvm, aim) in OPERATIONS.items():
        values = (plain.get(key), socle.get(key), aim, bao, xen, kvm)
        print(f"{label:46}" + "".join(f"{show(value):>15}" for value in values))


def at_power_off(output):
    return float(re.search(r"\[ *(\d+\.\d+)\] reboot: Power down", output)[1]) * 1000


def print_linux(bench):
    """The guest's own clock at power-off, and its exits by reason."""
    cmdline = "nokaslr rdinit=/init"
    initrd = bench.initrd()
    plain = bench.plain(DEBIAN / "linux", f"console=ttyAMA0 {cmdline}", "-initrd", initrd)
    output = bench.socle(linux("debian", initrd, memory=f"{MEMORY}M", cmdline=cmdline))
    print("\nDebian's kernel, boot to power-off, in million instructions of its own clock")
    print(f"    alone {at_power_off(plain):,.0f}, Socle {at_power_off(output):,.0f}")
    print("    (published, with a larger initrd: alone 1,118, KVM 1,141; aim 1,125)")
    print("\nExits during that boot")
    header, values = re.findall(r"socle: debian: +(vcpu .*|\d+ .*)", output)[:2]
    names = header.replace("run ms", "run_ms").replace("steal ms", "steal_ms").split()
    for name, value in list(zip(names, values.split()))[3:]:
        print(f"    {name:12}{int(value):>12,}")


def free_pages(output):
    return [(int(free), int(total)) for free, total in re.findall(r"(\d+) of (\d+) pages free", output)]


def print_sizes(bench):
    size = run(["aarch64-linux-gnu-size", "build/qemu-virt/socle.elf"]).splitlines()[1].split()
    print("\nImage:    text {:,}  data {:,}  bss {:,} bytes (aim: text below 200 KB)".format(*map(int, size[:3])))
    kept = {}
    for gib in (1, 3):
        free, _ = free_pages(bench.socle(bench_guest(1), memory=f"{gib}G"))[0]
        kept[gib] = gib * (1 << 20) - free * 4
    print(f"Memory:   {kept[1]:,} KiB kept with 1 GiB, {(kept[3] - kept[1]) // 2:,} KiB for each GiB more")
    # What is missing when the first has ended is what the second one keeps, and its own RAM.
    output = bench.socle(guest("sysreg") + guest("timer", prefault=True), cpus=2)
    (start, _), (later, _) = free_pages(output)[:2]
    print(f"          {(start - later) * 4 - 64 * 1024:,} KiB for a VM of 64 MiB and one CPU")


def main():
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(folder)
        print_operations(*operations(bench))
        print_linux(bench)
        print_sizes(bench)


if __name__ == "__main__":
    main()
