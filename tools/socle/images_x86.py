# SPDX-License-Identifier: BSD-2-Clause
"""Kernels of PCs: what their headers say, and where the target puts them (vm/image/image_x86.h)."""

import struct
from collections import namedtuple

from socle import elf
from socle.vm_schema import Place, Problem

LOW_END = 0x10000  # below, the target puts what the boot protocols want
LOW_RAM_END, ROM_END = 0xA0000, 0x100000
BOOT_SECTOR_BYTES, BOOT_SECTOR_LOAD = 512, 0x7C00

_SETUP_OFFSET = 0x1F1
_SETUP_BYTES = 123  # as far as the target reads it
_SETUP_HEADER = struct.Struct("<BxxI6xH6xH9xB26xIIBxHI28xQI")
_SetupHeader = namedtuple(
    "_SetupHeader",
    "setup_sects syssize boot_flag version loadflags initrd_addr_max kernel_alignment "
    "relocatable_kernel xloadflags cmdline_size pref_address init_size",
)
_ENTRY_OFFSET = 0x200
_LAST_32 = (1 << 32) - 1
_MULTIBOOT_MAGIC = 0x1BADB002
_XEN_ELFNOTE_PHYS32_ENTRY = 18


def _is_bzimage(data):
    return data[0x202:0x206] == b"HdrS" and len(data) >= _SETUP_OFFSET + _SETUP_BYTES


def _is_boot_sector(data):
    return len(data) == BOOT_SECTOR_BYTES and data[510:] == b"\x55\xaa"


