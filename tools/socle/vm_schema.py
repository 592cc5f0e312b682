# SPDX-License-Identifier: BSD-2-Clause
"""What a VM's TOML may say: keys, types, ranges, defaults.

A reader takes a value and gives it back in the form that the rest works with; it raises
Problem when the value will not do. docs/bundle.md describes every key for users.
"""

import difflib
import re
from dataclasses import dataclass, field

KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30
PAGE = 4096
MAX_ADDRESS = 1 << 48
MAX_CMDLINE = 1023
MAX_VMS = 64
MAX_RAM_REGIONS = 16
MAX_DEVICES = 16
MAX_VCPUS = 16
HOST_CPUS = 64
MAX_DISKS = 16
SECTOR = 512
MAX_PORTS = 1 << 16

# What devices may raise, by architecture: GIC INTIDs, inputs of the I/O APIC.
IRQS = {"arm64": range(32, 1020), "x86": range(1, 24)}


@dataclass
class DeviceType:
    """As in the table of the target: vm/machine/machines_arm64.c, vm/machine/machines_x86.c."""

    architectures: tuple[str, ...]
    size: int = 0  # of its registers in memory; 0: none
    ports: tuple[tuple[int, int], ...] = ()  # first, count; where PCs have them
    disk: bool = False  # works on a RAM disk


DEVICES = {
    "debug-console": DeviceType(("arm64", "x86"), 8, ((0xE9, 1),)),
    "pl011": DeviceType(("arm64",), 0x1000),
    "pl031": DeviceType(("arm64",), 0x1000),
    "pl061": DeviceType(("arm64",), 0x1000),
    "uart16550": DeviceType(("x86",), 8, ((0x3F8, 8),)),
    "i8042": DeviceType(("x86",), 0, ((0x60, 1), (0x64, 1))),
    "cmos": DeviceType(("x86",), 0, ((0x70, 2),)),
    "ide": DeviceType(("x86",), 0, ((0x1F0, 8), (0x3F6, 1)), disk=True),
    "acpi-pm": DeviceType(("x86",), 0, ((0x600, 12),)),
    "pc-reset": DeviceType(("x86",), 0, ((0xCF9, 1), (0x92, 1))),
    "debug-exit": DeviceType(("x86",), 0, ((0xF4, 1),)),
}


class Problem(Exception):
    """What is wrong with one value; `at` is where, below the value's own path."""

    def __init__(self, what, at=()):
        super().__init__(what)
        self.at = tuple(at)


@dataclass
class Ram:
    base: int
    size: int

    @property
    def end(self):
        return self.base + self.size


@dataclass
class Place:
    what: str  # the key it comes from
    base: int
    size: int

    @property
    def end(self):
        return self.base + self.size


@dataclass
class Device:
    type: str
    base: int | None = None
    port: int | None = None
    irq: int = 0
    disk: str | None = None

    def ports(self):
        """The ranges of ports that it takes; none where its registers are in memory."""
        ranges = DEVICES[self.type].ports if self.base is None else ()
        if ranges and self.port is not None:
            return ((self.port, ranges[0][1]), *ranges[1:])
        return ranges


@dataclass
class Disk:
    name: str
    size: int = 0  # 0: the image's
    image: str | None = None


@dataclass
class Vm:
    """One [[vm]], with every default filled in but the machine's own."""

    name: str
    machine: str = "virt"
    cpus: int = 1
    memory: int = 0  # 0: ram says it
    ram: list[Ram] = field(default_factory=list)
    kernel: str | None = None
    firmware: str | None = None
    initrd: str | None = None
    fdt: str | None = None
    cmdline: str = ""
    format: str = "auto"
    load: int | None = None
    entry: int | None = None
    affinity: list[int] = field(default_factory=list)
    priority: int = 4
    slice_ms: int = 1
    restart: str = "never"
    prefault: bool = False
    device: list[Device] = field(default_factory=list)


_TYPE_NAMES = {
    bool: "true or false",
    int: "an integer",
    str: "a string",
    list: "an array",
    dict: "a table",
}


def _require(kind, value):
    if type(value) is not kind:  # bool is an int to isinstance
        raise Problem(f"must be {_TYPE_NAMES[kind]}, not {value!r}")
    return value


def _boolean(value):
    return _require(bool, value)


def _integer(low, high):
    def read(value):
        if not low <= _require(int, value) <= high:
            raise Problem(f"{value} is out of range ({low} to {high})")
        return value

    return read


