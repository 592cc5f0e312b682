# SPDX-License-Identifier: BSD-2-Clause
"""Debian's unmodified kernel as a guest."""

import re

import pytest
from bundles import DEBIAN, hello, linux
from conftest import EXIT_OK, free_pages

PROMPT = r"guest# "


def slow(*values):
    return pytest.param(*values, marks=pytest.mark.slow)


@pytest.mark.parametrize(
    "cpu, gic, cpus",
    [
        ("cortex-a53", 3, 1),
        ("cortex-a57", 2, 2),
        ("cortex-a72", 2, 4),
        ("neoverse-n1", 3, 2),
        ("max", 3, 4),
        slow("cortex-a53", 2, 4),
        slow("cortex-a57", 3, 4),
        slow("cortex-a72", 3, 1),
        slow("neoverse-n1", 2, 4),
        slow("max", 2, 1),
        slow("max", 2, 2),
    ],
)
def test_boots_to_a_shell_and_powers_off(socle, busybox_initrd, cpu, gic, cpus):
    machine = socle(linux("debian", busybox_initrd, cpus), cpu=cpu, gic=gic, cpus=cpus)
    machine.expect(f"init: {cpus} CPUs online")
    machine.expect(PROMPT)
    machine.send("poweroff -f\r")
    text = machine.end(EXIT_OK)
    assert "debian: stopped" in text
    counts = free_pages(text)
    assert counts[0] == counts[-1]


@pytest.mark.parametrize("gic", [2, 3])
def test_installer_initrd_unmodified(socle, gic):
    toml = linux("debian", DEBIAN / "initrd.gz", 4, "512M", "rdinit=/bin/sh")
    machine = socle(toml, cpus=2, gic=gic)
    machine.expect("# ")
    assert "Debian" in machine.command("cat /etc/os-release /etc/lsb-release")
    machine.command("mount -t proc proc /proc")
    assert machine.command("grep -c ^processor /proc/cpuinfo").split()[0] == "4"
    machine.send("echo o >/proc/sysrq-trigger\r")
    machine.end(EXIT_OK)


def interrupts(machine):
    """Totals of /proc/interrupts by the line's last word."""
    totals = {}
    for line in machine.command("cat /proc/interrupts").splitlines():
        found = re.match(r"\s*\w+:((?:\s+\d+)+)\s+\S.*?(\S+)\s*$", line)
        if found:
            totals[found[2]] = sum(map(int, found[1].split()))
    return totals


@pytest.mark.parametrize("gic", [2, 3])
def test_timer_and_uart_interrupts_grow(socle, busybox_initrd, gic):
    machine = socle(linux("debian", busybox_initrd, 2), cpus=2, gic=gic)
    machine.expect(PROMPT)
    before = interrupts(machine)
    machine.command("sleep 1")
    after = interrupts(machine)
    assert after["arch_timer"] > before["arch_timer"]
    assert after["uart-pl011"] > before["uart-pl011"]


def test_has_a_clock(socle, busybox_initrd):
    machine = socle(
        linux("debian", busybox_initrd), extra=["-rtc", "base=2031-05-06T07:08:09,clock=vm"]
    )
    machine.expect(PROMPT)
    assert "2031-05-06" in machine.command("cat /sys/class/rtc/rtc0/date")


def test_reboots_and_powers_off_from_inside(socle, busybox_initrd):
    machine = socle(linux("debian", busybox_initrd, 4), cpus=2)
    for _ in range(3):
        machine.expect(PROMPT)
        machine.send("reboot -f\r")
        machine.expect("debian: restarted")
    machine.expect(PROMPT)
    machine.send("poweroff -f\r")
    counts = free_pages(machine.end(EXIT_OK))
    assert counts[0] == counts[-1]


def test_eight_vcpus_on_two_cpus(socle, busybox_initrd):
    machine = socle(linux("debian", busybox_initrd, 8), cpus=2)
    machine.expect("init: 8 CPUs online")
    machine.expect(PROMPT)
    machine.send("poweroff -f\r")
    machine.end(EXIT_OK)


def test_floating_point_state_is_each_tasks_own(socle, busybox_initrd):
    """The same sum on all CPUs at once; a mix-up between them would show in one of the results."""
    machine = socle(linux("debian", busybox_initrd, 4), cpus=2)
    machine.expect(PROMPT)
    program = 'BEGIN { for (i = 1; i < 30000; i++) s += i * i / 7.1 + s / i; printf "%.9f\\n", s }'
    machine.command(f"work() {{ awk '{program}'; }}")
    machine.command("for n in 1 2 3 4 5 6; do work >/sum$n & done; wait")
    assert machine.command("cat /sum? | wc -l").split()[0] == "6"
    assert machine.command("cat /sum? | sort -u | wc -l").split()[0] == "1"


def test_two_linux_and_a_bare_guest_side_by_side(socle, busybox_initrd):
    toml = linux("first", busybox_initrd, 2) + linux("second", busybox_initrd, 2) + hello()
    machine = socle(toml, cpus=4)
    start = int(machine.expect(r"(\d+) of \d+ pages free")[1])
    machine.expect(PROMPT)
    assert "[hello] Hi" in machine.output()
    machine.send("poweroff -f\r")
    with_two = int(machine.expect(r"first: stopped; (\d+) of")[1])
    machine.send("\r")
    machine.expect(PROMPT)
    assert "2" in machine.command("nproc")
    machine.send("poweroff -f\r")
    with_one = int(machine.expect(r"second: stopped; (\d+) of")[1])
    assert with_two < with_one < start
