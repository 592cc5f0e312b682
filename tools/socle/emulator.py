# SPDX-License-Identifier: BSD-2-Clause
"""Running an emulator whose exit status is not Socle's, and finding out what Socle's is."""

import os
import pty
import re
import select
import signal
import subprocess
import sys
import tempfile
import termios
import tty

LAST_WORDS = re.compile(rb"power off, status (\d+)")
FAILED = 1
COMPLAINT = 1000  # bytes that are shown of it


def debug_exit_status(status):
    """QEMU's isa-debug-exit makes 2 * status + 1 of what is written to it; a signal's is negative."""
    return status >> 1 if status > 0 and status & 1 else FAILED


def run_debug_exit(command):
    status = subprocess.run(command, check=False).returncode
    if status < 0:
        print(f"{command[0]} ended before Socle did: {signal.strsignal(-status)}", file=sys.stderr)
    return debug_exit_status(status)


class Terminal:
    """A terminal that the emulator has as its serial line, and we the other end of."""

    def __init__(self):
        self.ours, self._theirs = pty.openpty()
        tty.setraw(self._theirs)
        self.name = os.ttyname(self._theirs)
        self.tail = b""

    def copy_out(self):
        data = os.read(self.ours, 65536)
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        self.tail = (self.tail + data)[-200:]

    def has_output(self):
        return bool(select.select([self.ours], [], [], 0)[0])

    def status(self):
        """What Socle's last words say; None: there were none."""
        found = LAST_WORDS.findall(self.tail)
        return int(found[-1]) if found else None


def _copy(process, terminal, keyboard):
    """Until the emulator ends: its output to ours, what is typed to it."""
    sources = [terminal.ours, keyboard]
    while process.poll() is None:
        for ready in select.select(sources, [], [], 0.05)[0]:
            if ready == terminal.ours:
                terminal.copy_out()
                continue
            data = os.read(keyboard, 4096)
            if data:
                os.write(terminal.ours, data)
            else:
                sources.remove(keyboard)
    while terminal.has_output():
        terminal.copy_out()


def _complain(command, output):
    """Socle did not get to its last words: what the emulator itself said may tell why."""
    output.seek(0)
    said = output.read().decode(errors="replace").rstrip()
    print(f"{command[0]} ended before Socle did:\n{said[-COMPLAINT:]}", file=sys.stderr)
    return FAILED


def run_on_terminal(command, terminal):
    """Socle's exit status. Ctrl-C ends the emulator; what it prints is shown only if it failed."""
    keyboard = sys.stdin.fileno()
    old = termios.tcgetattr(keyboard) if os.isatty(keyboard) else None
    if old:
        tty.setcbreak(keyboard)
    with tempfile.TemporaryFile() as output, subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
    ) as process:
        try:
            _copy(process, terminal, keyboard)
        except KeyboardInterrupt:
            return FAILED
        finally:
            process.kill()
            if old:
                termios.tcsetattr(keyboard, termios.TCSADRAIN, old)
        status = terminal.status()
        return _complain(command, output) if status is None else status
