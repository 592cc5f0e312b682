# SPDX-License-Identifier: BSD-2-Clause
"""Kernels of each form, device trees of the user's own, and what follows a VM's end."""

import re

import libfdt
import pytest
from bundles import GUESTS, guest, vm
from conftest import EXIT_OK, EXIT_VM_CRASHED, free_pages


def bare_with_uart(name, kernel, **keys):
    """Machine `bare` with RAM at 0, and a UART where the guests' library looks for it."""
    return vm(name, machine="bare", kernel=str(GUESTS / kernel), **keys) + (
        'ram = [{ base = 0x0, size = "64M" }]\n'
        '[[vm.device]]\ntype = "pl011"\nbase = 0x09000000\nirq = 33\n'
    )


def passes(machine):
    text = machine.end(EXIT_OK)
    assert "FAIL" not in text
    assert "passed, 0 failed" in text


def test_elf_kernel_where_its_segments_say(socle):
    passes(socle(bare_with_uart("elf", "sysreg.elf"), cpus=1, memory="512M"))


def test_raw_kernel_where_the_bundle_says(socle):
    toml = bare_with_uart("raw", "sysreg.bin", format="raw", load=0x230000, entry=0x230000)
    passes(socle(toml, cpus=1, memory="512M"))


def test_raw_kernel_on_machine_virt(socle):
    passes(socle(guest("sysreg", format="raw"), cpus=1, memory="512M"))


def device_tree(path, bootargs):
    tree = libfdt.FdtSw()
    tree.finish_reservemap()
    with tree.add_node(""):
        tree.property_string("compatible", "linux,dummy-virt")
        tree.property_u32("#address-cells", 2)
        tree.property_u32("#size-cells", 2)
        with tree.add_node("chosen"):
            tree.property_string("bootargs", bootargs)
    path.write_bytes(tree.as_fdt().as_bytearray())
    return str(path)


@pytest.mark.parametrize("cmdline, acts", [("", 20000), ("acts=10000", 10000)])
def test_device_tree_of_the_users_own(socle, tmp_path, cmdline, acts):
    """Its command line stays, unless the bundle has another."""
    fdt = device_tree(tmp_path / "own.dtb", "acts=20000")
    machine = socle(guest("hostile", fdt=fdt, cmdline=cmdline), cpus=1, memory="512M")
    machine.expect(f"hostile: done {acts}")
    machine.end(EXIT_OK)


def test_deterministic_machine(socle, tmp_path):
    """Counting instructions, two runs say the same, to the tick."""
    texts = [socle(guest("timer"), icount=True, cpus=1).end(EXIT_OK) for _ in range(2)]
    assert "passed, 0 failed" in texts[0]
    assert texts[0] == texts[1]


def test_always_restarted(socle):
    machine = socle(guest("sysreg", restart="always"), cpus=1, memory="512M")
    for _ in range(3):
        machine.expect("passed, 0 failed")
        machine.expect("sysreg: restarted")


def test_crash_loop_is_given_up(socle):
    toml = guest("fault", cmdline="call-null", restart="on-crash")
    text = socle(toml, cpus=1, memory="512M").end(EXIT_VM_CRASHED)
    assert text.count("fault: restarted") == 4
    assert "crashed 5 times in a row" in text
    counts = free_pages(text)
    assert counts[0] == counts[-1]


def test_as_many_vms_as_a_bundle_holds(socle):
    """All made, run and unmade, more of them than CPUs, and nothing is left behind."""
    names = [f"vm{n}" for n in range(63)]
    toml = "".join(guest(name, "hostile", memory="16M", cmdline="acts=0") for name in names)
    text = socle(toml, cpus=2, memory="1G").end(EXIT_OK)
    for name in names:
        assert f"{name}: stopped" in text
    counts = free_pages(text)
    assert counts[0] == counts[-1]


@pytest.mark.parametrize("ahead", [True, False])
def test_memory_ahead_spares_faults(socle, ahead):
    """Also after a restart. The statistics tell."""
    machine = socle(guest("restart", prefault=ahead), cpus=1, memory="512M")
    machine.expect("fresh, waiting")
    machine.send("r")
    machine.expect("restart: restarted")
    machine.expect("fresh, waiting")
    machine.send("q")
    text = machine.end(EXIT_OK)
    columns = re.search(r"restart: (vcpu .*)", text)[1].replace(" ms", "-ms").split()
    numbers = re.search(r"restart: +(0( +\d+)+)\n", text)[1].split()
    statistics = dict(zip(columns, map(int, numbers), strict=True))
    faults = statistics.get("faults", 0)  # what is zero has no column
    assert (faults == 0) == ahead
    assert statistics["mmio"] + faults == statistics["memory"]
    assert statistics["hypercall"] >= 2
    assert statistics["exits"] >= statistics["memory"] + statistics["hypercall"]