def _notes(data, segment):
    """(type, name, description) of a PT_NOTE segment."""
    at, end = segment.offset, segment.offset + segment.filesz
    align = 8 if segment.align == 8 else 4
    while at + 12 <= end:
        name_size, size, kind = struct.unpack_from("<III", data, at)
        value = at + 12 + -(-name_size // align) * align
        if value + size > end:
            return
        yield kind, data[at + 12 : at + 12 + name_size], data[value : value + size]
        at += -(-(value - at + size) // align) * align


def pvh_entry(data):
    """Where its PVH note says that it starts; None: it has none."""
    try:
        segments = elf.segments(data)
    except Problem:
        return None
    for segment in segments:
        if segment.type != elf.PT_NOTE or segment.offset + segment.filesz > len(data):
            continue
        for kind, name, value in _notes(data, segment):
            if kind == _XEN_ELFNOTE_PHYS32_ENTRY and name == b"Xen\0" and len(value) >= 4:
                return struct.unpack_from("<I", value)[0]
    return None


def multiboot_flags(data):
    """The flags of its Multiboot header; None: it has none."""
    for at in range(0, min(len(data), 8192) - 11, 4):
        magic, flags, checksum = struct.unpack_from("<III", data, at)
        if magic == _MULTIBOOT_MAGIC and (magic + flags + checksum) & 0xFFFFFFFF == 0:
            return flags
    return None


def detect(data):
    """The format by its header, as the target finds it."""
    if _is_bzimage(data):
        return "bzimage"
    if elf.matches(data):
        if pvh_entry(data) is not None:
            return "pvh"
        return "elf" if multiboot_flags(data) is None else "multiboot"
    return "boot-sector" if _is_boot_sector(data) else "raw"


def _check(vm, places):
    """As image_x86_check of the target."""
    base, end = min(one.base for one in places), max(one.end for one in places)
    if base < LOW_END:
        raise Problem(f"starts at {base:#x}, below {LOW_END:#x}, where its start information lies")
    if vm.machine == "pc" and base < ROM_END and end > LOW_RAM_END:
        raise Problem(f"lies over {LOW_RAM_END:#x} to {ROM_END - 1:#x}, the PC's own")
    return places


def _low():
    return Place("kernel", 0, LOW_END)


def _check_setup_header(data, header):
    """Bytes of the file that come before the kernel itself."""
    alignment = header.kernel_alignment
    setup = ((header.setup_sects or 4) + 1) * 512
    rules = (
        (header.boot_flag == 0xAA55, "boot_flag is not 0xaa55"),
        (header.version >= 0x20C, "version is older than 2.12, which has no 64-bit entry"),
        (header.loadflags & 1, "loadflags: a zImage, which goes below 1 MiB"),
        (header.xloadflags & 1, "xloadflags: no 64-bit entry"),
        (setup < len(data), "setup_sects reaches beyond the file"),
        (header.syssize * 16 <= len(data) - setup + 15, "syssize: the file is truncated"),
        (
            not header.relocatable_kernel or (alignment and alignment & (alignment - 1) == 0),
            "kernel_alignment is not a power of two",
        ),
        (
            ROM_END <= header.pref_address <= _LAST_32,
            "pref_address is below 1 MiB or above 4 GiB",
        ),
        (header.init_size >= _ENTRY_OFFSET, "init_size makes no sense"),
    )
    for right, what in rules:
        if not right:
            raise Problem(f"setup header: {what}")
    return setup


def _place_bzimage(vm, data):
    if not _is_bzimage(data):
        raise Problem('is not a bzImage (no "HdrS" at offset 0x202)')
    header = _SetupHeader(*_SETUP_HEADER.unpack_from(data, _SETUP_OFFSET))
    size = max(header.init_size, len(data) - _check_setup_header(data, header))
    most, alignment, base = header.cmdline_size, header.kernel_alignment, header.pref_address
    relocatable = header.relocatable_kernel
    if len(vm.cmdline) > most:
        raise Problem(f"takes a command line of {most} characters, not {len(vm.cmdline)}")
    if vm.load is not None and vm.load != base:
        if not relocatable:
            raise Problem(f"is not relocatable: it goes to {base:#x}")
        if vm.load % alignment:
            raise Problem(f"must be loaded at a multiple of {alignment:#x}, not at {vm.load:#x}")
        if vm.load + size > _LAST_32:
            raise Problem("must be loaded below 4 GiB")
        base = vm.load
    elif relocatable and not any(ram.base <= base and base + size <= ram.end for ram in vm.ram):
        base = -(-ROM_END // alignment) * alignment
    return [*_check(vm, [Place("kernel", base, size)]), _low()]


def _place_elf(vm, data):
    return _check(vm, elf.place(vm, data, elf.X86))


def _place_plain_elf(vm, data):
    return [*_place_elf(vm, data), _low()]


def _place_pvh(vm, data):
    places = _place_elf(vm, data)
    entry = pvh_entry(data)
    if entry is None:
        raise Problem("ELF file: no note XEN_ELFNOTE_PHYS32_ENTRY")
    if not min(one.base for one in places) <= entry < max(one.end for one in places):
        raise Problem(f"ELF note XEN_ELFNOTE_PHYS32_ENTRY: {entry:#x} is outside the segments")
    return [*places, _low()]


def _place_multiboot(vm, data):
    flags = multiboot_flags(data)
    if flags is None:
        raise Problem("Multiboot header: no magic with its checksum in the first 8 KiB")
    if flags & 0xFFFC:
        raise Problem("Multiboot header: flags ask for more than aligned modules and a memory map")
    return [*_place_elf(vm, data), _low()]


def _place_boot_sector(vm, data):
    if not _is_boot_sector(data):
        raise Problem("is not a boot sector (512 bytes that end in 0x55 0xaa)")
    if vm.load is not None or vm.entry is not None:
        raise Problem("is a boot sector, which goes to 0x7c00: leave out 'load' and 'entry'")
    if vm.initrd is not None:
        raise Problem("is a boot sector, which is told of no initrd")
    return [Place("kernel", 0, BOOT_SECTOR_LOAD + BOOT_SECTOR_BYTES)]


def _place_flat(vm, data):
    load = vm.load
    if load is None:
        load = ROM_END if vm.machine == "pc" else vm.ram[0].base + 0x10000
    return _check(vm, [Place("kernel", load, len(data))])


PLACE = {
    "bzimage": _place_bzimage,
    "pvh": _place_pvh,
    "multiboot": _place_multiboot,
    "elf": _place_plain_elf,
    "boot-sector": _place_boot_sector,
    "raw": _place_flat,
}
