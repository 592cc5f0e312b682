# SPDX-License-Identifier: BSD-2-Clause
"""Debian's unmodified kernel as a guest."""

import re

import initramfs
import pytest
from bundles import Q35, VIRT, hello, linux
from conftest import EXIT_OK, free_pages

PROMPT = r"guest# "


def virt(cpu, gic, cpus):
    return pytest.param(VIRT, {"cpu": cpu, "gic": gic}, cpus, id=f"qemu-virt-{cpu}-{gic}-{cpus}")


def q35(cpu, cpus):
    return pytest.param(Q35, {"cpu": cpu}, cpus, id=f"q35-{cpu}-{cpus}")


def bochs(cpus):
    """VMX, on one CPU: two of Bochs run at half its speed."""
    return pytest.param(Q35, {"emulator": "bochs", "cpus": 1}, cpus, id=f"bochs-{cpus}-on-1")


def slow(choice):
    return pytest.param(*choice.values, id=choice.id, marks=pytest.mark.slow)


@pytest.mark.parametrize(
    "board, choices, cpus",
    [
        virt("cortex-a53", 3, 1),
        virt("cortex-a57", 2, 2),
        virt("cortex-a72", 2, 4),
        virt("neoverse-n1", 3, 2),
        virt("max", 3, 4),
        q35("EPYC", 1),
        q35("EPYC", 4),
        q35("max", 2),
        slow(virt("cortex-a53", 2, 4)),
        slow(virt("cortex-a57", 3, 4)),
        slow(virt("cortex-a72", 3, 1)),
        slow(virt("neoverse-n1", 2, 4)),
        slow(virt("max", 2, 1)),
        slow(virt("max", 2, 2)),
        slow(q35("EPYC", 2)),
        slow(q35("max", 1)),
        slow(q35("max", 4)),
        bochs(1),
        bochs(2),
    ],
)
def test_boots_to_a_shell_and_powers_off(socle, initrds, board, choices, cpus):
    toml = linux("debian", initrds(board), cpus, board=board)
    machine = socle(toml, board=board, **{"cpus": cpus, **choices})
    machine.expect(f"init: {cpus} CPUs online")
    machine.expect(PROMPT)
    machine.send("poweroff -f\r")
    text = machine.end(EXIT_OK)
    assert "debian: stopped" in text
    counts = free_pages(text)
    assert counts[0] == counts[-1]


@pytest.mark.parametrize(
    "board, choices",
    [(VIRT, {"gic": 2}), (VIRT, {"gic": 3}), (Q35, {}), (Q35, {"cpu": "max"})],
    ids=["qemu-virt-2", "qemu-virt-3", "q35-EPYC", "q35-max"],
)
def test_installer_initrd_unmodified(socle, board, choices):
    toml = linux("debian", board.debian / "initrd.gz", 4, "512M", "rdinit=/bin/sh", board=board)
    machine = socle(toml, board=board, cpus=2, **choices)
    machine.expect("# ")
    assert "Debian" in machine.command("cat /etc/os-release /etc/lsb-release")
    machine.command("mount -t proc proc /proc")
    assert machine.command("grep -c ^processor /proc/cpuinfo").split()[0] == "4"
    machine.send("echo o >/proc/sysrq-trigger\r")
    machine.end(EXIT_OK)


# What Debian's kernel says by warning level or worse on a PC of this kind without a hypervisor.
USUAL_WARNINGS = (
    r"Speculative Return Stack Overflow",  # old microcode
    r"Zen1 .* bug detected",
    r"nocrs",
    r"Unknown kernel command line",
    r"DMI not present",
    r"This is not a bug",
    r"TPM-bypass",
    r"i8042: PNP: PS/2 appears to have AUX port disabled",
    r"x2apic: IRQ remapping doesn't support X2APIC mode",
)


@pytest.mark.parametrize("cpu", ["EPYC", "max"])
def test_kernel_log_of_a_pc_has_no_complaint(socle, tmp_path, cpu):
    """Counting instructions, for clocks are judged, too. Nothing is typed: QEMU, as of 7.2, repeats
    an interrupt given to a guest if input comes at that moment, and then even where IF is 0."""
    init = initramfs.INIT.replace("exec setsid cttyhack sh", "dmesg; poweroff -f")
    initrd = initramfs.make(Q35.sysroot / "bin/busybox", tmp_path / "initrd.gz", init)
    toml = linux("debian", initrd, board=Q35, cmdline="quiet nokaslr")
    log = socle(toml, board=Q35, cpu=cpu, cpus=1, icount=True).end(EXIT_OK)
    complaints = r"(?i)warn|error|fail|bug|unable|unstable|invalid\b|problem|not consistent|oops|call trace"
    lines = [line for line in log.splitlines() if re.search(complaints, line)]
    assert [line for line in lines if not any(re.search(usual, line) for usual in USUAL_WARNINGS)] == []
    assert "Switched to clocksource tsc" in log


