# SPDX-License-Identifier: BSD-2-Clause
"""What one guest does, another never notices; and what a guest leaves, nobody misses."""

import re

import pytest
from bundles import VIRT, guest, linux
from conftest import EXIT_OK, EXIT_VM_CRASHED, free_pages, guests_said, survives

PROMPT = r"guest# "
ESCAPE = "\x1d"


@pytest.mark.parametrize(
    "acts, cpu, gic",
    [
        (100_000, "cortex-a53", 3),
        (100_000, "cortex-a57", 2),
        (100_000, "max", 3),
        pytest.param(10_000_000, "max", 3, marks=pytest.mark.slow),
        pytest.param(10_000_000, "cortex-a72", 2, marks=pytest.mark.slow),
    ],
)
def test_hostile_guest(socle, acts, cpu, gic):
    """It does its worst and ends by itself; its neighbour still answers."""
    toml = guest("hostile", cpus=2, cmdline=f"acts={acts} memory=64") + guest("restart")
    survives(socle(toml, cpus=2, memory="512M", cpu=cpu, gic=gic), acts)


def test_two_hostile_guests_with_different_seeds(socle):
    toml = "".join(
        guest(f"hostile{seed}", "hostile", cmdline=f"acts=30000 memory=64 seed={seed}")
        for seed in (11, 12)
    )
    text = socle(toml, cpus=2, memory="512M").end(EXIT_OK)
    assert guests_said(text).count("hostile: done 30000") == 2


def test_spinning_guest_does_not_starve_its_neighbour(socle, initrds, board):
    toml = linux("debian", initrds(board), 2, board=board)
    toml += guest("spin", cpus=4, cmdline="cpus=4", board=board)
    machine = socle(toml, board=board, cpus=2)
    machine.expect(PROMPT)
    assert "done" in machine.command("sleep 1 && echo do''ne")


def lags(text):
    """By VM: the longest time that it was kept from its CPU, in microseconds."""
    return [int(found) for found in re.findall(r"lag: at most (\d+) us", text)]


def test_shares_of_a_cpu_follow_priorities(socle):
    """Two steps of priority are four times the share, and nobody waits long, to the tick."""
    toml = guest("high", "lag", cmdline="ms=100", priority=5)
    toml += guest("low", "lag", cmdline="ms=100", priority=3)
    text = socle(toml, cpus=1, memory="512M", icount=True).end(EXIT_OK)
    ran = {
        name: int(re.search(rf"socle: {name}: +0 +(\d+)", text)[1]) for name in ("high", "low")
    }
    assert 75 <= ran["high"] <= 85
    assert 15 <= ran["low"] <= 25
    high, low = lags(text)
    assert high < 1500  # a slice of the other's
    assert low < 4500  # four of them


@pytest.mark.parametrize("rounds", [1000])
def test_restarts_leave_the_free_count_where_it_was(socle, board, rounds):
    toml = guest("restart", board=board)
    # Counting instructions: Socle lets a guest that keeps resetting wait, and idle time costs none.
    # On q35 it would poll beside the CPU that has the UART, which waits long for its turn then.
    cpus = 2 if board is VIRT else 1
    machine = socle(toml, board=board, memory="512M", cpus=cpus, icount=True)
    for _ in range(rounds):
        machine.expect("restart: fresh, waiting")
        machine.send("r")
    machine.expect("restart: fresh, waiting")
    machine.send("q")
    text = machine.end(EXIT_OK)
    assert "STALE" not in text
    assert text.count("restart: restarted") == rounds
    counts = free_pages(text)
    assert counts[0] == counts[-1]


def test_crashed_guest_is_restarted_when_asked(socle, board):
    toml = guest("restart", restart="on-crash", board=board)
    machine = socle(toml, board=board, memory="512M", cpus=2)
    machine.expect("restart: fresh, waiting")
    machine.send("c")
    machine.expect("restart: restarted")
    machine.expect("restart: fresh, waiting")
    machine.send("q")
    counts = free_pages(machine.end(EXIT_OK))
    assert counts[0] == counts[-1]


