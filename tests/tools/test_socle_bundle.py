# SPDX-License-Identifier: BSD-2-Clause
"""socle-bundle: what it accepts, what it writes, and how its errors read."""

import re
import struct
import subprocess

import pytest
from bundle_tool import TOOLS, make, run

from socle import itb
from socle.toml_lines import LineIndex
from socle.vm_schema import Vm


def linux_image(text_offset=0, image_size=0x300000, size=4096):
    header = struct.pack("<IIQQQ24x4sI", 0, 0, text_offset, image_size, 0, b"ARM\x64", 0)
    return header.ljust(size, b"k")


def elf_image(paddr=0x40000000, memsz=0x2000, machine=183, offset=120, phoff=64):
    header = struct.pack(
        "<4sBBB9xHHIQQQIHHHHHH",
        b"\x7fELF", 2, 1, 1, 2, machine, 1, paddr, phoff, 0, 0, 64, 56, 1, 0, 0, 0,
    )  # fmt: skip
    segment = struct.pack("<IIQQQQQQ", 1, 5, offset, paddr, paddr, 8, memsz, 4096)
    return header + segment + b"the text"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "linux").write_bytes(linux_image())
    (tmp_path / "initrd").write_bytes(b"initrd")
    (tmp_path / "hello").write_bytes(b"hello")
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "tree").write_bytes(b"\xd0\x0d\xfe\xed" + struct.pack(">I", 64) + bytes(56))
    return tmp_path


GOOD = """
[[vm]]
name = "debian"
cpus = 4
memory = "512M"
kernel = "linux"
initrd = "initrd"
cmdline = "console=ttyAMA0"
affinity = [0, 1]
[[vm]]
name = "hello"
machine = "bare"
ram = [{ base = 0x0, size = "16M" }]
kernel = "hello"
load = 0x10000
entry = 0x10000
  [[vm.device]]
  type = "debug-console"
  base = 0x90000000
"""


def test_a_good_file_makes_a_bundle_that_lists(folder):
    result = make(folder, GOOD)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    listing = run("-l", "out.itb", cwd=folder)
    assert listing.returncode == 0
    for word in ("debian", "hello", "console=ttyAMA0", "0x40000000", "debug-console", "0x90000000"):
        assert word in listing.stdout


def test_images_are_page_aligned_whole_and_stored_once(folder):
    text = GOOD + '[[vm]]\nname = "third"\nkernel = "linux"\ninitrd = "hello"\n'
    assert make(folder, text).returncode == 0
    data = (folder / "out.itb").read_bytes()
    images = {image["name"]: image for image in itb.read(data).images}
    assert sorted(images) == ["hello", "initrd", "linux"]
    for name, image in images.items():
        assert image["position"] % 4096 == 0
        stored = data[image["position"] : image["position"] + image["size"]]
        assert stored == (folder / name).read_bytes()


def test_the_same_input_makes_the_same_bundle(folder):
    assert make(folder, GOOD).returncode == 0
    first = (folder / "out.itb").read_bytes()
    assert make(folder, GOOD).returncode == 0
    assert (folder / "out.itb").read_bytes() == first


def test_the_tree_is_one_that_dtc_reads_in_silence(folder):
    assert make(folder, GOOD).returncode == 0
    result = subprocess.run(
        ["dtc", "-I", "dtb", "-O", "dts", folder / "out.itb"], capture_output=True, text=True
    )
    assert (result.returncode, result.stderr) == (0, "")


def test_files_of_one_name_in_two_folders_are_two_images(folder):
    for name in ("a", "b"):
        (folder / name).mkdir()
        (folder / name / "image").write_text(name)
    vms = "".join(
        f'[[vm]]\nname = "{name}"\nmachine = "bare"\nkernel = "{name}/image"\n' for name in "ab"
    )
    assert make(folder, vms).returncode == 0
    names = [image["name"] for image in itb.read((folder / "out.itb").read_bytes()).images]
    assert names == ["image", "image-1"]


