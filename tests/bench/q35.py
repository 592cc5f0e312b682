# SPDX-License-Identifier: BSD-2-Clause
"""The bench of q35: SVM on QEMU with -icount shift=0, VMX on Bochs.

On both the TSC counts instructions; the guest measures that first, and it is reckoned with here.
"""

import re
import tomllib

from common import (
    MEMORY,
    ROOT,
    Bench,
    at_power_off,
    figures,
    print_exits,
    print_image,
    print_memory,
    print_table,
    run,
)

from bundles import Q35, guest, linux

CPU = "EPYC"
PC_LIKE = "q35,hpet=off,sata=off,smbus=off"  # with about the devices of machine `pc`

OPERATIONS = {
    "cpuid": "CPUID, leaf 0",
    "cpuid_1": "the same, leaf 1, which depends on registers",
    "hypercall": "VMCALL or VMMCALL round trip",
    "port_read": "port read: 16550 scratch register",
    "port_write": "port write: the same",
    "cmos_read": "port read: CMOS data",
    "pit_read": "port read: PIT counter",
    "lapic_read": "local APIC register read, its page",
    "lapic_write": "local APIC register write, its page",
    "x2apic_read": "local APIC register read, MSR",
    "x2apic_write": "local APIC register write, MSR",
    "ioapic_read": "MMIO read of the I/O APIC, repeated",
    "ioapic_write": "MMIO write of the I/O APIC, repeated",
    "ioapic_first": "MMIO read, an instruction's first time",
    "ioapic_or": "MMIO OR, read and written",
    "self_ipi": "self-IPI to its vector, by the page",
    "self_ipi_x2apic": "self-IPI to its vector, by the MSR",
    "timer_one_shot": "APIC timer armed, and its expiry to its vector",
    "timer_deadline": "TSC deadline to its vector",
    "hlt_wake_up": "TSC deadline, in HLT, to its vector",
    "ipi": "IPI to another vCPU in HLT, to its vector",
    "switch": "the same, both on one CPU: with a switch",
    "fault_4k": "first touch of a 4 KiB page",
    "fault_2m": "first touch of a 2 MiB block",
    "first_instruction": "reset to guest's first instruction",
}

AIM = {
    "cpuid": 200,
    "hypercall": 200,
    "port_read": 300,
    "port_write": 300,
    "ioapic_read": 700,
    "ioapic_write": 700,
    "self_ipi": 1000,
}

# Measured on the same machine, QEMU's.
KVM = {
    "cpuid": 3244,
    "hypercall": 9709,
    "port_read": 1746,
    "self_ipi": 10401,
    "timer_deadline": 11998,
}


def cpu_model():
    """As the emulator is to have it for Socle, so that both run on the same."""
    with open(ROOT / "boards/q35/board.toml", "rb") as file:
        return tomllib.load(file)["emulator"]["qemu"]["cpu"][CPU]


def plain(machine, kernel, cmdline, *words):
    """A guest without a hypervisor."""
    return run(
        ["qemu-system-x86_64", "-M", machine, "-cpu", cpu_model()]
        + ["-m", f"{MEMORY}M", "-display", "none", "-vga", "none", "-nic", "none"]
        + ["-serial", "stdio", "-monitor", "none", "-icount", "shift=0,sleep=off"]
        + ["-rtc", "base=2020-01-01,clock=vm", "-device", "isa-debug-exit,iobase=0xf4"]
        + ["-kernel", kernel, "-append", cmdline, *words],
        good=(0, 1),  # 1: by the debug-exit port
    )


def bench_guest(cpus):
    cmdline = f"memory={MEMORY} cpus={cpus}"
    return guest("bench", cpus=cpus, memory=f"{MEMORY}M", cmdline=cmdline, board=Q35)


def in_instructions(output):
    ticks, count = map(int, re.search(r"bench: instruction (\d+) (\d+)", output).groups())
    return figures(output, count / ticks)


def without_socle():
    kernel = Q35.kernel("bench")
    two = in_instructions(plain("q35", kernel, f"memory={MEMORY} cpus=2", "-smp", 2))
    return {**two, **in_instructions(plain("q35", kernel, f"memory={MEMORY}"))}


def with_socle(bench):
    found = in_instructions(bench.socle(bench_guest(2), cpus=2))
    found["switch"] = in_instructions(bench.socle(bench_guest(2)))["ipi"]
    return {**found, **in_instructions(bench.socle(bench_guest(1)))}


def operations(qemu, bochs):
    alone, svm, vmx = without_socle(), with_socle(qemu), with_socle(bochs)
    # Firmware comes before Socle's first instruction; what Bochs' boot loader takes is not known.
    svm["first_instruction"] -= alone.pop("first_instruction")
    del vmx["first_instruction"]
    print_table(
        "Instructions per operation (QEMU TCG with SVM, -icount shift=0; Bochs with VMX)",
        {"alone": alone, "SVM": svm, "VMX": vmx, "aim": AIM, "KVM": KVM},
        OPERATIONS,
    )


def boot_instructions(output):
    """Millions by the guest's own clock, which is a TSC of so many MHz."""
    return at_power_off(output) / 1000 * float(re.search(r"tsc: Detected ([\d.]+) MHz", output)[1])


def linux_boot(qemu, bochs):
    """The guest's own clock at power-off, and its exits by reason."""
    cmdline = "nokaslr rdinit=/init"
    initrd = qemu.initrd()
    kernel = Q35.debian / "linux"
    alone = plain(PC_LIKE, kernel, f"console={Q35.console} {cmdline}", "-initrd", initrd)
    toml = linux("debian", initrd, memory=f"{MEMORY}M", cmdline=cmdline, board=Q35)
    svm, vmx = qemu.socle(toml), bochs.socle(toml)
    print("\nDebian's kernel, boot to power-off, in million instructions of its own clock")
    alone, on_svm, on_vmx = map(boot_instructions, (alone, svm, vmx))
    print(f"    on QEMU: alone {alone:,.0f}, Socle {on_svm:,.0f}; on Bochs: Socle {on_vmx:,.0f}")
    print_exits(svm, "debian", "that boot under SVM")
    print_exits(vmx, "debian", "that boot under VMX")


def main(folder):
    qemu = Bench(Q35, folder, ["--cpu", CPU, "--icount"])
    bochs = Bench(Q35, folder, ["--emulator", "bochs"])
    operations(qemu, bochs)
    linux_boot(qemu, bochs)
    print_image("size", Q35)
    short, longer = guest("fault", board=Q35), guest("apic", prefault=True, board=Q35)
    print_memory(qemu, bench_guest(1), short, longer)
