"""Numbers and dirids in INF fields."""

from __future__ import annotations

import re

_NUMBER = re.compile(r"0x[0-9a-f]{1,16}|[0-9]{1,20}", re.IGNORECASE)
_DIRID_PATH = re.compile(r'"*%(-?[0-9]{1,5})%(?:\\|$|")')

KNOWN_DIRIDS = frozenset(
    "-1 01 1 10 11 12 13 17 18 20 21 23 24 25 30 50 51 52 53 54 55".split()  # noqa: SIM905
)
"""Dirids of "Using Dirids" (windows-driver-docs, install/using-dirids.md)."""
DEPRECATED_DIRIDS = frozenset(
    "01 1 17 18 20 21 24 25 30 50 53 54 -1 16406 16407 16408 16409 16415 16419 16429 16430".split()  # noqa: SIM905
)
"""Dirids that the page calls deprecated since Windows 11 24H2."""
PRINTER_DIRIDS = frozenset("66000 66001 66002 66003 66004".split())  # noqa: SIM905
"""Dirids of the printer class installer (windows-driver-docs, print/printer-dirids.md)."""
DRIVER_STORE = "13"
_SHELL_FOLDERS = range(16384, 32768)
_SYNONYM_OF_ABSOLUTE = 65535


def number(text: str) -> int | None:
    """Parse a decimal or hexadecimal (0x) number; None if it is not one."""
    if not _NUMBER.fullmatch(text):
        return None
    return int(text, 16 if text[:2].lower() == "0x" else 10)


def flags(text: str) -> int | None:
    """Parse a flags field: 0 if it is empty, None if it is not a number."""
    return number(text) if text else 0


def is_known_dirid(text: str) -> bool:
    """Tell whether Windows defines a dirid."""
    if text in KNOWN_DIRIDS or text in PRINTER_DIRIDS:
        return True
    value = number(text)
    return value is not None and (value in _SHELL_FOLDERS or value == _SYNONYM_OF_ABSOLUTE)


def is_user_dirid(text: str) -> bool:
    """Tell whether a program must define the dirid: 32768 to 65534, and 65536 and above."""
    value = number(text)
    return value is not None and value > _SHELL_FOLDERS[-1] and not is_known_dirid(text)


def dirid_of(path: str) -> str | None:
    r"""Return the dirid at the start of a path such as `%13%\driver.sys`; None if there is none."""
    match = _DIRID_PATH.match(path.strip())
    return match.group(1) if match is not None else None
