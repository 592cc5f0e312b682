# SPDX-License-Identifier: BSD-2-Clause
"""How Socle starts on a PC: boot loaders, firmware, what it finds; and how it is protected."""

import re
import subprocess
import tomllib

import pytest
from bundles import Q35, ROOT, guest
from conftest import EXIT_OK, EXIT_PANIC, WATCHDOG, Machine

IMAGE = ROOT / "build/q35/socle.elf"
OVMF = "/usr/share/ovmf/OVMF.fd"
BOARD = tomllib.loads((ROOT / "boards/q35/board.toml").read_text())
EPYC = BOARD["emulator"]["qemu"]["cpu"]["EPYC"]

DEBUG_EXIT = "isa-debug-exit,iobase=0xf4,iosize=4"


def exit_status(status):
    """What isa-debug-exit makes of Socle's."""
    return 2 * status + 1


@pytest.fixture
def pc(tmp_path):
    """pc(words…): QEMU's q35 without what tools/socle-run gives it: a Machine."""
    machines = []

    def start(*words, cpu=EPYC):
        command = ["qemu-system-x86_64", "-M", "q35", "-cpu", cpu, "-smp", "2", "-m", "512M"]
        command += ["-display", "none", "-nic", "none", "-monitor", "none", "-no-reboot"]
        command += ["-device", DEBUG_EXIT, "-serial", "mon:stdio", *words]
        machines.append(Machine(command, tmp_path / "console.txt"))
        return machines[-1]

    yield start
    for machine in machines:
        machine.quit()


@pytest.fixture
def make_iso(tmp_path):
    """make_iso(bundle): an ISO of tools/socle-iso; None: without a bundle."""

    def make(bundle):
        iso = tmp_path / "socle.iso"
        command = [ROOT / "tools/socle-iso", "--arguments", "debug-exit", "-o", iso]
        if bundle is not None:
            command += ["--bundle", bundle]
        subprocess.run(command, check=True)
        return iso

    return make


FIRMWARE = {"bios": (), "uefi": ("-bios", OVMF)}


@pytest.mark.parametrize("firmware", FIRMWARE)
@pytest.mark.parametrize("screen", ["none", "std"])
def test_iso_boots(pc, make_bundle, make_iso, firmware, screen):
    """Multiboot 2 by GRUB, with a screen that it may set up and without."""
    iso = make_iso(make_bundle(guest("fault", board=Q35)))
    text = pc("-cdrom", iso, "-vga", screen, *FIRMWARE[firmware]).end(exit_status(EXIT_OK))
    assert re.search(r"socle: SVM, \w+, 2 CPUs; ", text)
    assert re.search(r"guest: done, \d+ passed, 0 failed", text)
    assert "socle: fault: stopped; " in text


@pytest.mark.parametrize("firmware", FIRMWARE)
def test_iso_without_a_bundle_says_so(pc, make_iso, firmware):
    text = pc("-cdrom", make_iso(None), *FIRMWARE[firmware]).end(exit_status(EXIT_PANIC))
    assert "socle: panic: no bundle" in text


def test_iso_with_a_damaged_bundle_says_so(pc, make_bundle, make_iso):
    bundle = make_bundle(guest("fault", board=Q35))
    content = bytearray(bundle.read_bytes())
    content[0x80:0x90] = b"\xff" * 16
    bundle.write_bytes(content)
    text = pc("-cdrom", make_iso(bundle)).end(exit_status(EXIT_PANIC))
    assert "bundle cannot be used" in text and "damaged" in text


@pytest.mark.parametrize(
    "content, words",
    [(None, "no bundle"), (b"noise" * 1000, "not a bundle")],
    ids=["missing", "noise"],
)
def test_multiboot_1_with_a_bundle_that_is_none(pc, tmp_path, content, words):
    given = []
    if content:
        bundle = tmp_path / "bundle.itb"
        bundle.write_bytes(content)
        given = ["-initrd", bundle]
    text = pc("-kernel", IMAGE, "-append", "debug-exit", *given).end(exit_status(EXIT_PANIC))
    assert words in text


def test_runs_without_a_serial_port(make_bundle):
    """Nobody reads it then, but the guests run, and the status is right."""
    command = ["qemu-system-x86_64", "-M", "q35", "-cpu", EPYC, "-m", "512M", "-nodefaults"]
    command += ["-display", "none", "-no-reboot", "-device", DEBUG_EXIT, "-append", "debug-exit"]
    bundle = make_bundle(guest("fault", board=Q35))
    run = subprocess.run([*command, "-kernel", IMAGE, "-initrd", bundle], timeout=WATCHDOG)
    assert run.returncode == exit_status(EXIT_OK)