def _text(pattern, rule):
    def read(value):
        if not re.fullmatch(pattern, _require(str, value)):
            raise Problem(f"{value!r} {rule}")
        return value

    return read


def _choice(*choices):
    def read(value):
        if _require(str, value) not in choices:
            raise Problem(f"{value!r} is not one of {', '.join(choices)}{_suggest(value, choices)}")
        return value

    return read


def _address(align):
    def read(value):
        if not 0 <= _require(int, value) < MAX_ADDRESS:
            raise Problem(f"{value:#x} is not an address (0 to {MAX_ADDRESS - 1:#x})")
        if value % align:
            raise Problem(f"{value:#x} is not a multiple of {align:#x}")
        return value

    return read


def _size(align):
    """Bytes, or a string with a unit: "512M"."""

    def read(value):
        return _read_size(value, align)

    return read


def _read_size(value, align):
    if type(value) is str:
        match = re.fullmatch(r"([0-9]+) ?([KMG])?(?:iB|B)?", value)
        if not match:
            raise Problem(f"{value!r} is not a size; write bytes, or a string like \"512M\"")
        value = int(match[1]) * {None: 1, "K": KIB, "M": MIB, "G": GIB}[match[2]]
    if type(value) is not int:
        raise Problem(f"must be a size in bytes or a string like \"512M\", not {value!r}")
    if not 0 < value <= MAX_ADDRESS:
        raise Problem(f"{value} is out of range")
    if value % align:
        raise Problem(f"{value} is not a multiple of {align}")
    return value


def _array(item, most):
    def read(value):
        if len(_require(list, value)) > most:
            raise Problem(f"{len(value)} entries are too many (at most {most})")
        result = []
        for number, one in enumerate(value):
            try:
                result.append(item(one))
            except Problem as problem:
                raise Problem(str(problem), (number, *problem.at)) from None
        return result

    return read


def _distinct(read_array):
    def read(value):
        result = read_array(value)
        if len(set(result)) != len(result):
            raise Problem("names an entry twice")
        return result

    return read


def _table(make, keys, required):
    """A table whose keys must all be right; stops at the first that is not."""

    def read(value):
        values = {}
        for key, one in _require(dict, value).items():
            if key not in keys:
                raise Problem(unknown_key(key, keys), (key,))
            try:
                values[key] = keys[key](one)
            except Problem as problem:
                raise Problem(str(problem), (key, *problem.at)) from None
        for key in required:
            if key not in values:
                raise Problem("is missing", (key,))
        return make(**values)

    return read


def _suggest(word, choices):
    near = difflib.get_close_matches(word, choices, n=1)
    return f" (did you mean '{near[0]}'?)" if near else ""


def unknown_key(key, keys):
    return f"unknown{_suggest(key, keys)}"


_NAME = _text(r"[A-Za-z0-9._-]{1,31}", "is not 1 to 31 letters, digits, '.', '_' or '-'")
_RAM = _table(Ram, {"base": _address(PAGE), "size": _size(PAGE)}, ("base", "size"))
_DEVICE = _table(
    Device,
    {
        "type": _choice(*DEVICES),
        "base": _address(8),
        "port": _integer(1, MAX_PORTS - 1),
        "irq": _integer(1, 1019),
        "disk": _NAME,
    },
    ("type",),
)
_FILE = _text(r".+", "is not a file name")

VM_KEYS = {
    "name": _NAME,
    "machine": _choice("virt", "pc", "bare"),
    "cpus": _integer(1, MAX_VCPUS),
    "memory": _size(PAGE),
    "ram": _array(_RAM, MAX_RAM_REGIONS),
    "kernel": _FILE,
    "firmware": _FILE,
    "initrd": _FILE,
    "fdt": _FILE,
    "cmdline": _text(r"[ -~]{0,%d}" % MAX_CMDLINE, f"is not 0 to {MAX_CMDLINE} printable characters"),
    "format": _choice(
        "auto", "linux", "bzimage", "pvh", "multiboot", "elf", "boot-sector", "raw"
    ),
    "load": _address(1),
    "entry": _address(4),
    "affinity": _distinct(_array(_integer(0, HOST_CPUS - 1), HOST_CPUS)),
    "priority": _integer(0, 7),
    "slice_ms": _integer(1, 1000),
    "restart": _choice("never", "on-crash", "always"),
    "prefault": _boolean,
    "device": _array(_DEVICE, MAX_DEVICES),
}

DISK_KEYS = {"name": _NAME, "size": _size(SECTOR), "image": _FILE}
