# SPDX-License-Identifier: BSD-2-Clause
"""From a TOML file to VMs with their images, or to the list of everything wrong in it."""

import tomllib
from dataclasses import dataclass, field
from pathlib import Path

from socle import images
from socle.toml_lines import LineIndex
from socle.vm_schema import (
    DEVICES,
    DISK_KEYS,
    IRQS,
    MAX_DISKS,
    MAX_VMS,
    MIB,
    VM_KEYS,
    Disk,
    Problem,
    Ram,
    Vm,
    unknown_key,
)

FILE_KEYS = ("kernel", "firmware", "initrd", "fdt")
RAM_BASE = {"virt": 0x40000000, "bare": 0x0}
DEFAULT_MEMORY = {"virt": 256 * MIB, "pc": 256 * MIB, "bare": 16 * MIB}
PC_MEMORY_LEAST = 2 * MIB
PC_RAM_MAX, PC_HIGH_RAM = 0xB0000000, 1 << 32  # the end below 4 GiB, and where the rest is

# What is taken in memory, by machine, and of a bare VM whose RAM leaves it free.
MACHINE_SPANS = {
    "virt": [(0, 0x40000000, "the devices of machine virt")],
    "pc": [
        (0xA0000, 0xC0000, "the VGA of machine pc"),
        (PC_RAM_MAX, PC_HIGH_RAM, "the devices of machine pc"),
    ],
    "bare": [],
}
IRQCHIP_SPANS = {
    "arm64": [(0x08000000, 0x082A0000, "the interrupt controller")],
    "x86": [
        (0xFEC00000, 0xFEC01000, "the interrupt controller"),
        (0xFEE00000, 0xFEE01000, "the interrupt controller"),
    ],
}

# Ports that are taken before the configuration's devices get theirs: first, count, by what.
IRQCHIP_PORTS = [(0x20, 2), (0x40, 4), (0x61, 1), (0xA0, 2), (0x4D0, 2)]
PC_PORTS = [
    (0x3F8, 8), (0x60, 1), (0x64, 1), (0x70, 2), (0x600, 12), (0xCF9, 1), (0x92, 1), (0xF4, 1),
    (0xE9, 1), (0xCF8, 1), (0xCFC, 4), (0x3C0, 0x20),
]  # fmt: skip


class ConfigError(Exception):
    """The configuration cannot be used; `lines` are the messages, one for each mistake."""

    def __init__(self, lines):
        super().__init__("\n".join(lines))
        self.lines = lines


@dataclass
class Guest:
    """A VM and the bytes of its images, by key."""

    vm: Vm
    files: dict[str, bytes] = field(default_factory=dict)


@dataclass
class System:
    """All that one file describes; disks with the bytes of their images, or None."""

    guests: list[Guest]
    disks: list[tuple[Disk, bytes | None]]


def load(path):
    """The system that a TOML file describes. Raises ConfigError."""
    try:
        text = Path(path).read_bytes().decode()
        values = tomllib.loads(text)
    except OSError as error:
        raise ConfigError([f"{path}: {error.strerror}"]) from None
    except UnicodeDecodeError as error:
        raise ConfigError([f"{path}: not UTF-8 text (byte {error.start})"]) from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError([_syntax_error(path, text, str(error))]) from None
    return _Loader(path, text).load(values)


def _syntax_error(path, text, message):
    """tomllib's "what (at line 3, column 5)" with the line where ours stands."""
    what, _, where = message.partition(" (at ")
    digits = where.removeprefix("line ").partition(",")[0]
    line = int(digits) if digits.isdigit() else text.count("\n") + 1
    return f"{path}:{line}: {what}"


