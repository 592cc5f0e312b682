# SPDX-License-Identifier: BSD-2-Clause
"""socle.emulator: what becomes of an emulator's end."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))

from socle import emulator  # noqa: E402


@pytest.fixture(autouse=True)
def keyboard(monkeypatch):
    """Nobody types."""
    with open("/dev/null") as nobody:
        monkeypatch.setattr(sys, "stdin", nobody)
        yield


def run(script):
    """A shell as the emulator; $TERMINAL is its serial line."""
    terminal = emulator.Terminal()
    return emulator.run_on_terminal(["sh", "-c", f"TERMINAL={terminal.name}; {script}"], terminal)


@pytest.mark.parametrize("status", [0, 2])
def test_the_last_words_tell_the_status(capfdbinary, status):
    assert run(f'echo "socle: power off, status {status}" >$TERMINAL; echo noise; exit 1') == status
    assert b"noise" not in b"".join(capfdbinary.readouterr())


def test_an_emulator_that_fails_is_heard(capfdbinary):
    assert run("echo here >$TERMINAL; echo no such sound card >&2; exit 134") == emulator.FAILED
    out, err = capfdbinary.readouterr()
    assert b"here" in out
    assert b"sh ended before Socle did" in err and b"no such sound card" in err


@pytest.mark.parametrize("status, expected", [(1, 0), (5, 2), (0, emulator.FAILED)])
def test_debug_exit(status, expected):
    assert emulator.debug_exit_status(status) == expected


def test_debug_exit_of_an_emulator_that_crashed(capfd):
    assert emulator.run_debug_exit(["sh", "-c", "kill -SEGV $$"]) == emulator.FAILED
    assert "sh ended before Socle did: Segmentation fault" in capfd.readouterr().err
