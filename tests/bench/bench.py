#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Counts instructions per operation on a machine whose clock counts instructions.

With and without Socle, beside the published figures of other hypervisors and this project's
aims; then a Linux boot, and sizes. Each board has a module.
"""

import sys
import tempfile

import q35
import virt

BOARDS = {"qemu-virt": virt, "q35": q35}


def main():
    name = sys.argv[1] if len(sys.argv) == 2 else ""
    if name not in BOARDS:
        sys.exit(f"usage: bench.py BOARD; there is: {', '.join(BOARDS)}")
    with tempfile.TemporaryDirectory() as folder:
        BOARDS[name].main(folder)


if __name__ == "__main__":
    main()
