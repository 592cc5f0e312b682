# SPDX-License-Identifier: BSD-2-Clause
"""tools/socle-bundle as the tests call it."""

import subprocess
import sys
from pathlib import Path

TOOLS = Path(__file__).resolve().parents[2] / "tools"
sys.path.insert(0, str(TOOLS))


def run(*arguments, cwd=None):
    command = ["/usr/bin/python3", TOOLS / "socle-bundle", *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True)


def make(folder, text):
    """Makes out.itb of a configuration in the folder."""
    (folder / "vms.toml").write_text(text)
    return run("vms.toml", "-o", "out.itb", cwd=folder)