def test_all_cpus_start(socle):
    text = socle(guest("fault", board=Q35), board=Q35, cpus=8, memory="512M").end(EXIT_OK)
    assert re.search(r"socle: SVM, \w+, 8 CPUs; ", text)


# --- protection: QEMU's monitor walks the tables that CR3 leads to, when the machine is off ---

PAGE = 4096
STACK = 16 << 10
CR0_WP, CR4_SMEP, CR4_SMAP = 1 << 16, 1 << 20, 1 << 21
EFER_NXE = 1 << 11
IST_VECTORS = {2: "NMI", 8: "#DF", 18: "#MC"}
GATE_IST = 32, 0x7
TSS_IST = 0x24


class Monitor:
    """What a switched-off machine held, behind Ctrl-A c on its terminal."""

    PROMPT = r"\(qemu\) "

    def __init__(self, machine):
        self.machine = machine
        machine.send("\x01c")
        machine.expect(self.PROMPT)

    def ask(self, line):
        self.machine.send(line + "\n")
        self.machine.expect(r"\n")  # behind the line as it was edited
        self.machine.expect(self.PROMPT)
        return self.machine.before()

    def registers(self, name):
        """Of each CPU."""
        text = self.ask("info registers -a")
        return [int(value, 16) for value in re.findall(rf"\b{name} ?=\s*([0-9a-f]+)", text)]

    def words(self, address, count=1):
        text = self.ask(f"x /{count}gx {address:#x}")
        return [int(word, 16) for line in text.splitlines() for word in line.split(":")[-1].split()]

    def pages(self):
        """Flags of the mappings by address, as `info tlb` writes them: X is NX."""
        lines = re.findall(r"^([0-9a-f]{16}): [0-9a-f]{16} (\S+)$", self.ask("info tlb"), re.M)
        return {int(address, 16): flags for address, flags in lines}


@pytest.fixture
def switched_off(pc, make_bundle):
    """Socle has run a VM, all its CPUs sleep, its tables are as they were meanwhile."""
    bundle = make_bundle(guest("fault", board=Q35))
    machine = pc("-kernel", IMAGE, "-initrd", bundle, "-no-shutdown")
    machine.expect("power off, status 0")
    return Monitor(machine)


def below(pages, top):
    """How many bytes are mapped in small pages right below an address."""
    bytes_ = 0
    while top - bytes_ - PAGE in pages:
        bytes_ += PAGE
    return bytes_


def test_no_page_is_writable_and_executable(switched_off):
    pages = switched_off.pages()
    assert len(pages) > 100
    assert [hex(at) for at, flags in pages.items() if "W" in flags and "X" not in flags] == []
    assert [hex(at) for at, flags in pages.items() if "U" in flags] == []
    executable = [at for at, flags in pages.items() if "X" not in flags]
    assert executable and min(executable) == 0xFFFFFFFF80000000


def test_every_cpu_has_its_protections_on(switched_off):
    cr0, cr4 = switched_off.registers("CR0"), switched_off.registers("CR4")
    efer = switched_off.registers("EFER")
    assert len(cr0) == len(cr4) == len(efer) == 2
    for cpu in range(2):
        assert cr0[cpu] & CR0_WP
        assert cr4[cpu] & CR4_SMEP and cr4[cpu] & CR4_SMAP
        assert efer[cpu] & EFER_NXE


def test_stacks_end_at_pages_that_are_not_mapped(switched_off):
    pages = switched_off.pages()
    for top in switched_off.registers("RSP"):
        assert 0 < below(pages, (top | PAGE - 1) + 1) <= STACK


def test_emergencies_have_stacks_of_their_own(switched_off):
    """On each CPU; and the tables that say so are read-only."""
    pages = switched_off.pages()
    text = switched_off.ask("info registers -a")
    idts = [int(base, 16) for base in re.findall(r"IDT=\s+([0-9a-f]+)", text)]
    tasks = [int(base, 16) for base in re.findall(r"TR =\S+ ([0-9a-f]+)", text)]
    stacks = []
    for idt, task in zip(idts, tasks, strict=True):
        assert "W" not in pages[idt & -PAGE]
        for vector in IST_VECTORS:
            ist = switched_off.words(idt + 16 * vector)[0] >> GATE_IST[0] & GATE_IST[1]
            assert ist != 0
            top = switched_off.words(task + TSS_IST + 8 * (ist - 1))[0]
            assert below(pages, top) == STACK
            stacks.append(top)
    assert len(set(stacks)) == len(stacks) == 2 * len(IST_VECTORS)
