# SPDX-License-Identifier: BSD-2-Clause
"""How Socle starts on a PC: boot loaders, firmware, what it finds."""

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
    """8 for guests, and the one that QEMU's are kept away from."""
    text = socle(guest("fault", board=Q35), board=Q35, cpus=8, memory="512M").end(EXIT_OK)
    assert re.search(r"socle: SVM, \w+, 9 CPUs; ", text)
    assert "socle: guests stay off the boot CPU: QEMU" in text
