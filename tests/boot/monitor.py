# SPDX-License-Identifier: BSD-2-Clause
"""What a machine holds that QEMU has stopped, by its monitor and its stub for debuggers."""

import re
import socket


class Monitor:
    """Behind Ctrl-A c on the machine's terminal, or on it alone."""

    PROMPT = r"\(qemu\) "

    def __init__(self, machine, escape="\x01c"):
        self.machine = machine
        machine.send(escape)
        machine.expect(self.PROMPT)

    def ask(self, line):
        self.machine.send(line + "\n")
        self.machine.expect(r"\n")  # behind the line as it was edited
        self.machine.expect(self.PROMPT)
        return self.machine.before()

    def registers(self, name):
        """Of each CPU."""
        text = self.ask("info registers -a")
        return [int(value, 16) for value in re.findall(rf"\b{name} ?=\s*([0-9a-f]+)", text)]

    def words(self, address, count=1):
        return self._examine("x", address, count)

    def physical_words(self, address, count=1, size="g"):
        return self._examine("xp", address, count, size)

    def physical(self, address):
        """Where the first CPU finds an address; None: nowhere."""
        found = re.search(r"gpa: 0x([0-9a-f]+)", self.ask(f"gva2gpa {address:#x}"))
        return int(found[1], 16) if found else None

    def _examine(self, how, address, count, size="g"):
        text = self.ask(f"{how} /{count}{size}x {address:#x}")
        return [int(word, 16) for line in text.splitlines() for word in line.split(":")[-1].split()]


class Debugger:
    """For system registers, which the monitor does not show: the emulator's -gdb unix:PATH,…"""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(str(path))

    def ask(self, command):
        """The answer's packet: $text#checksum."""
        packet = command.encode()
        self.socket.sendall(b"$%s#%02x" % (packet, sum(packet) & 0xFF))
        answer = b""
        while not (found := re.search(rb"\$(.*)#..", answer, re.DOTALL)):
            answer += self.socket.recv(65536)
        self.socket.sendall(b"+")
        return found[1].decode()

    def system_register(self, name, cpu):
        """Its number is in a description that comes in parts."""
        text, more = "", "m"
        while more == "m":
            part = self.ask(f"qXfer:features:read:system-registers.xml:{len(text):x},800")
            more, text = part[0], text + part[1:]
        number = int(re.search(rf'name="{name}"[^>]* regnum="(\d+)"', text)[1])
        assert self.ask(f"Hg{cpu + 1:x}") == "OK"
        return int.from_bytes(bytes.fromhex(self.ask(f"p{number:x}")), "little")
