# SPDX-License-Identifier: BSD-2-Clause
"""socle-bundle on machines of x86: their kernels, ports and disks, and how errors read."""

import struct
from pathlib import Path

import pytest
from bundle_tool import make, run

from socle import itb

BOOT_SECTOR = bytes(510) + b"\x55\xaa"


def bzimage(**changes):
    fields = {
        0x1F1: ("B", 1, "setup_sects"),
        0x1F4: ("I", 0x20, "syssize"),
        0x1FE: ("H", 0xAA55, "boot_flag"),
        0x202: ("4s", b"HdrS", "header"),
        0x206: ("H", 0x20F, "version"),
        0x211: ("B", 1, "loadflags"),
        0x22C: ("I", 0x7FFFFFFF, "initrd_addr_max"),
        0x230: ("I", 0x200000, "kernel_alignment"),
        0x234: ("B", 1, "relocatable_kernel"),
        0x236: ("H", 1, "xloadflags"),
        0x238: ("I", 2047, "cmdline_size"),
        0x258: ("Q", 0x1000000, "pref_address"),
        0x260: ("I", 0x300000, "init_size"),
    }
    image = bytearray(0x600)
    for offset, (form, value, name) in fields.items():
        struct.pack_into("<" + form, image, offset, changes.get(name, value))
    return bytes(image)


def elf32(machine=3, paddr=0x200000, rest=b"", notes=b""):
    header = struct.pack(
        "<4sBBB9xHHIIIIIHHHHHH",
        b"\x7fELF", 1, 1, 1, 2, machine, 1, paddr, 52, 0, 0, 52, 32, 2, 0, 0, 0,
    )  # fmt: skip
    load = struct.pack("<IIIIIIII", 1, 0, paddr, paddr, 8, 0x1000, 5, 4096)
    note = struct.pack("<IIIIIIII", 4, 116, 0, 0, len(notes), len(notes), 4, 4)
    return header + load + note + notes + rest


def pvh(entry=0x200008, **rest):
    return elf32(notes=struct.pack("<III4sI", 4, 4, 18, b"Xen\0", entry), **rest)


def multiboot(flags=3):
    return elf32(rest=struct.pack("<III", 0x1BADB002, flags, -(0x1BADB002 + flags) & 0xFFFFFFFF))


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "kernel").write_bytes(bzimage())
    (tmp_path / "initrd").write_bytes(b"initrd")
    (tmp_path / "sector").write_bytes(BOOT_SECTOR)
    (tmp_path / "raw").write_bytes(b"raw")
    return tmp_path


GOOD = """
[[disk]]
name = "data"
size = "1M"
image = "initrd"
[[vm]]
name = "debian"
machine = "pc"
memory = "4G"
kernel = "kernel"
initrd = "initrd"
[[vm]]
name = "text"
machine = "pc"
kernel = "sector"
  [[vm.device]]
  type = "ide"
  disk = "data"
  irq = 14
[[vm]]
name = "bare"
machine = "bare"
kernel = "raw"
  [[vm.device]]
  type = "uart16550"
  port = 0x2f8
  irq = 3
"""


def test_pcs_and_disks_make_a_bundle_that_lists(folder):
    result = make(folder, GOOD)
    assert (result.returncode, result.stderr) == (0, "")
    listing = itb.read((folder / "out.itb").read_bytes())
    assert listing.vms[0]["ram"] == "0x0+640K, 0xc0000+2882816K, 0x100000000+1310720K"
    assert listing.vms[1]["device"] == "ide 14 data"
    assert listing.disks == [{"name": "data", "size": "1048576", "image": "initrd"}]
    assert [image["name"] for image in listing.images] == ["kernel", "initrd", "sector", "raw"]
    shown = run("-l", "out.itb", cwd=folder).stdout
    assert "DISK" in shown and "1048576" in shown


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (bzimage(), None),
        (bzimage(boot_flag=0), "setup header: boot_flag"),
        (bzimage(version=0x20B), "setup header: version"),
        (bzimage(loadflags=0), "setup header: loadflags"),
        (bzimage(xloadflags=0), "setup header: xloadflags"),
        (bzimage(setup_sects=9), "setup header: setup_sects"),
        (bzimage(syssize=0x21), "setup header: syssize"),
        (bzimage(kernel_alignment=3), "setup header: kernel_alignment"),
        (bzimage(pref_address=0), "setup header: pref_address"),
        (bzimage(init_size=0), "setup header: init_size"),
        (bzimage(cmdline_size=2), "takes a command line of 2 characters, not 13"),
        (bzimage(init_size=0x10000000), "does not fit: the kernel takes 0x200000 to 0x101fffff"),
        (bzimage(relocatable_kernel=0, pref_address=0xF000000, init_size=0x2000000), "does not fit"),
        (pvh(), None),
        (pvh(entry=0x300000), "PHYS32_ENTRY: 0x300000 is outside the segments"),
        (pvh(paddr=0x8000), "starts at 0x8000, below 0x10000"),
        (pvh(paddr=0x9F800), "lies over 0xa0000 to 0xfffff"),
        (pvh(machine=183), "e_machine 183 is not 80386, x86-64"),
        (pvh()[:60], "the program headers are outside the file"),
        (multiboot(), None),
        (multiboot(flags=4), "Multiboot header: flags"),
        (elf32(), None),
    ],
    ids=lambda value: "image" if isinstance(value, bytes) else value,
)
def test_kernels_are_checked_by_field(folder, image, message):
    (folder / "kernel").write_bytes(image)
    result = make(
        folder, '[[vm]]\nname = "v"\nmachine = "pc"\nkernel = "kernel"\ncmdline = "console=ttyS0"\n'
    )
    if message is None:
        assert (result.returncode, result.stderr) == (0, "")
    else:
        assert result.returncode == 1
        assert "key 'kernel': " in result.stderr
        assert message in result.stderr