# One line changed or added to a VM that is otherwise right: line 5 of the file.
BAD_LINES = [
    ("cpuz = 4", "key 'cpuz': unknown (did you mean 'cpus'?)"),
    ("xyzzy = 4", "key 'xyzzy': unknown"),
    ("cpus = '4'", "key 'cpus': must be an integer, not '4'"),
    ("cpus = true", "key 'cpus': must be an integer, not True"),
    ("cpus = 0", "key 'cpus': 0 is out of range (1 to 16)"),
    ("cpus = 17", "key 'cpus': 17 is out of range (1 to 16)"),
    ("memory = '512Q'", "key 'memory': '512Q' is not a size"),
    ("memory = 1000", "key 'memory': 1000 is not a multiple of 4096"),
    ("memory = -4096", "key 'memory': -4096 is out of range"),
    ("machine = 'vird'", "key 'machine': 'vird' is not one of virt, pc, bare (did you mean 'virt'?)"),
    ("initrd = 'nothing'", "key 'initrd': nothing: No such file or directory"),
    ("initrd = '.'", "key 'initrd': .: Is a directory"),
    ("initrd = 'empty'", "key 'initrd': empty: is empty"),
    ("affinity = [0, 64]", "key 'affinity[1]': 64 is out of range (0 to 63)"),
    ("affinity = [1, 1]", "key 'affinity': names an entry twice"),
    ("affinity = 3", "key 'affinity': must be an array, not 3"),
    ("priority = 8", "key 'priority': 8 is out of range (0 to 7)"),
    ("slice_ms = 0", "key 'slice_ms': 0 is out of range (1 to 1000)"),
    ("restart = 'sometimes'", "key 'restart': 'sometimes' is not one of never, on-crash, always"),
    ("prefault = 1", "key 'prefault': must be true or false, not 1"),
    ("cmdline = \"a\\nb\"", "key 'cmdline': 'a\\nb' is not 0 to 1023 printable characters"),
    ("load = -1", "key 'load': -0x1 is not an address"),
    ("load = 0x40001000", "key 'kernel': must be loaded 0x0 past a multiple of 2 MiB"),
    ("entry = 3", "key 'entry': 0x3 is not a multiple of 0x4"),
    ("format = 'elf'", "key 'kernel': is not a little-endian ELF file"),
    ("fdt = 'hello'", "key 'fdt': is not a flattened device tree"),
    ("memory = '2M'", "key 'kernel': does not fit: the kernel takes 0x40000000 to 0x402fffff"),
    ("firmware = 'hello'", "key 'kernel': give one of 'kernel' and 'firmware'"),
    ("ram = 4", "key 'ram': must be an array, not 4"),
    ("ram = [{ base = 0x40000000 }]", "key 'ram[0].size': is missing"),
    ("ram = [{ bas = 0, size = 4096 }]", "key 'ram[0].bas': unknown (did you mean 'base'?)"),
    ("ram = [{ base = 1, size = 4096 }]", "key 'ram[0].base': 0x1 is not a multiple of 0x1000"),
    ("ram = [{ base = 0, size = '16M' }]", "key 'ram[0]': 0x0 to 0xffffff overlaps the devices of"),
    ("device = [{ type = 'pl01', base = 0 }]", "key 'device[0].type': 'pl01' is not one of"),
    ("device = [{ type = 'pl011', base = 0x50000000, irq = 31 }]", "key 'device[0].irq': 31 is out"),
    ("device = [{ type = 'pl011', base = 0x40000000 }]", "key 'device[0]': 0x40000000 to 0x40000fff"),
]  # fmt: skip