class _Loader:
    def __init__(self, path, text):
        self._path = path
        self._lines = LineIndex(text)
        self._errors = []  # (line, message)
        self._contents = {}  # a file used twice is read once

    def load(self, values):
        for key in values:
            if key not in ("vm", "disk"):
                self._say((key,), f"key '{key}': {unknown_key(key, ['vm', 'disk'])}")
        disks = self._load_disks(values.get("disk", []))
        tables = values.get("vm", [])
        if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
            self._say(("vm",), "key 'vm': must be an array of tables: write [[vm]]")
        elif not 1 <= len(tables) <= MAX_VMS:
            self._say(("vm",), f"{len(tables)} VMs: a bundle holds 1 to {MAX_VMS} ([[vm]])")
        else:
            disk_names = {disk.name for disk, _ in disks}
            guests = [self._guest(number, table) for number, table in enumerate(tables)]
            self._check_disks(guests, disk_names)
            self._check_names("vm", [_name(number, table) for number, table in enumerate(tables)])
        if self._errors:
            raise ConfigError([f"{self._path}:{line}: {what}" for line, what in sorted(self._errors)])
        return System(guests, disks)

    def _load_disks(self, tables):
        if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
            self._say(("disk",), "key 'disk': must be an array of tables: write [[disk]]")
            return []
        if len(tables) > MAX_DISKS:
            self._say(("disk",), f"{len(tables)} disks: a bundle holds at most {MAX_DISKS}")
        disks = [self._disk(number, table) for number, table in enumerate(tables)]
        names = [table.get("name") for table in tables]
        self._check_names("disk", [n if isinstance(n, str) else k for k, n in enumerate(names)])
        return [one for one in disks if one is not None]

    def _disk(self, number, table):
        """Reads one [[disk]]: it and its image, or None where something is wrong."""
        name = table.get("name", "")

        def complain(key, what):
            self._say(("disk", number, key), f"disk \"{name}\": key '{key}': {what}")

        before = len(self._errors)
        keys = {}
        for key, value in table.items():
            if key not in DISK_KEYS:
                complain(key, unknown_key(key, DISK_KEYS))
                continue
            try:
                keys[key] = DISK_KEYS[key](value)
            except Problem as problem:
                complain(key, problem)
        if "name" not in table:
            complain("name", "is missing")
        if len(self._errors) > before:
            return None
        disk = Disk(**keys)
        image = self._read_file("image", disk.image, complain) if disk.image else None
        if disk.size == 0 and disk.image is None:
            complain("size", "is missing, and so is 'image'")
        elif image and disk.size and len(image) > disk.size:
            complain("size", f"{disk.size} is less than the {len(image)} bytes of the image")
        return disk, image

    def _check_disks(self, guests, names):
        for number, guest in enumerate(guests):
            for at, device in enumerate(guest.vm.device if guest else ()):
                if device.disk is not None and device.disk not in names:
                    self._say(
                        ("vm", number, "device", at, "disk"),
                        f"vm \"{guest.vm.name}\": key 'device[{at}].disk': there is no [[disk]] "
                        f"of the name '{device.disk}'",
                    )

    def _say(self, path, what):
        self._errors.append((self._lines.line(path), what))

    def _check_names(self, kind, names):
        """No two of a kind (`vm`, `disk`) may have the same one."""
        seen = {}
        for number, name in enumerate(names):
            if name in seen:
                first = self._lines.line((kind, seen[name], "name"))
                what = "VM" if kind == "vm" else kind
                self._say(
                    (kind, number, "name"),
                    f"{kind} \"{name}\": key 'name': already the name of the {what} at line {first}",
                )
            seen.setdefault(name, number)

    def _guest(self, number, table):
        """Reads one [[vm]]; checks what spans keys only if each key is right by itself."""
        name = _name(number, table)

        def complain(key, what, at=()):
            full = key + "".join(f"[{a}]" if isinstance(a, int) else f".{a}" for a in at)
            self._say(("vm", number, key, *at), f"vm \"{name}\": key '{full}': {what}")

        before = len(self._errors)
        keys = {"name": name}
        for key, value in table.items():
            if key not in VM_KEYS:
                complain(key, unknown_key(key, VM_KEYS))
                continue
            try:
                keys[key] = VM_KEYS[key](value)
            except Problem as problem:
                complain(key, problem, problem.at)
        if len(self._errors) > before:
            return None
        guest = Guest(Vm(**keys))
        self._read_files(guest, complain)
        if len(self._errors) == before:
            for check in (_check_combination, _check_devices, _check_space, _check_images):
                if len(self._errors) == before:
                    check(guest, complain)
        return guest

    def _read_files(self, guest, complain):
        for key in FILE_KEYS:
            name = getattr(guest.vm, key)
            if name is None:
                continue
            data = self._read_file(key, name, complain)
            if data:
                guest.files[key] = data

    def _read_file(self, key, name, complain):
        """Its bytes; where there are none, that is complained of."""
        file = Path(self._path).parent / name
        try:
            if file not in self._contents:
                self._contents[file] = file.read_bytes()
        except OSError as error:
            complain(key, f"{file}: {error.strerror}")
            return None
        if not self._contents[file]:
            complain(key, f"{file}: is empty")
        return self._contents[file]


def _name(number, table):
    name = table.get("name")
    return name if isinstance(name, str) else f"vm{number + 1}"


def _check_combination(guest, complain):
    vm = guest.vm
    if vm.ram and vm.memory:
        complain("memory", "'ram' says it already: leave one of them out")
    if (vm.kernel is None) == (vm.firmware is None):
        complain("kernel", "give one of 'kernel' and 'firmware'")
    if vm.firmware is not None:
        if vm.machine != "virt":
            complain("firmware", f"machine {vm.machine} has no flash: only virt takes firmware")
        for key in ("initrd", "load", "entry"):
            if getattr(vm, key) is not None:
                complain(key, "goes with 'kernel', not with 'firmware'")
    if vm.fdt is not None and images.architecture(vm, guest.files) != "arm64":
        complain("fdt", "is for arm64: PCs have ACPI tables")


