# SPDX-License-Identifier: BSD-2-Clause
"""How Socle protects itself: its tables and stacks as QEMU finds them when the machine is off."""

import re
from dataclasses import dataclass

import pagetables
import pytest
from bundles import Q35, VIRT, guest
from monitor import Debugger, Monitor
from pagetables import PAGE

CPUS_FOR_GUESTS = 2
STACK = 16 << 10


@dataclass(frozen=True)
class Architecture:
    cpus: int
    format: pagetables.Format
    stack_pointer: str  # as the monitor names it
    image: int


ARCHITECTURES = {
    VIRT: Architecture(2, pagetables.EL2, "SP", 0x8000_0000_0000),
    Q35: Architecture(3, pagetables.X86, "RSP", 0xFFFF_FFFF_8000_0000),
}


class Stopped:
    """Socle has run a VM, all its CPUs sleep, its tables are as they were meanwhile."""

    def __init__(self, board, machine, stub):
        self.board = board
        self.architecture = ARCHITECTURES[board]
        self.cpus = self.architecture.cpus
        self.monitor = Monitor(machine)
        self.stub = stub

    def system_registers(self, name):
        """Of each CPU; arm64's."""
        debugger = Debugger(self.stub)
        return [debugger.system_register(name, cpu) for cpu in range(self.cpus)]

    def root(self):
        """The CPUs have one."""
        if self.board is VIRT:
            roots = self.system_registers("TTBR0_EL2")
        else:
            roots = self.monitor.registers("CR3")
        assert len(roots) == self.cpus and len(set(roots)) == 1
        return roots[0]

    def mappings(self):
        read = self.monitor.physical_words
        return list(pagetables.walk(self.architecture.format, read, self.root()))

    def pages(self):
        """The small ones, by address."""
        return {one.address: one for one in self.mappings() if one.size == PAGE}


@pytest.fixture
def stopped(socle, board, tmp_path):
    stub = tmp_path / "stub"
    machine = socle(
        guest("fault", board=board),
        board=board,
        cpus=CPUS_FOR_GUESTS,
        memory="512M",
        extra=["-append", "", "-no-shutdown", "-gdb", f"unix:{stub},server=on,wait=off"],
    )
    machine.expect("power off, status 0")
    return Stopped(board, machine, stub)


def below(pages, top):
    """How many bytes are mapped in small pages right below an address."""
    bytes_ = 0
    while top - bytes_ - PAGE in pages:
        bytes_ += PAGE
    return bytes_


def frames(mappings):
    """The pages of physical memory that they lead to."""
    return {at for one in mappings for at in range(one.target, one.target + one.size, PAGE)}


def test_the_tables_are_those_that_the_cpu_walks(stopped):
    mappings = stopped.mappings()
    assert len(mappings) > 100
    for one in mappings[::10]:
        assert stopped.monitor.physical(one.address) == one.target


def test_no_page_is_writable_and_executable(stopped):
    """Not through two mappings, either."""
    mappings = stopped.mappings()
    executable = [one for one in mappings if one.execute]
    assert executable and min(one.address for one in executable) == stopped.architecture.image
    assert frames(executable).isdisjoint(frames(one for one in mappings if one.write))
    assert not any(one.user for one in mappings)


def test_stacks_end_at_pages_that_are_not_mapped(stopped):
    pages = stopped.pages()
    tops = stopped.monitor.registers(stopped.architecture.stack_pointer)
    assert len(tops) == stopped.cpus
    for top in tops:
        assert 0 < below(pages, (top | PAGE - 1) + 1) <= STACK


# --- arm64 ---

SCTLR_M, SCTLR_SA, SCTLR_WXN = 1 << 0, 1 << 3, 1 << 19


@pytest.mark.parametrize("board", [VIRT], ids=str)
def test_no_cpu_would_execute_what_is_writable(stopped):
    for control in stopped.system_registers("SCTLR_EL2"):
        assert control & SCTLR_M and control & SCTLR_SA and control & SCTLR_WXN


# --- x86 ---

CR0_WP, CR4_SMEP, CR4_SMAP = 1 << 16, 1 << 20, 1 << 21
EFER_NXE = 1 << 11
IST_VECTORS = {2: "NMI", 8: "#DF", 18: "#MC"}
GATE_IST = 32, 0x7
TSS_IST = 0x24


@pytest.mark.parametrize("board", [Q35], ids=str)
def test_every_cpu_has_its_protections_on(stopped):
    cr0, cr4, efer = map(stopped.monitor.registers, ("CR0", "CR4", "EFER"))
    assert len(cr0) == len(cr4) == len(efer) == stopped.cpus
    for cpu in range(stopped.cpus):
        assert cr0[cpu] & CR0_WP
        assert cr4[cpu] & CR4_SMEP and cr4[cpu] & CR4_SMAP
        assert efer[cpu] & EFER_NXE


@pytest.mark.parametrize("board", [Q35], ids=str)
def test_emergencies_have_stacks_of_their_own(stopped):
    """On each CPU; and the tables that say so are read-only."""
    pages, monitor = stopped.pages(), stopped.monitor
    text = monitor.ask("info registers -a")
    idts = [int(base, 16) for base in re.findall(r"IDT=\s+([0-9a-f]+)", text)]
    tasks = [int(base, 16) for base in re.findall(r"TR =\S+ ([0-9a-f]+)", text)]
    stacks = []
    for idt, task in zip(idts, tasks, strict=True):
        assert not pages[idt & -PAGE].write
        for vector in IST_VECTORS:
            ist = monitor.words(idt + 16 * vector)[0] >> GATE_IST[0] & GATE_IST[1]
            assert ist != 0
            top = monitor.words(task + TSS_IST + 8 * (ist - 1))[0]
            assert below(pages, top) == STACK
            stacks.append(top)
    assert len(set(stacks)) == len(stacks) == stopped.cpus * len(IST_VECTORS)
