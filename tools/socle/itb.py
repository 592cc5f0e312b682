# SPDX-License-Identifier: BSD-2-Clause
"""The bundle's binary form: a flattened device tree, then the images (docs/bundle.md).

    0           tree          totalsize is a multiple of 8
    totalsize   check         64 bits, little-endian, over the tree
    ...         images        each from a multiple of 4096 on
"""

import hashlib
import re
import struct
from dataclasses import dataclass, field

import libfdt

from socle.vm_schema import HOST_CPUS, PAGE, Vm

VERSION = 1
MASK64 = (1 << 64) - 1
CHECK_BYTES = 8
_IMAGE_KEYS = ("kernel", "firmware", "initrd", "fdt")


class Damaged(Exception):
    """Not a bundle, or not a whole one; the message says what is wrong."""


def tree_check(tree):
    """The check of a tree, 64 bits at a time. A change within one word never goes unseen.

    Each step (exclusive or, odd factor, shift) is a bijection of the state.
    """
    state = 0xCBF29CE484222325
    for (word,) in struct.iter_unpack("<Q", tree):
        state = (state ^ word) * 0x9E3779B97F4A7C15 & MASK64
        state ^= state >> 32
    return state


@dataclass
class Image:
    name: str
    data: bytes
    sha256: bytes
    position: int = 0


def _files(system):
    """Each image's use: ((name of VM or disk, key), file name, bytes)."""
    for guest in system.guests:
        for key, data in guest.files.items():
            yield (guest.vm.name, key), getattr(guest.vm, key), data
    for disk, data in system.disks:
        if data is not None:
            yield (disk.name, "image"), disk.image, data


def _image_names(system):
    """(images in order, {use: image}); the same bytes are stored once."""
    by_data, names, uses = {}, set(), {}
    for use, file_name, data in _files(system):
        digest = hashlib.sha256(data).digest()
        if digest not in by_data:
            stem = re.sub(r"[^A-Za-z0-9._+-]", "_", file_name.rpartition("/")[2])[:27]
            name, copy = stem, 1
            while name in names:
                name, copy = f"{stem}-{copy}", copy + 1
            names.add(name)
            by_data[digest] = Image(name, data, digest)
        uses[use] = by_data[digest]
    return list(by_data.values()), uses


