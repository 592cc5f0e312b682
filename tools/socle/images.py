# SPDX-License-Identifier: BSD-2-Clause
"""Images: what their headers say, and where the target will put them (vm/image/image.c)."""

import struct

from socle import elf, images_x86
from socle.vm_schema import DEVICES, MIB, PAGE, Place, Problem

FDT_ROOM_LEAST = 16 << 10  # of a generated tree; vm/image/image.c reserves as much
FDT_MAX = 2 * MIB
FLASH_MAX = 64 * MIB
LINUX_ALIGN = 2 * MIB
LINUX_OLD_TEXT_OFFSET = 0x80000  # of kernels before 3.17, which leave image_size 0
RAW_OFFSET = {"virt": 0x80000, "bare": 0x10000}

_LINUX_HEADER = struct.Struct("<8xQQQ24x4s4x")  # text_offset, image_size, flags, magic
_FDT_HEADER = struct.Struct(">II")


def _detect(data):
    """The format of an arm64 kernel by its header, as the target finds it."""
    if data[0x38:0x3C] == b"ARM\x64":
        return "linux"
    return "elf" if elf.matches(data) else "raw"


def architecture(vm, files):
    """For whose CPUs a VM is: its machine says so, or else a device or its kernel."""
    if vm.machine != "bare":
        return {"virt": "arm64", "pc": "x86"}[vm.machine]
    for device in vm.device:
        if len(DEVICES[device.type].architectures) == 1:
            return DEVICES[device.type].architectures[0]
    kernel = files.get("kernel", b"")
    format_ = images_x86.detect(kernel) if vm.format == "auto" else vm.format
    if format_ == "elf":
        return "x86" if elf.kind(kernel) in elf.X86 else "arm64"
    return "arm64" if format_ in _PLACE else "x86"


def _align(value, to):
    return -(-value // to) * to


def _place_linux(vm, data):
    if len(data) < _LINUX_HEADER.size or _detect(data) != "linux":
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
    return elf.place(vm, data, elf.ARM64)


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


def _place_kernel(vm, files):
    kernel, arch = files["kernel"], architecture(vm, files)
    detect, place = {
        "arm64": (_detect, _PLACE),
        "x86": (images_x86.detect, images_x86.PLACE),
    }[arch]
    format_ = detect(kernel) if vm.format == "auto" else vm.format
    if format_ not in place:
        raise Problem(f"is of format '{format_}', which {arch} CPUs do not run")
    return place[format_](vm, kernel)


def plan(vm, files):
    """Where everything goes, in the order of addresses. `files`: bytes by key.

    kernel, then the device tree (aligned to its room, so that it never crosses 2 MiB), then
    the initrd. A firmware lies in flash at 0 and finds the tree at the start of RAM.
    """
    room = fdt_room(vm, files)
    if "firmware" in files:
        return [Place("fdt", vm.ram[0].base, room)]
    places = _place_kernel(vm, files)
    end = max(place.end for place in places)
    if room:
        places.append(Place("fdt", _align(end, room), room))
        end = places[-1].end
    if "initrd" in files:
        places.append(Place("initrd", _align(end, PAGE), len(files["initrd"])))
    return places
