# SPDX-License-Identifier: BSD-2-Clause
"""On which line each key of a TOML file stands.

tomllib tells values, not lines. This scans text that tomllib has accepted already, so it
follows the shape of the file and checks nothing. A path names a place as the parsed value
is indexed:

    [[vm]]                          ("vm", 0)
    ram = [{ base = 0 }]            ("vm", 0, "ram", 0, "base")
      [[vm.device]]                 ("vm", 0, "device", 0)
"""

import bisect
import re
import tomllib

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_SPACE = re.compile(r"[ \t]*")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_SCALAR = re.compile(r"[^,\]}\n#]+")
_STRING = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}'
    r"|'''.*?'{3,5}"
    r'|"(?:\\.|[^"\\\n])*"'
    r"|'[^'\n]*'",
    re.DOTALL,
)


class LineIndex:
    """Lines of `text`, counted from 1, by path."""

    def __init__(self, text):
        self._text = text
        self._at = 0
        self._newlines = [match.start() for match in re.finditer("\n", text)]
        self._lines = {}
        self._elements = {}  # path of an array of tables -> how many so far
        self._scan()

    def line(self, path):
        """The line of `path`, or of the nearest thing around it that the file names."""
        path = tuple(path)
        while path and path not in self._lines:
            path = path[:-1]
        return self._lines.get(path, 1)

    def _scan(self):
        table = ()
        self._skip(_BLANK)
        while self._at < len(self._text):
            if self._text[self._at] == "[":
                table = self._header()
            else:
                self._pair(table)
            self._skip(_BLANK)

    def _skip(self, pattern):
        self._at = pattern.match(self._text, self._at).end()

    def _take(self, character):
        if self._text.startswith(character, self._at):
            self._at += len(character)
            return True
        return False

    def _note(self, path, at):
        self._lines.setdefault(path, bisect.bisect_left(self._newlines, at) + 1)

    def _header(self):
        start = self._at
        array = self._take("[[")
        if not array:
            self._take("[")
        *outer, last = self._key()
        self._take("]]" if array else "]")
        path = (*self._resolve(outer), last)
        self._note(path, start)
        if array:
            number = self._elements.get(path, 0)
            self._elements[path] = number + 1
            path += (number,)
            self._note(path, start)
        return path

    def _resolve(self, keys):
        """The path of a header's keys: the latest element where a key is an array of tables."""
        path = ()
        for key in keys:
            path += (key,)
            if path in self._elements:
                path += (self._elements[path] - 1,)
        return path

    def _key(self):
        keys = []
        while True:
            self._skip(_SPACE)
            quoted = _STRING.match(self._text, self._at)
            if quoted:
                keys.append(tomllib.loads("key = " + quoted.group())["key"])
            match = quoted or _BARE_KEY.match(self._text, self._at)
            if not quoted:
                keys.append(match.group())
            self._at = match.end()
            self._skip(_SPACE)
            if not self._take("."):
                return keys

    def _pair(self, table):
        start = self._at
        path = table
        for key in self._key():
            path += (key,)
            self._note(path, start)
        self._take("=")
        self._skip(_SPACE)
        self._value(path)

    def _value(self, path):
        string = _STRING.match(self._text, self._at)
        if string:
            self._at = string.end()
        elif self._take("["):
            self._items("]", path, self._element)
        elif self._take("{"):
            self._items("}", path, lambda table, _: self._pair(table))
        else:
            self._skip(_SCALAR)

    def _element(self, array, number):
        path = (*array, number)
        self._note(path, self._at)
        self._value(path)

    def _items(self, end, path, item):
        number = 0
        self._skip(_BLANK)
        while not self._take(end):
            item(path, number)
            number += 1
            self._skip(_BLANK)
            self._take(",")
            self._skip(_BLANK)