@pytest.mark.parametrize(
    "mistake, words",
    [
        ("call-null", r"pc\s*=?\s*0x0+\b|at 0x0+\b"),
        ("call-nothing", r"0x0*30000000"),
        ("read-nothing", r"0x0*c000000"),
        ("write-nothing", r"0x0*c000000"),
    ],
)
def test_mistake_is_reported(socle, mistake, words):
    """The report says where; the VM is down, the machine says so, and the neighbour lives."""
    toml = guest("fault", cmdline=mistake) + guest("restart")
    machine = socle(toml, cpus=2, memory="512M")
    machine.expect("fault: crashed; ")
    machine.send("q")
    text = machine.end(EXIT_VM_CRASHED)
    report = text[text.index(f"fault: {mistake}") :]
    assert re.search(words, report, re.IGNORECASE), report
    for part in ("x30", "usual cause: ", "code", "called from 0x"):
        assert part in report, part
    counts = free_pages(text)
    assert counts[0] == counts[-1]


def test_tables_that_lie_nowhere_are_reported(socle):
    """Such a guest faults for ever, also at its vectors: that is its own time."""
    machine = socle(guest("restart") + guest("fault", cmdline="walk-nothing"), cpus=2)
    machine.expect(r"fault: .*0x0*30000\w+.*nothing")
    machine.expect("restart: fresh, waiting")
    machine.send("q")
    machine.expect("restart: stopped")


def test_guest_that_resets_for_ever_keeps_nobody_waiting(socle):
    """A restart runs at a stretch; it has to be short."""
    toml = guest("lag", cmdline="ms=100") + guest("storm", "restart", cmdline="storm")
    machine = socle(toml, cpus=1, memory="512M", icount=True)
    machine.expect("lag: stopped; ")
    text = machine.output()
    assert text.count("storm: restarted") >= 3
    assert lags(text)[0] < 3000


def interrupted(text):
    """The text of a guest, also where lines of the log come in between."""
    return r"(?:\r*\n(?:socle: [^\n]*\n)+)*".join(map(re.escape, text))


def test_guests_that_reset_for_ever_leave_room_for_others(socle):
    """Two of them, on the one CPU that a third has too."""
    storm = "".join(guest(f"storm{n}", "restart", cmdline="storm") for n in (1, 2))
    machine = socle(guest("restart") + storm, cpus=1, memory="512M")
    for _ in range(10):
        machine.expect(interrupted("fresh, waiting"))
        machine.send("r")
        machine.expect("restart: restarted")
    machine.expect(interrupted("fresh, waiting"))
    machine.send("q")
    machine.expect("restart: stopped")
    assert machine.output().count("storm1: restarted") > 2
    assert machine.output().count("storm2: restarted") > 2


def test_guest_that_prints_for_ever_leaves_room_for_others(socle):
    """Whether its lines are kept or it owns the terminal."""
    toml = guest("restart") + guest("flood", "restart", cmdline="flood")
    machine = socle(toml, cpus=1, memory="512M")
    machine.expect(r"\[flood\] flood")
    machine.send("r")
    machine.expect("restart: restarted")
    machine.expect("fresh, waiting")
    machine.send(ESCAPE + "n")
    machine.expect("terminal: flood")
    machine.expect("\nflood\r*\n")
    machine.send(ESCAPE + "n")
    machine.expect("terminal: restart")
    machine.send("q")
    machine.expect("restart: stopped")


def test_escape_key_switches_the_terminal(socle):
    machine = socle(guest("one", "restart") + guest("two", "restart"), cpus=2, memory="512M")
    machine.expect("waiting")
    machine.expect("waiting")
    machine.send(ESCAPE + "n")
    machine.expect("terminal: two")
    machine.send("q")
    machine.expect("terminal: one")
    machine.send("q")
    machine.expect("one: stopped")
    machine.end(EXIT_OK)


def test_guest_that_listens_is_shut_down(socle):
    machine = socle(guest("powerkey"), cpus=1, memory="512M")
    machine.expect("powerkey: waiting")
    machine.send(ESCAPE + "s")
    machine.expect("powerkey: pressed")
    text = machine.end(EXIT_OK)
    assert "did not shut down" not in text


def test_guest_that_does_not_listen_is_stopped(socle):
    """Though it neither halts nor exits."""
    machine = socle(guest("spin", cpus=2, cmdline="cpus=2"), cpus=1, memory="512M")
    machine.expect("spin: 2 CPUs")
    machine.send(ESCAPE + "s")
    machine.expect("spin: did not shut down in time: stopped")
    counts = free_pages(machine.end(EXIT_OK))
    assert counts[0] == counts[-1]
