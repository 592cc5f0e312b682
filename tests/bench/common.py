# SPDX-License-Identifier: BSD-2-Clause
"""What the benches of all boards need: running guests, reading figures, printing tables."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/boot"))

import initramfs  # noqa: E402

MEMORY = 255  # MiB of the guest: the last one is not a whole 2 MiB block
POWER_OFF_INIT = "#!/bin/busybox sh\nexec /bin/busybox poweroff -f\n"


def run(command, good=(0,)):
    """Its output. `good`: the exit statuses it may have."""
    result = subprocess.run(
        [str(word) for word in command],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=1800,
        text=True,
        errors="replace",
    )
    if result.returncode not in good:
        sys.exit(f"bench: {command[0]} failed with {result.returncode}:\n{result.stdout[-3000:]}")
    return result.stdout


class Bench:
    """A place for bundles, and how socle-run is to start them."""

    def __init__(self, board, folder, words):
        self.board = board
        self.folder = Path(folder)
        self.words = words

    def socle(self, toml, cpus=1, memory="1G"):
        config = self.folder / "vms.toml"
        bundle = self.folder / "bundle.itb"
        config.write_text(toml)
        run(["tools/socle-bundle", config, "-o", bundle])
        return run(
            ["tools/socle-run", "--board", self.board, "--bundle", bundle]
            + ["--cpus", cpus, "--memory", memory, *self.words]
        )

    def initrd(self):
        """Of a Linux that does nothing but power off."""
        busybox = self.board.sysroot / "bin/busybox"
        return initramfs.make(busybox, self.folder / "initrd.gz", POWER_OFF_INIT)


def figures(output, tick=1):
    """Instructions per operation, by the operation's name; `tick` of them between two readings."""
    rows = re.findall(r"bench: (\w+) (\d+) (\d+)", output)
    return {name: round(int(ticks) * tick / int(count)) for name, ticks, count in rows}


def show(value):
    return "-" if value is None else f"{value:,}"


def print_table(title, columns, labels):
    """columns: what each is called, and its figures by operation."""
    print(f"{title}\n\n{'':46}" + "".join(f"{name:>15}" for name in columns))
    for key, label in labels.items():
        print(f"{label:46}" + "".join(f"{show(values.get(key)):>15}" for values in columns.values()))


def at_power_off(output):
    """The guest's own clock then, in milliseconds: million instructions where one takes a ns."""
    return float(re.search(r"\[ *(\d+\.\d+)\] reboot: Power down", output)[1]) * 1000


def print_exits(output, name, where="that boot"):
    """Of the VM's first vCPU, by reason."""
    print(f"\nExits during {where}")
    header, values = re.findall(rf"socle: {name}: +(vcpu .*|\d+ .*)", output)[:2]
    names = header.replace("run ms", "run_ms").replace("steal ms", "steal_ms").split()
    for word, value in list(zip(names, values.split()))[3:]:
        print(f"    {word:12}{int(value):>12,}")


def print_image(size, board):
    numbers = map(int, run([size, f"build/{board}/socle.elf"]).splitlines()[1].split()[:3])
    print("\nImage:    text {:,}  data {:,}  bss {:,} bytes (aim: text below 200 KB)".format(*numbers))


def free_pages(output):
    return [int(free) for free in re.findall(r"(\d+) of \d+ pages free", output)]


def print_memory(bench, guest, short, longer):
    """What is kept of the machine's memory, and for a small VM: `short` ends before `longer`."""
    kept = {}
    for gib in (1, 3):
        kept[gib] = gib * (1 << 20) - free_pages(bench.socle(guest, memory=f"{gib}G"))[0] * 4
    print(f"Memory:   {kept[1]:,} KiB kept with 1 GiB, {(kept[3] - kept[1]) // 2:,} KiB for each GiB more")
    # What is missing when the first has ended is what the second one keeps, and its own RAM.
    start, later = free_pages(bench.socle(short + longer, cpus=2))[:2]
    print(f"          {(start - later) * 4 - 64 * 1024:,} KiB for a VM of 64 MiB and one CPU")
