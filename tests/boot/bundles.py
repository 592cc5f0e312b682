# SPDX-License-Identifier: BSD-2-Clause
"""The TOML of the tests' bundles."""

import json
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
GUESTS = ROOT / "build" / "guests"
DEBIAN = Path("/usr/lib/debian-installer/images/12/arm64/text/debian-installer/arm64")
UBOOT = Path("/usr/lib/u-boot/qemu_arm64/u-boot.bin")


def vm(name, **keys):
    """A [[vm]] of a bundle's TOML. JSON's numbers, strings, lists and booleans are TOML's."""
    lines = [f"{key} = {json.dumps(value)}" for key, value in {"name": name, **keys}.items()]
    return "\n".join(["[[vm]]", *lines, ""])


def guest(name, program=None, cpus=1, memory="64M", **keys):
    """One of tests/guests on machine `virt`."""
    kernel = str(GUESTS / f"{program or name}.bin")
    return vm(name, machine="virt", cpus=cpus, memory=memory, kernel=kernel, **keys)


def hello(name="hello"):
    """The smallest guest, on machine `bare`."""
    return vm(name, machine="bare", kernel=str(GUESTS / "hello.bin"), load=0x10000, entry=0x10000) + (
        'ram = [{ base = 0x0, size = "16M" }]\n'
        '[[vm.device]]\ntype = "debug-console"\nbase = 0x90000000\n'
    )


def linux(name, initrd, cpus=1, memory="256M", cmdline="quiet", **keys):
    """Debian's unmodified kernel."""
    return vm(
        name,
        machine="virt",
        cpus=cpus,
        memory=memory,
        kernel=str(DEBIAN / "linux"),
        initrd=str(initrd),
        cmdline=f"console=ttyAMA0 {cmdline}",
        **keys,
    )
