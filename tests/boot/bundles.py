# SPDX-License-Identifier: BSD-2-Clause
"""The TOML of the tests' bundles."""

import json
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
GUESTS = ROOT / "build" / "guests"
INSTALLER = "/usr/lib/debian-installer/images/12/{0}/text/debian-installer/{0}"
UBOOT = Path("/usr/lib/u-boot/qemu_arm64/u-boot.bin")


@dataclass(frozen=True)
class Board:
    """What differs between boards for those who write bundles."""

    name: str
    machine: str
    debian: Path  # the installer's kernel and initrd
    console: str  # as Linux names it
    guests: str  # the path of one of tests/guests
    sysroot: Path

    def __str__(self):
        return self.name

    def kernel(self, program):
        return str(GUESTS / self.guests.format(program))


VIRT = Board(
    name="qemu-virt",
    machine="virt",
    debian=Path(INSTALLER.format("arm64")),
    console="ttyAMA0",
    guests="{}.bin",
    sysroot=ROOT / "build/sysroot/arm64",
)
Q35 = Board(
    name="q35",
    machine="pc",
    debian=Path(INSTALLER.format("amd64")),
    console="ttyS0",
    guests="x86/{}.elf",
    sysroot=ROOT / "build/sysroot/x86",
)
BOARDS = (VIRT, Q35)
DEBIAN = VIRT.debian


def vm(name, **keys):
    """A [[vm]] of a bundle's TOML. JSON's numbers, strings, lists and booleans are TOML's."""
    lines = [f"{key} = {json.dumps(value)}" for key, value in {"name": name, **keys}.items()]
    return "\n".join(["[[vm]]", *lines, ""])


def guest(name, program=None, cpus=1, memory="64M", board=VIRT, **keys):
    """One of tests/guests on the board's machine."""
    kernel = board.kernel(program or name)
    return vm(name, machine=board.machine, cpus=cpus, memory=memory, kernel=kernel, **keys)


def hello(name="hello"):
    """The smallest guest, on machine `bare`."""
    return vm(name, machine="bare", kernel=str(GUESTS / "hello.bin"), load=0x10000, entry=0x10000) + (
        'ram = [{ base = 0x0, size = "16M" }]\n'
        '[[vm.device]]\ntype = "debug-console"\nbase = 0x90000000\n'
    )


def linux(name, initrd, cpus=1, memory="256M", cmdline="quiet", board=VIRT, **keys):
    """Debian's unmodified kernel."""
    return vm(
        name,
        machine=board.machine,
        cpus=cpus,
        memory=memory,
        kernel=str(board.debian / "linux"),
        initrd=str(initrd),
        cmdline=f"console={board.console} {cmdline}",
        **keys,
    )


def disk(name, size):
    """A [[disk]], to which `ide` connects a VM."""
    return f'[[disk]]\nname = "{name}"\nsize = {size}\n'


def ide(name):
    """A [[vm.device]] of the VM before it."""
    return f'[[vm.device]]\ntype = "ide"\ndisk = "{name}"\nirq = 14\n'
