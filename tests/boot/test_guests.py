# SPDX-License-Identifier: BSD-2-Clause
"""The bare-metal test guests: each checks one part of what a guest sees, and says so by line."""

import re

import pytest
from bundles import guest, hello
from conftest import EXIT_OK

# CPU models with the interrupt controller's version and the guests' number of CPUs.
CHOICES = [("cortex-a53", 3, 1), ("cortex-a57", 2, 4), ("cortex-a72", 3, 4), ("max", 3, 2)]
MORE_CHOICES = [("neoverse-n1", 3, 4), ("cortex-a53", 2, 2), ("max", 2, 4)]


def run(socle, program, vcpus=1, cmdline="", cpus=2, **choices):
    toml = guest(program, cpus=vcpus, cmdline=cmdline)
    machine = socle(toml, cpus=cpus, memory="512M", **choices)
    text = machine.end(EXIT_OK)
    failures = re.findall(r"FAIL .*", text)
    assert failures == []
    passed = int(re.search(r"guest: done, (\d+) passed, 0 failed", text)[1])
    assert passed > 0


def over(*choices):
    return pytest.mark.parametrize("cpu, gic, cpus", choices)


def slow(*choices):
    return [pytest.param(*choice, marks=pytest.mark.slow) for choice in choices]


@over(*CHOICES, *slow(*MORE_CHOICES))
def test_interrupt_controller(socle, cpu, gic, cpus):
    run(socle, "gic", cpus, cpu=cpu, gic=gic)


@over(*CHOICES, *slow(*MORE_CHOICES))
def test_registers_of_the_interrupt_controller(socle, cpu, gic, cpus):
    run(socle, "gicregs", cpus, cpu=cpu, gic=gic)


@over(*CHOICES, *slow(*MORE_CHOICES))
def test_psci(socle, cpu, gic, cpus):
    run(socle, "psci", cpus, cpu=cpu, gic=gic)


@over(*CHOICES[:2], *slow(*CHOICES[2:], *MORE_CHOICES))
def test_timers(socle, cpu, gic, cpus):
    run(socle, "timer", cpus, cpu=cpu, gic=gic)


@over(CHOICES[0], CHOICES[1], CHOICES[3])
def test_undecoded_device_accesses(socle, cpu, gic, cpus):
    run(socle, "mmio", 1, "nothing", cpu=cpu, gic=gic)


@pytest.mark.parametrize("cpu", ["cortex-a53", "cortex-a72", "neoverse-n1", "max"])
def test_cpu_features(socle, cpu):
    run(socle, "sysreg", cpu=cpu)


@pytest.mark.parametrize("cpu, vcpus", [("cortex-a53", 1), ("cortex-a72", 2), ("max", 2)])
def test_breakpoints_of_its_own(socle, cpu, vcpus):
    """On one CPU of the machine: two vCPUs take turns, each with a breakpoint elsewhere."""
    run(socle, "debug", vcpus, cpu=cpu, cpus=1)


def test_hello_on_machine_bare(socle):
    socle(hello()).expect(r"Hi\r?\n")
