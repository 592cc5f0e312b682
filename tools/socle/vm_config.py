# SPDX-License-Identifier: BSD-2-Clause
"""From a TOML file to VMs with their images, or to the list of everything wrong in it."""

import tomllib
from dataclasses import dataclass, field
from pathlib import Path

from socle import images
from socle.toml_lines import LineIndex
from socle.vm_schema import MAX_VMS, MIB, VM_KEYS, Problem, Ram, Vm, unknown_key

FILE_KEYS = ("kernel", "firmware", "initrd", "fdt")
RAM_BASE = {"virt": 0x40000000, "bare": 0x0}
DEFAULT_MEMORY = {"virt": 256 * MIB, "bare": 16 * MIB}
GIC_BASE, GIC_END = 0x08000000, 0x082A0000  # of a bare VM whose RAM leaves it free
VIRT_DEVICES_END = 0x40000000  # below RAM, everything belongs to machine virt's devices


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


def load(path):
    """The guests of a TOML file. Raises ConfigError."""
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
            if key != "vm":
                self._say((key,), f"key '{key}': {unknown_key(key, ['vm'])}")
        tables = values.get("vm", [])
        if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
            self._say(("vm",), "key 'vm': must be an array of tables: write [[vm]]")
        elif not 1 <= len(tables) <= MAX_VMS:
            self._say(("vm",), f"{len(tables)} VMs: a bundle holds 1 to {MAX_VMS} ([[vm]])")
        else:
            guests = [self._guest(number, table) for number, table in enumerate(tables)]
            self._check_names(tables)
        if self._errors:
            raise ConfigError([f"{self._path}:{line}: {what}" for line, what in sorted(self._errors)])
        return guests

    def _say(self, path, what):
        self._errors.append((self._lines.line(path), what))

    def _check_names(self, tables):
        seen = {}
        for number, table in enumerate(tables):
            name = _name(number, table)
            if name in seen:
                first = self._lines.line(("vm", seen[name], "name"))
                self._say(
                    ("vm", number, "name"),
                    f"vm \"{name}\": key 'name': already the name of the VM at line {first}",
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
            for check in (_check_combination, _check_space, _check_images):
                if len(self._errors) == before:
                    check(guest, complain)
        return guest

    def _read_files(self, guest, complain):
        for key in FILE_KEYS:
            name = getattr(guest.vm, key)
            if name is None:
                continue
            file = Path(self._path).parent / name
            try:
                if file not in self._contents:
                    self._contents[file] = file.read_bytes()
                guest.files[key] = self._contents[file]
            except OSError as error:
                complain(key, f"{file}: {error.strerror}")
                continue
            if not guest.files[key]:
                complain(key, f"{file}: is empty")


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


def _check_space(guest, complain):
    """RAM, by default where the machine has it, and devices: none over another."""
    vm = guest.vm
    if not vm.ram:
        vm.ram = [Ram(RAM_BASE[vm.machine], vm.memory or DEFAULT_MEMORY[vm.machine])]
    taken = []
    if vm.machine == "virt":
        taken.append((0, VIRT_DEVICES_END, "the devices of machine virt"))
    elif not any(ram.base < GIC_END and GIC_BASE < ram.end for ram in vm.ram):
        taken.append((GIC_BASE, GIC_END, "the interrupt controller"))
    spans = [("ram", number, ram) for number, ram in enumerate(vm.ram)]
    spans += [("device", number, Ram(one.base, one.size)) for number, one in enumerate(vm.device)]
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
