# SPDX-License-Identifier: BSD-2-Clause
"""tools/socle-run: the command that it would start."""

import shlex
import subprocess

import pytest
from bundle_tool import TOOLS


def shown(*arguments):
    """The emulator's command, as a list of words."""
    command = [TOOLS / "socle-run", "--show", "--bundle", "a bundle", *arguments]
    run = subprocess.run(command, check=True, capture_output=True, text=True)
    return shlex.split(run.stdout)


def value(words, option):
    return words[words.index(option) + 1]


def test_words_are_those_of_a_shell():
    assert value(shown(), "-initrd") == "a bundle"


@pytest.mark.parametrize(
    "board, cpus, machines", [("qemu-virt", "2", "2"), ("q35", "1", "1"), ("q35", "2", "3")]
)
def test_cpus_are_for_guests(board, cpus, machines):
    assert value(shown("--board", board, "--cpus", cpus), "-smp") == machines