def build(system):
    """The bundle's bytes."""
    images, uses = _image_names(system)
    length = len(_tree(system, images, uses, 0))  # positions are of fixed width
    end = length + CHECK_BYTES
    for image in images:
        image.position = -(-end // PAGE) * PAGE
        end = image.position + len(image.data)
    tree = _tree(system, images, uses, end)
    out = bytearray(end)
    out[:length] = tree
    struct.pack_into("<Q", out, length, tree_check(tree))
    for image in images:
        out[image.position : image.position + len(image.data)] = image.data
    return bytes(out)


def _tree(system, images, uses, file_size):
    fdt = libfdt.FdtSw()
    fdt.finish_reservemap()
    with fdt.add_node(""):
        fdt.property_string("compatible", "socle,bundle")
        fdt.property_u32("version", VERSION)
        fdt.property_u64("file-size", file_size)
        with fdt.add_node("vms"):
            for guest in system.guests:
                name = guest.vm.name
                with fdt.add_node(name):
                    _put_vm(fdt, guest.vm, {key: uses[name, key].name for key in guest.files})
        if system.disks:
            with fdt.add_node("disks"):
                for disk, data in system.disks:
                    with fdt.add_node(disk.name):
                        _put_disk(fdt, disk, data and uses[disk.name, "image"].name)
        with fdt.add_node("images"):
            for image in images:
                with fdt.add_node(image.name):
                    fdt.property_u64("data-position", image.position)
                    fdt.property_u64("data-size", len(image.data))
                    fdt.property("sha256", image.sha256)
    tree = bytearray(fdt.as_fdt().as_bytearray())
    tree += bytes(-len(tree) % 8)
    struct.pack_into(">I", tree, 4, len(tree))
    return bytes(tree)


def _put_vm(fdt, vm, image_names):
    """One VM; what has its default is left out, so that the target reads little."""
    default = Vm(vm.name)
    fdt.property_string("machine", vm.machine)
    fdt.property("ram", b"".join(struct.pack(">QQ", ram.base, ram.size) for ram in vm.ram))
    for key, name in image_names.items():
        fdt.property_string(key, name)
    for key in ("cmdline", "format", "restart"):
        if getattr(vm, key) != getattr(default, key):
            fdt.property_string(key, getattr(vm, key))
    for key in ("cpus", "priority", "slice_ms"):
        if getattr(vm, key) != getattr(default, key):
            fdt.property_u32(key.replace("_", "-"), getattr(vm, key))
    for key in ("load", "entry"):
        if getattr(vm, key) is not None:
            fdt.property_u64(key, getattr(vm, key))
    if vm.affinity:
        fdt.property_u64("affinity", sum(1 << cpu for cpu in vm.affinity))
    if vm.prefault:
        fdt.property("prefault", b"")
    for number, device in enumerate(vm.device):
        with fdt.add_node(f"device-{number}"):
            fdt.property_string("type", device.type)
            if device.base is not None:
                fdt.property_u64("base", device.base)
            if device.port is not None:
                fdt.property_u32("port", device.port)
            if device.irq:
                fdt.property_u32("irq", device.irq)
            if device.disk is not None:
                fdt.property_string("disk", device.disk)


def _put_disk(fdt, disk, image_name):
    if disk.size:
        fdt.property_u64("size", disk.size)
    if image_name is not None:
        fdt.property_string("image", image_name)


@dataclass
class Listing:
    """What a bundle says, for people: properties as text, images with their sizes."""

    size: int
    tree_size: int
    vms: list[dict[str, str]] = field(default_factory=list)
    disks: list[dict[str, str]] = field(default_factory=list)
    images: list[dict] = field(default_factory=list)


def read(data):
    """Checks a bundle whole, images too. Raises Damaged."""
    tree = _checked_tree(data)
    try:
        fdt = libfdt.FdtRo(tree)
        root = fdt.path_offset("/")
        version = fdt.getprop(root, "version").as_uint32()
        file_size = fdt.getprop(root, "file-size").as_uint64()
        if version != VERSION:
            raise Damaged(f"version {version}: this tool knows {VERSION}")
        if file_size != len(data):
            raise Damaged(f"truncated: {len(data)} bytes of {file_size}")
        listing = Listing(len(data), len(tree))
        listing.images = [_read_image(fdt, node, data) for node in _children(fdt, "/images")]
        listing.vms = [_read_vm(fdt, node) for node in _children(fdt, "/vms")]
        if fdt.subnode_offset(root, "disks", libfdt.QUIET_NOTFOUND) >= 0:
            listing.disks = [_read_vm(fdt, node) for node in _children(fdt, "/disks")]
    except libfdt.FdtException as error:
        raise Damaged(f"malformed tree: {error}") from None
    return listing


def _checked_tree(data):
    if len(data) < 40:
        raise Damaged(f"not a bundle: only {len(data)} bytes")
    magic, total = struct.unpack_from(">II", data)
    if magic != 0xD00DFEED:
        raise Damaged("not a bundle: no device tree magic")
    if total % 8 or total < 40:
        raise Damaged(f"the tree's size is damaged: {total}")
    if total + CHECK_BYTES > len(data):
        raise Damaged(f"truncated: {len(data)} bytes, the tree alone has {total + CHECK_BYTES}")
    if tree_check(data[:total]) != struct.unpack_from("<Q", data, total)[0]:
        raise Damaged("the tree is damaged (its check does not match)")
    return data[:total]


def _children(fdt, path):
    node = fdt.first_subnode(fdt.path_offset(path), libfdt.QUIET_NOTFOUND)
    while node >= 0:
        yield node
        node = fdt.next_subnode(node, libfdt.QUIET_NOTFOUND)


def _properties(fdt, node):
    at = fdt.first_property_offset(node, libfdt.QUIET_NOTFOUND)
    while at >= 0:
        yield fdt.get_property_by_offset(at)
        at = fdt.next_property_offset(at, libfdt.QUIET_NOTFOUND)


def _read_image(fdt, node, data):
    name = fdt.get_name(node)
    position = fdt.getprop(node, "data-position").as_uint64()
    size = fdt.getprop(node, "data-size").as_uint64()
    if position % PAGE or position + size > len(data):
        raise Damaged(f"image {name}: outside the file")
    digest = hashlib.sha256(data[position : position + size]).digest()
    if digest != bytes(fdt.getprop(node, "sha256")):
        raise Damaged(f"image {name}: its bytes are damaged (sha256 does not match)")
    return {"name": name, "position": position, "size": size, "sha256": digest.hex()}


_STRINGS = {"machine", "cmdline", "format", "restart", "type", "disk", "image", *_IMAGE_KEYS}


def _read_vm(fdt, node):
    vm = {"name": fdt.get_name(node)}
    vm |= {one.name: _text(one.name, bytes(one)) for one in _properties(fdt, node)}
    devices = []
    child = fdt.first_subnode(node, libfdt.QUIET_NOTFOUND)
    while child >= 0:
        device = {one.name: _text(one.name, bytes(one)) for one in _properties(fdt, child)}
        devices.append(" ".join(device.values()))
        child = fdt.next_subnode(child, libfdt.QUIET_NOTFOUND)
    if devices:
        vm["device"] = ", ".join(devices)
    return vm


def _text(name, value):
    if name in _STRINGS:
        return value.rstrip(b"\0").decode(errors="replace")
    if name == "prefault":
        return "true"
    if name == "ram":
        pairs = struct.iter_unpack(">QQ", value[: len(value) // 16 * 16])
        return ", ".join(f"{base:#x}+{size // 1024}K" for base, size in pairs)
    number = int.from_bytes(value, "big")
    if name == "affinity":
        return ",".join(str(cpu) for cpu in range(HOST_CPUS) if number >> cpu & 1)
    return hex(number) if name in ("load", "entry", "base", "port") else str(number)