@pytest.mark.parametrize(("line", "message"), BAD_LINES)
def test_a_wrong_key_is_named_with_file_line_and_reason(folder, line, message):
    result = make(folder, f"# a system\n[[vm]]\nname = 'v'\nkernel = 'linux'\n{line}\n")
    where = 4 if message.startswith("key 'kernel'") else 5
    assert result.returncode == 1
    assert result.stdout == ""
    assert f'vms.toml:{where}: vm "v": {message}' in result.stderr
    assert "Traceback" not in result.stderr
    assert not (folder / "out.itb").exists()


def test_every_mistake_is_reported_in_the_order_of_lines(folder):
    text = GOOD.replace("cpus = 4", "cpuz = 4").replace("0x90000000", "'x'").replace('"16M"', "5")
    lines = make(folder, text).stderr.splitlines()
    assert [line.split(":")[1] for line in lines] == ["4", "13", "19"]
    assert "key 'device[0].base': must be an integer" in lines[2]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[[vm]]\nname = 'a'\ncpus = = 4\n", "vms.toml:3: Invalid value"),
        ("[[vm]]\nname = 'a", "vms.toml:2: "),
        ("[[vms]]\nname = 'a'\n", "vms.toml:1: key 'vms': unknown (did you mean 'vm'?)"),
        ("[vm]\nname = 'a'\n", "vms.toml:1: key 'vm': must be an array of tables: write [[vm]]"),
        ("", "vms.toml:1: 0 VMs: a bundle holds 1 to 64"),
        ("[[vm]]\nname = 'a'\n", "vms.toml:1: vm \"a\": key 'kernel': give one of"),
        (
            "[[vm]]\nname = 'a'\nkernel = 'linux'\n[[vm]]\nname = 'a'\nkernel = 'linux'\n",
            "vms.toml:5: vm \"a\": key 'name': already the name of the VM at line 2",
        ),
        (
            "[[vm]]\nname = 'a'\nmachine = 'bare'\nfirmware = 'hello'\n",
            "vms.toml:4: vm \"a\": key 'firmware': machine bare has no flash",
        ),
        (
            "[[vm]]\nname = 'a'\nfirmware = 'hello'\ninitrd = 'initrd'\n",
            "vms.toml:4: vm \"a\": key 'initrd': goes with 'kernel'",
        ),
        (
            "[[vm]]\nname = 'a'\nkernel = 'linux'\nmemory = '1G'\n"
            "ram = [{ base = 0x40000000, size = '1G' }]\n",
            "vms.toml:4: vm \"a\": key 'memory': 'ram' says it already",
        ),
        (
            "[[vm]]\nname = 'a'\nmachine = 'bare'\nkernel = 'hello'\nram = [\n"
            "  { base = 0, size = '1M' },\n  { base = 0x80000, size = '1M' },\n]\n",
            "vms.toml:7: vm \"a\": key 'ram[1]': 0x80000 to 0x17ffff overlaps ram[0]",
        ),
        ("[[vm]]\nname = 'a b'\nkernel = 'linux'\n", "vms.toml:2: vm \"a b\": key 'name': 'a b'"),
    ],
)
def test_mistakes_beyond_one_key(folder, text, message):
    result = make(folder, text)
    assert result.returncode == 1
    assert message in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (elf_image(), None),
        (elf_image(paddr=0x50000000), "does not fit"),
        (elf_image(memsz=0x1000000000), "does not fit"),
        (elf_image(machine=62), "e_machine 62 is not AArch64"),
        (elf_image(offset=1 << 40), "segment 0: its bytes are outside the file"),
        (elf_image(phoff=1 << 40), "the program headers are outside the file"),
        (elf_image(memsz=4), "segment 0: its bytes are outside the file"),
        (elf_image()[:40], "the file is too short"),
        (linux_image(text_offset=0x80000), None),
        (linux_image(text_offset=0x200000), "text_offset 0x200000 is not below 2 MiB"),
        (linux_image(image_size=0x10000001), "does not fit: the kernel takes"),
        (linux_image(image_size=0x10000000), "key 'memory': does not fit: the device tree"),
        (linux_image(image_size=0x10000000 - 0x4000), "key 'initrd': does not fit: the initrd"),
        (linux_image(image_size=0x10000000 - 0x8000), None),
    ],
    ids=lambda value: "image" if isinstance(value, bytes) else value,
)
def test_kernels_are_checked_against_ram(folder, image, message):
    (folder / "kernel").write_bytes(image)
    result = make(folder, '[[vm]]\nname = "v"\nkernel = "kernel"\ninitrd = "initrd"\n')
    if message is None:
        assert (result.returncode, result.stderr) == (0, "")
    else:
        assert result.returncode == 1
        assert message in result.stderr


