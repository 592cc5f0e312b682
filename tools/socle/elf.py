# SPDX-License-Identifier: BSD-2-Clause
"""ELF files of 32 and 64 bits, as the target reads them (vm/image/elf.h)."""

import struct
from dataclasses import dataclass

from socle.vm_schema import Place, Problem

MAX_SEGMENTS = 64
PT_LOAD, PT_NOTE = 1, 4
ARM64 = {(2, 183): "AArch64"}  # (class, e_machine)
X86 = {(1, 3): "80386", (2, 62): "x86-64", (1, 62): "x86-64", (2, 3): "80386"}

_HEADER = {1: struct.Struct("<4sBB10xHHIIIIIHHHHHH"), 2: struct.Struct("<4sBB10xHHIQQQIHHHHHH")}
_SEGMENT = {1: struct.Struct("<IIIIIIII"), 2: struct.Struct("<IIQQQQQQ")}


@dataclass
class Segment:
    type: int
    offset: int
    paddr: int
    filesz: int
    memsz: int
    align: int


def matches(data):
    return data[:4] == b"\x7fELF"


def kind(data):
    """(class, e_machine); None: no ELF file, or no whole header."""
    if not matches(data) or len(data) < 20:
        return None
    return data[4], struct.unpack_from("<H", data, 18)[0]


def segments(data):
    """All of them; raises Problem where the header will not do."""
    if not matches(data) or len(data) < _HEADER[1].size:
        raise Problem("ELF header: the file is too short")
    size = data[4]
    if size not in _HEADER or data[5] != 1:
        raise Problem("is not a little-endian ELF file of 32 or 64 bits")
    if len(data) < _HEADER[size].size:
        raise Problem("ELF header: the file is too short")
    _, _, _, _, _, _, _, phoff, _, _, _, phentsize, phnum, *_ = _HEADER[size].unpack_from(data)
    if phentsize != _SEGMENT[size].size or phoff + phnum * phentsize > len(data):
        raise Problem("ELF header: the program headers are outside the file")
    if phnum > MAX_SEGMENTS:
        raise Problem(f"ELF header: {phnum} program headers are too many ({MAX_SEGMENTS})")
    found = []
    for number in range(phnum):
        fields = _SEGMENT[size].unpack_from(data, phoff + number * phentsize)
        if size == 1:
            type_, offset, _, paddr, filesz, memsz, _, align = fields
        else:
            type_, _, offset, _, paddr, filesz, memsz, align = fields
        found.append(Segment(type_, offset, paddr, filesz, memsz, align))
    return found


def place(vm, data, kinds):
    """Where its segments go, for CPUs that run files of these kinds."""
    if vm.load is not None:
        raise Problem("is an ELF file, which says itself where it is loaded: leave out 'load'")
    if not matches(data):
        raise Problem("is not a little-endian ELF file")
    found = segments(data)
    if kind(data) not in kinds:
        names = ", ".join(dict.fromkeys(kinds.values()))
        raise Problem(f"ELF header: e_machine {kind(data)[1]} is not {names}")
    places = []
    for number, one in enumerate(found):
        if one.type != PT_LOAD or one.memsz == 0:
            continue
        if one.filesz > one.memsz or one.offset + one.filesz > len(data):
            raise Problem(f"ELF segment {number}: its bytes are outside the file")
        places.append(Place("kernel", one.paddr, one.memsz))
    if not places:
        raise Problem("ELF file: nothing to load (no PT_LOAD segment)")
    return places
