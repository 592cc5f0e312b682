# SPDX-License-Identifier: BSD-2-Clause
"""Fixtures that start Socle with a bundle on an emulated board and talk to its console."""

import re
import subprocess
from pathlib import Path

import initramfs
import pexpect
import pytest
from bundles import BOARDS, ROOT, VIRT

# How long nothing may happen before a test gives up: a watchdog, not a measurement. Bochs runs some
# twenty times slower than QEMU.
WATCHDOG = 240
WATCHDOG_BOCHS = 1800

EXIT_OK, EXIT_VM_CRASHED, EXIT_NO_VM = 0, 1, 2
EXIT_PANIC = 1
FREE_PAGES = r"(\d+) of \d+ pages free"


class Machine:
    """A running board. Everything that its console printed is kept in `log`."""

    def __init__(self, command, log, watchdog=WATCHDOG, folder=ROOT):
        self.log = log
        self._file = open(log, "w", encoding="utf-8", errors="replace", newline="")
        self._child = pexpect.spawn(
            command[0],
            [str(word) for word in command[1:]],
            cwd=folder,
            timeout=watchdog,
            encoding="utf-8",
            codec_errors="replace",
            echo=False,
            dimensions=(50, 200),
        )
        self._child.logfile_read = self._file
        self._child.delaybeforesend = None
        self._commands = 0

    def expect(self, pattern):
        """Waits for the pattern (a regular expression) and returns its match."""
        __tracebackhide__ = True
        outcomes = [pattern, pexpect.TIMEOUT, pexpect.EOF]
        outcome = self._child.expect(outcomes[: 2 if pattern is pexpect.EOF else 3])
        if outcome != 0:
            how = ["nothing more came", "the machine ended"][outcome - 1]
            pytest.fail(f"waiting for {pattern!r}, {how}:\n{self.output()[-3000:]}")
        return self._child.match

    def before(self):
        """What came between the last two patterns."""
        return self._child.before.replace("\r", "")

    def send(self, text):
        self._child.send(text)

    def command(self, line):
        """What a shell command on the console printed."""
        self._commands += 1
        number = self._commands
        # The shell puts the marks together, so that the echo of the line does not look like them.
        self.send(f"echo start'-'{number}; {line}; echo end'-'{number}\r")
        self.expect(f"start-{number}\r*\n")
        self.expect(f"end-{number}\r*\n")
        return self.before()

    def output(self):
        self._file.flush()
        return Path(self.log).read_text(encoding="utf-8").replace("\r", "")

    def end(self, status=EXIT_OK):
        """Waits until the machine is off, checks its exit status, returns all its output."""
        __tracebackhide__ = True
        self.expect(pexpect.EOF)
        self._child.close()
        text = self.output()
        assert self._child.exitstatus == status, text[-3000:]
        return text

    def quit(self):
        """Pulls the plug."""
        if not self._child.closed:
            self._child.close(force=True)
        self._file.close()


@pytest.fixture
def make_bundle(tmp_path):
    def make(toml):
        config = tmp_path / "vms.toml"
        config.write_text(toml)
        bundle = tmp_path / "bundle.itb"
        subprocess.run([ROOT / "tools/socle-bundle", config, "-o", bundle], check=True)
        return bundle

    return make


@pytest.fixture
def socle(make_bundle, tmp_path):
    """socle(toml, board=…, emulator=…, cpu=…, cpus=…, memory=…, gic=…, icount=…, extra=…): a Machine."""
    machines = []

    def start(toml, bundle=None, icount=False, extra=(), **choices):
        command = [ROOT / "tools/socle-run", "--bundle", bundle or make_bundle(toml)]
        for key, value in choices.items():
            command += [f"--{key}", value]
        if icount:
            command += ["--icount"]
        if extra:
            command += ["--", *extra]
        watchdog = WATCHDOG_BOCHS if choices.get("emulator") == "bochs" else WATCHDOG
        machines.append(Machine([str(word) for word in command], tmp_path / "console.txt", watchdog))
        return machines[-1]

    yield start
    for machine in machines:
        machine.quit()


@pytest.fixture(params=BOARDS, ids=str)
def board(request):
    """For tests that hold on every board."""
    return request.param


@pytest.fixture(scope="session")
def initrds(tmp_path_factory):
    """initrds(board): the busybox one, made once."""
    made = {}

    def make(board):
        if board not in made:
            path = tmp_path_factory.mktemp(board.name) / "initrd.gz"
            made[board] = initramfs.make(board.sysroot / "bin/busybox", path)
        return made[board]

    return make


@pytest.fixture
def busybox_initrd(initrds):
    return initrds(VIRT)


def free_pages(text):
    """Every count of free pages in the log, in order."""
    return [int(count) for count in re.findall(FREE_PAGES, text)]


def guests_said(text):
    """Without the log, whose lines may come in the midst of a guest's on the terminal."""
    kept = re.findall(r"^\[\w+\] .*", text, re.MULTILINE)
    return "\n".join([*kept, re.sub(r"\n+(?:(?:socle: |\[\w+\] )[^\n]*\n+)+", "", text)])


REPORT_EVERY = 10_000  # acts, tests/guests/lib/random.h


def survives(machine, acts):
    """A VM `hostile` does its worst and ends by itself; its neighbour `restart` still answers."""
    for done in range(REPORT_EVERY, acts + 1, REPORT_EVERY):
        machine.expect(f"hostile: {done} of {acts}")
    machine.expect(f"hostile: done {acts}")
    machine.expect("hostile: stopped; ")
    machine.send("q")
    counts = free_pages(machine.end(EXIT_OK))
    assert counts[0] == counts[-1]