def test_a_missing_configuration_is_one_line(folder):
    result = run("nothing.toml", "-o", "out.itb", cwd=folder)
    assert (result.returncode, result.stderr) == (1, "nothing.toml: No such file or directory\n")


def damage(data, at):
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda data: b"", "not a bundle: only 0 bytes"),
        (lambda data: b"hello" * 100, "not a bundle: no device tree magic"),
        (lambda data: data[:100], "truncated"),
        (lambda data: data[:-1], "truncated"),
        (lambda data: data + b"x", "bytes of"),
        (lambda data: damage(data, 200), "the tree is damaged"),
        (lambda data: damage(data, len(data) - 1), "its bytes are damaged"),
    ],
)
def test_a_damaged_bundle_does_not_list(folder, change, message):
    assert make(folder, GOOD).returncode == 0
    (folder / "bad.itb").write_bytes(change((folder / "out.itb").read_bytes()))
    result = run("-l", "bad.itb", cwd=folder)
    assert result.returncode == 1
    assert result.stderr.startswith("bad.itb: ")
    assert message in result.stderr


LINES = '''# comment with [[vm]] = "x"
title = "a # b"
text = """
[[vm]]
not = "a key" \\"""
"""
[[vm]]
name = 'x'  # [
ram = [
    { base = 0, size = "}" },  # ] }
    { base = 1,
      size = 2 }, ]
a.b."c d" = 1
  [[vm.device]]
  type = "one"
  [[vm.device]]
  type = "two"
[[vm]]
name = \'\'\'
y\'\'\'
nested = [[1, 2],
          [3, "]"]]
  [[vm.device]]
  type = "three"
[vm.table]
key = 1979-05-27 07:32:00
'''


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("title",), 2),
        (("text",), 3),
        (("vm",), 7),
        (("vm", 0), 7),
        (("vm", 0, "name"), 8),
        (("vm", 0, "ram"), 9),
        (("vm", 0, "ram", 0, "size"), 10),
        (("vm", 0, "ram", 1), 11),
        (("vm", 0, "ram", 1, "size"), 12),
        (("vm", 0, "a", "b", "c d"), 13),
        (("vm", 0, "device", 0, "type"), 15),
        (("vm", 0, "device", 1), 16),
        (("vm", 0, "device", 1, "type"), 17),
        (("vm", 1, "name"), 19),
        (("vm", 1, "nested"), 21),
        (("vm", 1, "nested", 1, 1), 22),
        (("vm", 1, "device", 0, "type"), 24),
        (("vm", 1, "table"), 25),
        (("vm", 1, "table", "key"), 26),
        (("vm", 1, "missing"), 18),
        (("vm", 0, "ram", 1, "missing"), 11),
    ],
)
def test_lines_are_found_by_path(path, line):
    assert LineIndex(LINES).line(path) == line


def test_defaults_that_a_bundle_leaves_out_are_the_targets():
    header = (TOOLS.parent / "kernel/sched.h").read_text()
    slice_ns = int(re.search(r"SCHED_SLICE_DEFAULT_NS (\d+)", header)[1])
    priority = int(re.search(r"SCHED_PRIORITY_DEFAULT (\d+)", header)[1])
    vm = Vm("any")
    assert (vm.slice_ms * 1_000_000, vm.priority) == (slice_ns, priority)