def _check_devices(guest, complain):
    """What a device needs depends on its type, and that on the architecture."""
    vm = guest.vm
    arch = images.architecture(vm, guest.files)
    taken = [(first, count, "the machine") for first, count in IRQCHIP_PORTS]
    if vm.machine == "pc":
        taken += [(first, count, "the machine") for first, count in PC_PORTS]
    for number, device in enumerate(vm.device):
        kind, irqs = DEVICES[device.type], IRQS[arch]
        if arch not in kind.architectures:
            complain("device", f"'{device.type}' is no device for {arch}", (number, "type"))
            continue
        ports = kind.ports if arch == "x86" else ()
        if device.base is None and not ports:
            complain("device", "is missing", (number, "base"))
        if device.base is not None and kind.size == 0:
            complain("device", f"'{device.type}' has ports only", (number, "base"))
        if device.port is not None and (not ports or device.base is not None):
            complain("device", "is for devices with ports, and without 'base'", (number, "port"))
        if device.irq and device.irq not in irqs:
            rule = f"{device.irq} is out of range ({irqs.start} to {irqs.stop - 1})"
            complain("device", rule, (number, "irq"))
        if kind.disk != (device.disk is not None):
            rule = "is missing" if kind.disk else f"'{device.type}' has no disk"
            complain("device", rule, (number, "disk"))
        if arch == "x86":
            _check_ports(device, number, taken, complain)


def _check_ports(device, number, taken, complain):
    for first, count in device.ports():
        for other, others, what in taken:
            if first < other + others and other < first + count:
                complain("device", f"port {first:#x} is one of {what}", (number,))
                return
        taken.append((first, count, f"device[{number}]"))


def _default_ram(vm, complain):
    memory = vm.memory or DEFAULT_MEMORY[vm.machine]
    if vm.machine != "pc":
        return [Ram(RAM_BASE[vm.machine], memory)]
    if memory < PC_MEMORY_LEAST:
        complain("memory", f"{memory} is too little for a PC (2M)")
    below = min(memory, PC_RAM_MAX)
    ram = [Ram(0, 0xA0000), Ram(0xC0000, max(below, PC_MEMORY_LEAST) - 0xC0000)]
    return ram + ([Ram(PC_HIGH_RAM, memory - below)] if memory > below else [])


def _check_space(guest, complain):
    """RAM, by default where the machine has it, and devices: none over another."""
    vm = guest.vm
    if not vm.ram:
        vm.ram = _default_ram(vm, complain)
    taken = list(MACHINE_SPANS[vm.machine])
    if vm.machine == "bare":
        for base, end, what in IRQCHIP_SPANS[images.architecture(vm, guest.files)]:
            if not any(ram.base < end and base < ram.end for ram in vm.ram):
                taken.append((base, end, what))
    spans = [("ram", number, ram) for number, ram in enumerate(vm.ram)]
    spans += [
        ("device", number, Ram(one.base, DEVICES[one.type].size))
        for number, one in enumerate(vm.device)
        if one.base is not None
    ]
    for key, number, span in spans:
        for base, end, what in taken:
            if span.base < end and base < span.end:
                complain(key, f"{span.base:#x} to {span.end - 1:#x} overlaps {what}", (number,))
                break
        taken.append((span.base, span.end, f"{key}[{number}]"))


def _check_images(guest, complain):
    """Headers make sense, and everything fits where the target will put it."""
    vm, files = guest.vm, guest.files
    try:
        key = "fdt"
        if "fdt" in files:
            images.check_fdt(files["fdt"])
        if images.fdt_room(vm, files) > images.FDT_MAX:
            raise Problem("is too large (guests take at most 2 MiB)")
        key = "firmware"
        if len(files.get("firmware", b"")) > images.FLASH_MAX:
            raise Problem(f"{len(files['firmware'])} bytes do not fit the flash of 64 MiB")
        key = "kernel"
        places = images.plan(vm, files)
    except Problem as problem:
        complain(key, str(problem))
        return
    for place in places:
        if not _inside(vm.ram, place):
            ram = ", ".join(f"{one.base:#x} to {one.end - 1:#x}" for one in vm.ram)
            complain(
                place.what if place.what in files else "memory",
                f"does not fit: {_WHAT[place.what]} takes {place.base:#x} to {place.end - 1:#x}, "
                f"RAM is {ram}",
            )
            return


_WHAT = {"kernel": "the kernel", "initrd": "the initrd", "fdt": "the device tree"}


def _inside(ram, place):
    """Is [base, end) covered by regions, which may follow each other without a gap?"""
    at = place.base
    while at < place.end:
        region = next((one for one in ram if one.base <= at < one.end), None)
        if region is None:
            return False
        at = region.end
    return True
