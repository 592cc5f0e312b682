# SPDX-License-Identifier: BSD-2-Clause
"""Debian's kernel and installer, booted to power-off: the files, and a machine to compare with.

A kernel's boot depends on the machine as well as on who runs it. QEMU's has 37 devices that
machine `virt` lacks and are probed, and gives no seed: until it has gathered randomness itself,
the kernel stirs its pool anew for each number. Without a hypervisor, of 1111 million
instructions 18 go to the one and 58 to the other. So Socle is compared with a machine that has
a seed and no such device as well.
"""

import gzip
from pathlib import Path

import libfdt

# Of QEMU's machine, what machine `virt` does not have.
OTHER_DEVICES = ("flash", "pcie", "platform-bus", "pmu", "virtio_mmio")
SEED = bytes(range(32))

# Busybox of the installer's own.
CMDLINE = "nokaslr rdinit=/bin/busybox -- poweroff -f"
MEMORY = "1G"  # the files take a quarter of it


def unpacked(initrd, output):
    """The installer's file system as it is, but so that the kernel need not decompress it."""
    Path(output).write_bytes(gzip.decompress(Path(initrd).read_bytes()))
    return output


def same_devices(tree):
    """QEMU's device tree, with a seed and without what machine `virt` does not have."""
    fdt = libfdt.Fdt(bytearray(tree))
    _drop(fdt, 0, OTHER_DEVICES)
    _drop(fdt, _child(fdt, 0, "intc"), ("its",))
    fdt.setprop(_child(fdt, 0, "chosen"), "rng-seed", SEED)
    fdt.pack()  # the emulator's has a megabyte of room
    return fdt.as_bytearray()


def _children(fdt, node):
    child = fdt.first_subnode(node, libfdt.QUIET_NOTFOUND)
    while child >= 0:
        yield child
        child = fdt.next_subnode(child, libfdt.QUIET_NOTFOUND)


def _child(fdt, node, name):
    return next(child for child in _children(fdt, node) if fdt.get_name(child).split("@")[0] == name)


def _drop(fdt, node, names):
    """Last first, so that those before stay where they are."""
    for child in reversed(list(_children(fdt, node))):
        if fdt.get_name(child).split("@")[0] in names:
            fdt.del_node(child)
