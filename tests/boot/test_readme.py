# SPDX-License-Identifier: BSD-2-Clause
"""What the README tells a newcomer to type, word for word."""

import re
import shlex
import subprocess

import pytest
from bundles import ROOT
from conftest import EXIT_OK, Machine

README = (ROOT / "README.md").read_text(encoding="utf-8")
QUIT = "\x01x"


def blocks(language):
    """The README's code in that language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


@pytest.fixture
def run(tmp_path):
    """run(command, folder): a Machine."""
    machines = []

    def start(command, folder):
        machines.append(Machine(shlex.split(command), tmp_path / "console.txt", folder=folder))
        return machines[-1]

    yield start
    for machine in machines:
        machine.quit()


def test_first_command_shows_linux_beside_a_bare_guest(run):
    machine = run(blocks("sh")[0], ROOT)
    machine.expect(r"\[hello\] Hi")
    machine.expect("~? # ")
    assert "Debian" in machine.command("cat /etc/os-release /etc/lsb-release")
    machine.send(QUIT)


def test_adding_a_vm(run, tmp_path):
    (example,) = blocks("toml")
    *commands, last = blocks("sh")[2].splitlines()
    (tmp_path / "my.toml").write_text(example)
    (tmp_path / "tools").symlink_to(ROOT / "tools")
    for command in commands:
        subprocess.run(shlex.split(command), cwd=tmp_path, check=True)
    machine = run(last, tmp_path)
    machine.expect("# ")
    machine.command("mount -t proc proc /proc")
    assert machine.command("grep -c ^processor /proc/cpuinfo").split()[0] == "2"
    machine.send("reboot -f\r")
    machine.expect("alpha: restarted")
    machine.expect("# ")
    machine.send("poweroff -f\r")
    machine.end(EXIT_OK)