def interrupts(machine):
    """Totals of /proc/interrupts by the line's label and by its last word."""
    totals = {}
    for line in machine.command("cat /proc/interrupts").splitlines():
        found = re.match(r"\s*(\w+):((?:\s+\d+)+)\s+\S.*?(\S+)\s*$", line)
        if found:
            totals[found[1]] = totals[found[3]] = sum(map(int, found[2].split()))
    return totals


@pytest.mark.parametrize(
    "board, choices, names",
    [
        (VIRT, {"gic": 2}, ("arch_timer", "uart-pl011")),
        (VIRT, {"gic": 3}, ("arch_timer", "uart-pl011")),
        (Q35, {}, ("ttyS0", "LOC")),
    ],
    ids=["qemu-virt-2", "qemu-virt-3", "q35"],
)
def test_timer_and_uart_interrupts_grow(socle, initrds, board, choices, names):
    machine = socle(linux("debian", initrds(board), 2, board=board), board=board, cpus=2, **choices)
    machine.expect(PROMPT)
    before = interrupts(machine)
    machine.command("sleep 1")
    after = interrupts(machine)
    for name in names:
        assert after[name] > before[name]


def test_has_a_clock(socle, busybox_initrd):
    machine = socle(
        linux("debian", busybox_initrd), extra=["-rtc", "base=2031-05-06T07:08:09,clock=vm"]
    )
    machine.expect(PROMPT)
    assert "2031-05-06" in machine.command("cat /sys/class/rtc/rtc0/date")


def test_reboots_and_powers_off_from_inside(socle, initrds, board):
    machine = socle(linux("debian", initrds(board), 4, board=board), board=board, cpus=2)
    for _ in range(3):
        machine.expect(PROMPT)
        machine.send("reboot -f\r")
        machine.expect("debian: restarted")
    machine.expect(PROMPT)
    machine.send("poweroff -f\r")
    counts = free_pages(machine.end(EXIT_OK))
    assert counts[0] == counts[-1]


def test_eight_vcpus_on_two_cpus(socle, initrds, board):
    machine = socle(linux("debian", initrds(board), 8, board=board), board=board, cpus=2)
    machine.expect("init: 8 CPUs online")
    machine.expect(PROMPT)
    machine.send("poweroff -f\r")
    machine.end(EXIT_OK)


def test_floating_point_state_is_each_tasks_own(socle, initrds, board):
    """The same sum on all CPUs at once; a mix-up between them would show in one of the results."""
    machine = socle(linux("debian", initrds(board), 4, board=board), board=board, cpus=2)
    machine.expect(PROMPT)
    program = 'BEGIN { for (i = 1; i < 30000; i++) s += i * i / 7.1 + s / i; printf "%.9f\\n", s }'
    machine.command(f"work() {{ awk '{program}'; }}")
    machine.command("for n in 1 2 3 4 5 6; do work >/sum$n & done; wait")
    assert machine.command("cat /sum? | wc -l").split()[0] == "6"
    assert machine.command("cat /sum? | sort -u | wc -l").split()[0] == "1"


def test_two_linux_and_a_bare_guest_side_by_side(socle, initrds, board):
    initrd = initrds(board)
    toml = "".join(linux(name, initrd, 2, board=board) for name in ("first", "second"))
    if board is VIRT:
        toml += hello()
    machine = socle(toml, board=board, cpus=4)
    start = int(machine.expect(r"(\d+) of \d+ pages free")[1])
    machine.expect(PROMPT)
    assert board is not VIRT or "[hello] Hi" in machine.output()
    machine.send("poweroff -f\r")
    with_two = int(machine.expect(r"first: stopped; (\d+) of")[1])
    machine.send("\r")
    machine.expect(PROMPT)
    assert "2" in machine.command("nproc")
    machine.send("poweroff -f\r")
    with_one = int(machine.expect(r"second: stopped; (\d+) of")[1])
    assert with_two < with_one
    assert with_one < start if board is VIRT else with_one == start
