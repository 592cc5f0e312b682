# SPDX-License-Identifier: BSD-2-Clause
"""Socle's terminal on a PC's screen and keyboard: text mode and frame buffers, by what QEMU shows."""

import subprocess
import time

import pytest
from bundles import Q35, ROOT, guest, linux
from conftest import EXIT_OK, WATCHDOG, Machine
from monitor import Monitor
from test_pc_boot import DEBUG_EXIT, EPYC, IMAGE, OVMF, exit_status

TEXT, TEXT_COLUMNS, TEXT_ROWS = 0xB8000, 80, 25
GLYPH_WIDTH, GLYPH_HEIGHT, FIRST = 8, 16, 0x20
KEYS = {" ": "spc", "-": "minus", "_": "shift-minus", "\n": "ret", "\b": "backspace"}


LIT = bytes([0] + [1] * 255)  # any colour but black


def glyphs():
    """Characters by what a glyph looks like: a byte a pixel, 0 or 1."""
    font = (ROOT / "build/q35/font.bin").read_bytes()
    bits = bytes(byte >> 7 - x & 1 for byte in font for x in range(GLYPH_WIDTH))
    size = GLYPH_WIDTH * GLYPH_HEIGHT
    return {bits[at : at + size]: chr(FIRST + at // size) for at in range(0, len(bits), size)}


def read_ppm(path):
    """The rows of a picture: a byte a pixel, 0 or 1."""
    magic, size, depth, pixels = path.read_bytes().split(b"\n", 3)
    assert (magic, depth) == (b"P6", b"255")
    width = int(size.split()[0])
    lit = pixels[::3].translate(LIT)
    return [lit[at : at + width] for at in range(0, len(lit), width)]


def read_line(rows, known):
    """What 16 rows of pixels say; '?' for what is no glyph, as where the cursor is."""
    columns = range(0, len(rows[0]) - GLYPH_WIDTH + 1, GLYPH_WIDTH)
    cells = (b"".join(row[x : x + GLYPH_WIDTH] for row in rows) for x in columns)
    return "".join(known.get(cell, "?") for cell in cells)


class Screen:
    """A PC without a serial port, and QEMU's monitor on our terminal."""

    def __init__(self, words, folder):
        command = ["qemu-system-x86_64", "-M", "q35", "-cpu", EPYC, "-m", "512M", "-nodefaults"]
        command += ["-display", "none", "-no-reboot", "-device", DEBUG_EXIT, "-monitor", "stdio"]
        self.machine = Machine([*command, *words], folder / "monitor.txt")
        self.monitor = Monitor(self.machine, escape="")
        self._picture = folder / "screen.ppm"

    def text(self):
        """The text page, a line a row."""
        cells = self.monitor.physical_words(TEXT, TEXT_COLUMNS * TEXT_ROWS, "h")
        page = "".join(chr(cell & 0xFF) for cell in cells)
        return "\n".join(page[at : at + TEXT_COLUMNS] for at in range(0, len(page), TEXT_COLUMNS))

    def picture(self):
        """What is drawn, read by the font."""
        self.monitor.ask(f"screendump {self._picture}")
        rows, known = read_ppm(self._picture), glyphs()
        lines = range(0, len(rows) - GLYPH_HEIGHT + 1, GLYPH_HEIGHT)
        return "\n".join(read_line(rows[y : y + GLYPH_HEIGHT], known) for y in lines)

    def wait(self, read, words):
        """Looks again and again until the screen has them; all that is on it."""
        give_up_at = time.monotonic() + WATCHDOG
        while words not in (shown := read()):
            assert time.monotonic() < give_up_at, f"{words!r} is not on the screen:\n{shown}"
        return shown

    def press(self, keys):
        """As QEMU names them."""
        self.monitor.ask(f"sendkey {keys}")

    def type(self, text):
        for c in text:
            self.press(KEYS.get(c) or (f"shift-{c.lower()}" if c.isupper() else c))


@pytest.fixture
def screen(tmp_path):
    screens = []

    def start(*words):
        screens.append(Screen(words, tmp_path))
        return screens[-1]

    yield start
    for one in screens:
        one.machine.quit()


@pytest.fixture
def bundle(make_bundle):
    """A guest that waits for a `q` on its console."""
    return make_bundle(guest("restart", board=Q35))


@pytest.fixture
def iso(tmp_path, bundle):
    def make(arguments="debug-exit"):
        path = tmp_path / "socle.iso"
        tool = [ROOT / "tools/socle-iso", "--arguments", arguments, "--bundle", bundle, "-o", path]
        subprocess.run(tool, check=True)
        return path

    return make


def run_to_the_end(screen, read):
    shown = screen.wait(read, "waiting")
    assert "socle: SVM, " in shown
    screen.press("q")
    screen.machine.end(exit_status(EXIT_OK))


def test_text_mode_of_a_bios(screen, bundle):
    machine = screen("-vga", "std", "-kernel", IMAGE, "-initrd", bundle, "-append", "debug-exit")
    run_to_the_end(machine, machine.text)


def test_text_mode_behind_grub(screen, iso):
    machine = screen("-vga", "std", "-cdrom", iso())
    run_to_the_end(machine, machine.text)


@pytest.mark.parametrize("adapter", ["std", "virtio"])
def test_frame_buffer_of_uefi(screen, iso, adapter):
    machine = screen("-bios", OVMF, "-vga", adapter, "-cdrom", iso())
    run_to_the_end(machine, machine.picture)


def test_screen_that_is_asked_for_beside_a_serial_port(screen, bundle, tmp_path):
    serial = tmp_path / "serial.txt"
    line = "debug-exit console=screen"
    words = ["-vga", "std", "-serial", f"file:{serial}", "-append", line]
    machine = screen(*words, "-kernel", IMAGE, "-initrd", bundle)
    run_to_the_end(machine, machine.text)
    assert "socle" not in serial.read_text(errors="replace")


def test_panic_stays_on_the_screen_until_a_key_is_pressed(screen):
    machine = screen("-vga", "std", "-kernel", IMAGE)
    shown = machine.wait(machine.text, "press a key")
    assert "socle: panic: no bundle" in shown
    machine.press("ret")
    machine.machine.end()  # the power is off, and QEMU is not told how Socle ended


def test_linux_at_a_screen_and_a_keyboard(screen, make_bundle, initrds):
    """Capitals, corrections and control characters reach its shell; Ctrl-] is Socle's."""
    bundle = make_bundle(linux("one", initrds(Q35), board=Q35) + guest("two", "restart", board=Q35))
    words = ["-smp", "2", "-vga", "std", "-kernel", IMAGE, "-initrd", bundle]
    machine = screen(*words, "-append", "debug-exit")
    machine.wait(machine.text, "guest# ")
    machine.type("echo A_bx\bcD-e\n")
    machine.wait(machine.text, "\nA_bcD-e ")
    machine.press("caps_lock")
    machine.type("exit-x")
    machine.wait(machine.text, "EXIT-X")
    machine.press("ctrl-c")
    machine.press("caps_lock")
    machine.press("ctrl-bracket_right")
    machine.press("n")
    machine.wait(machine.text, "terminal: two")
    machine.press("q")
    machine.wait(machine.text, "terminal: one")
    machine.type("poweroff -f\n")
    machine.machine.end(exit_status(EXIT_OK))