# Lines behind those of a PC that is otherwise right, from line 5 on.
BAD_LINES = [
    (5, "format = 'linux'", "key 'kernel': is of format 'linux', which x86 CPUs do not run"),
    (5, "format = 'pvh'", "key 'kernel': "),
    (5, "load = 0x450000", "key 'kernel': must be loaded at a multiple of 0x200000"),
    (5, "memory = '1M'", "key 'memory': 1048576 is too little for a PC (2M)"),
    (5, "fdt = 'raw'", "key 'fdt': is for arm64: PCs have ACPI tables"),
    (5, "firmware = 'raw'", "key 'firmware': machine pc has no flash"),
    (5, "ram = [{ base = 0, size = '1M' }]", "key 'ram[0]': 0x0 to 0xfffff overlaps the VGA"),
    (6, "[[vm.device]]\ntype = 'pl011'\nbase = 0x90000000", "'pl011' is no device for x86"),
    (5, "[[vm.device]]\ntype = 'uart16550'", "key 'device[0]': port 0x3f8 is one of the machine"),
    (7, "[[vm.device]]\ntype = 'uart16550'\nport = 0x10000", "65536 is out of range (1 to 65535)"),
    (8, "[[vm.device]]\ntype = 'uart16550'\nport = 0x2f8\nirq = 24", "24 is out of range (1 to 23)"),
    (8, "[[vm.device]]\ntype = 'uart16550'\nbase = 0xd0000000\nport = 8", "without 'base'"),
    (7, "[[vm.device]]\ntype = 'ide'\ndisk = 'other'", "there is no [[disk]] of the name 'other'"),
    (5, "[[vm.device]]\ntype = 'ide'", "key 'device[0].disk': is missing"),
    (5, "[[disk]]\nsize = 512", "disk \"\": key 'name': is missing"),
    (6, "[[disk]]\nname = [1]\nsize = 512", "key 'name': must be a string, not [1]"),
    (5, "[[disk]]\nname = 'd'", "disk \"d\": key 'size': is missing, and so is 'image'"),
    (7, "[[disk]]\nname = 'd'\nsize = 511", "disk \"d\": key 'size': 511 is not a multiple of 512"),
    (7, "[[disk]]\nname = 'd'\nimage = 'no'", "disk \"d\": key 'image': no: No such file"),
    (7, "[[disk]]\nname = 'd'\nsizes = 512", "key 'sizes': unknown (did you mean 'size'?)"),
]


@pytest.mark.parametrize(("line", "text", "message"), BAD_LINES)
def test_a_wrong_key_is_named_with_its_line(folder, line, text, message):
    result = make(folder, f"[[vm]]\nname = 'v'\nmachine = 'pc'\nkernel = 'kernel'\n{text}\n")
    assert result.returncode == 1
    assert message in result.stderr
    assert "Traceback" not in result.stderr
    if "key 'kernel'" not in message:
        assert any(one.startswith(f"vms.toml:{line}:") for one in result.stderr.splitlines())


def test_two_disks_of_one_name_are_refused(folder):
    disk = "[[disk]]\nname = 'd'\nsize = 512\n"
    result = make(folder, f"[[vm]]\nname = 'v'\nmachine = 'pc'\nkernel = 'raw'\n{disk}{disk}")
    assert result.returncode == 1
    assert "vms.toml:9: disk \"d\": key 'name': already the name of the disk at line 6" in (
        result.stderr
    )


def test_a_boot_sector_takes_no_address(folder):
    text = "[[vm]]\nname = 'v'\nmachine = 'pc'\nkernel = 'sector'\nload = 0x7c00\n"
    assert "leave out 'load' and 'entry'" in make(folder, text).stderr


def test_debians_kernel_is_taken(folder):
    image = Path("/usr/lib/debian-installer/images/12/amd64/text/debian-installer/amd64/linux")
    text = f"[[vm]]\nname = 'v'\nmachine = 'pc'\nkernel = '{image}'\n"
    assert make(folder, text).stderr == ""
    assert make(folder, text + "memory = '96M'\n").returncode == 0
    assert "does not fit" in make(folder, text + "memory = '16M'\n").stderr
