# SPDX-License-Identifier: BSD-2-Clause
"""Page tables of 4 KiB with four levels, walked from outside: what a CPU may do at each address.

Both architectures' are the same tree; which bits say what is data. A condition is a mask and what
an entry has under it. What a table's own entry forbids is forbidden below it.
"""

from dataclasses import dataclass

PAGE = 4096
TOP_LEVEL = 0
PAGE_LEVEL = 3
TARGET = ((1 << 48) - 1) & -PAGE
ALWAYS, NEVER = (0, 0), (0, 1)


@dataclass(frozen=True)
class Rights:
    """Conditions under which an entry allows it."""

    write: tuple
    execute: tuple
    user: tuple


@dataclass(frozen=True)
class Format:
    present: tuple
    table: tuple  # above the last level, if present
    by_leaf: Rights
    by_table: Rights
    sign: bool  # addresses are extended by the highest bit that is translated


@dataclass(frozen=True)
class Mapping:
    """A page or block."""

    address: int
    target: int
    size: int
    write: bool
    execute: bool
    user: bool


W, U, PS, NX = 1 << 1, 1 << 2, 1 << 7, 1 << 63
X86 = Format(
    present=(1, 1),
    table=(PS, 0),
    by_leaf=Rights(write=(W, W), execute=(NX, 0), user=(U, U)),
    by_table=Rights(write=(W, W), execute=(NX, 0), user=(U, U)),
    sign=True,
)

# Of EL2 alone: Arm ARM D8.3.
TABLE, AP2, XN = 1 << 1, 1 << 7, 1 << 54
AP_TABLE_1, XN_TABLE = 1 << 62, 1 << 60
EL2 = Format(
    present=(1, 1),
    table=(TABLE, TABLE),
    by_leaf=Rights(write=(AP2, 0), execute=(XN, 0), user=NEVER),
    by_table=Rights(write=(AP_TABLE_1, 0), execute=(XN_TABLE, 0), user=ALWAYS),
    sign=False,
)


def _meets(entry, condition):
    mask, value = condition
    return entry & mask == value


def _allowed(entry, rights, above):
    conditions = (rights.write, rights.execute, rights.user)
    return [_meets(entry, one) and before for one, before in zip(conditions, above)]


def _extended(format_, address):
    return address - (1 << 48) & (1 << 64) - 1 if format_.sign and address >> 47 else address


def walk(format_, read, table, level=TOP_LEVEL, base=0, above=(True, True, True)):
    """All mappings below `table`; read(address, count): words of physical memory."""
    size = PAGE << 9 * (PAGE_LEVEL - level)
    for index, entry in enumerate(read(table, PAGE // 8)):
        address = base + index * size
        if not _meets(entry, format_.present):
            continue
        if level < PAGE_LEVEL and _meets(entry, format_.table):
            allowed = _allowed(entry, format_.by_table, above)
            yield from walk(format_, read, entry & TARGET, level + 1, address, allowed)
        else:
            target = entry & TARGET & -size
            allowed = _allowed(entry, format_.by_leaf, above)
            yield Mapping(_extended(format_, address), target, size, *allowed)
