# SPDX-License-Identifier: BSD-2-Clause
"""A root file system in memory: busybox, and an init that ends in a shell on the console."""

import gzip
import stat
from pathlib import Path

INIT = """#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin PS1='guest# '
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
echo "init: $(nproc) CPUs online"
exec setsid cttyhack sh
"""


def _entry(number, name, mode, data=b"", device=(0, 0)):
    """One file of the "newc" cpio format: a header of 8-digit hexadecimal fields, name, data."""
    encoded = name.encode() + b"\0"
    fields = (number, mode, 0, 0, 1, 0, len(data), 0, 0, *device, len(encoded), 0)
    header = b"070701" + b"".join(b"%08x" % field for field in fields)
    return _pad(header + encoded) + _pad(data)


def _pad(data):
    return data + b"\0" * (-len(data) % 4)


def make(busybox, output, init=INIT):
    files = [(folder, stat.S_IFDIR | 0o755) for folder in ("bin", "dev", "proc", "sys")]
    files += [
        ("bin/busybox", stat.S_IFREG | 0o755, Path(busybox).read_bytes()),
        ("init", stat.S_IFREG | 0o755, init.encode()),
        ("dev/console", stat.S_IFCHR | 0o600, b"", (5, 1)),
        ("TRAILER!!!", 0),
    ]
    archive = b"".join(_entry(number, *file) for number, file in enumerate(files, 1))
    Path(output).write_bytes(gzip.compress(archive, mtime=0))
    return Path(output)
