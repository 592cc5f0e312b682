# SPDX-License-Identifier: BSD-2-Clause
"""Images: what their headers say, and where the target will put them (vm/image.c)."""

import struct
from dataclasses import dataclass

from socle.vm_schema import MIB, PAGE, Problem

FDT_ROOM_LEAST = 16 << 10  # of a generated tree; vm/image.c reserves as much
FDT_MAX = 2 * MIB
FLASH_MAX = 64 * MIB
LINUX_ALIGN = 2 * MIB
LINUX_OLD_TEXT_OFFSET = 0x80000  # of kernels before 3.17, which leave image_size 0
ELF_MAX_SEGMENTS = 64
RAW_OFFSET = {"virt": 0x80000, "bare": 0x10000}

_LINUX_HEADER = struct.Struct("<8xQQQ24x4s4x")  # text_offset, image_size, flags, magic
_ELF_HEADER = struct.Struct("<4sBBBxxxxxxxxxHHIQQQIHHHHHH")
_ELF_SEGMENT = struct.Struct("<IIQQQQQQ")
_FDT_HEADER = struct.Struct(">II")
_EM_AARCH64, _PT_LOAD = 183, 1


@dataclass
class Place:
    what: str  # the key it comes from
    base: int
    size: int

    @property
    def end(self):
        return self.base + self.size


def detect(data):
    """The format of a kernel by its header, as the target finds it."""
    if data[0x38:0x3C] == b"ARM\x64":
        return "linux"
    return "elf" if data[:4] == b"\x7fELF" else "raw"


def _align(value, to):
    return -(-value // to) * to


def _place_linux(vm, data):
    if len(data) < _LINUX_HEADER.size or detect(data) != "linux":
        raise Problem("is not an arm64 Image (no magic at offset 0x38)")
    text_offset, image_size, _flags, _magic = _LINUX_HEADER.unpack_from(data)
    if image_size == 0:
        text_offset = LINUX_OLD_TEXT_OFFSET
    if text_offset >= LINUX_ALIGN:
        raise Problem(f"Image header: text_offset {text_offset:#x} is not below 2 MiB")
    base = vm.load
    if base is None:
        base = _align(vm.ram[0].base, LINUX_ALIGN) + text_offset
    elif base % LINUX_ALIGN != text_offset:
        raise Problem(f"must be loaded {text_offset:#x} past a multiple of 2 MiB, not at {base:#x}")
    return [Place("kernel", base, max(image_size, len(data)))]


def _place_elf(vm, data):
    if vm.load is not None:
        raise Problem("is an ELF file, which says itself where it is loaded: leave out 'load'")
    if len(data) < _ELF_HEADER.size:
        raise Problem("ELF header: the file is too short")
    ident, klass, order, _, _, machine, _, _, phoff, *_, phentsize, phnum, _, _, _ = (
        _ELF_HEADER.unpack_from(data)
    )
    if ident != b"\x7fELF" or klass != 2 or order != 1:
        raise Problem("is not a little-endian ELF64 file")
    if machine != _EM_AARCH64:
        raise Problem(f"ELF header: e_machine {machine} is not AArch64 ({_EM_AARCH64})")
    if phentsize != _ELF_SEGMENT.size or phoff + phnum * phentsize > len(data):
        raise Problem("ELF header: the program headers are outside the file")
    if phnum > ELF_MAX_SEGMENTS:
        raise Problem(f"ELF header: {phnum} program headers are too many ({ELF_MAX_SEGMENTS})")
    places = []
    for number in range(phnum):
        kind, _, offset, _, paddr, filesz, memsz, _ = _ELF_SEGMENT.unpack_from(
            data, phoff + number * phentsize
        )
        if kind != _PT_LOAD or memsz == 0:
            continue
        if filesz > memsz or offset + filesz > len(data):
            raise Problem(f"ELF segment {number}: its bytes are outside the file")
        places.append(Place("kernel", paddr, memsz))
    if not places:
        raise Problem("ELF file: nothing to load (no PT_LOAD segment)")
    return places


def _place_raw(vm, data):
    load = vm.load
    if load is None:
        load = vm.ram[0].base + RAW_OFFSET[vm.machine]
    return [Place("kernel", load, len(data))]


_PLACE = {"linux": _place_linux, "elf": _place_elf, "raw": _place_raw}


def check_fdt(data):
    if len(data) < 40 or _FDT_HEADER.unpack_from(data)[0] != 0xD00DFEED:
        raise Problem("is not a flattened device tree")
    if not 40 <= _FDT_HEADER.unpack_from(data)[1] <= len(data):
        raise Problem("device tree: totalsize is beyond the end of the file")


def fdt_room(vm, files):
    """Bytes set aside for the guest's device tree; 0: it gets none."""
    if "fdt" in files:
        room = len(files["fdt"]) + FDT_ROOM_LEAST
    elif vm.machine == "virt":
        room = FDT_ROOM_LEAST
    else:
        return 0
    return 1 << (room - 1).bit_length()


def plan(vm, files):
    """Where everything goes, in the order of addresses. `files`: bytes by key.

    kernel, then the device tree (aligned to its room, so that it never crosses 2 MiB), then
    the initrd. A firmware lies in flash at 0 and finds the tree at the start of RAM.
    """
    room = fdt_room(vm, files)
    if "firmware" in files:
        return [Place("fdt", vm.ram[0].base, room)]
    kernel = files["kernel"]
    format_ = detect(kernel) if vm.format == "auto" else vm.format
    places = _PLACE[format_](vm, kernel)
    end = max(place.end for place in places)
    if room:
        places.append(Place("fdt", _align(end, room), room))
        end = places[-1].end
    if "initrd" in files:
        places.append(Place("initrd", _align(end, PAGE), len(files["initrd"])))
    return places
