"""Read the version in Ntverp.h, which StampInf takes for DriverVer if no other version is given.

The version is that of four macros. The header's other lines, such as the text of a copyright, do not matter.
"""

from __future__ import annotations

import re
from pathlib import Path

from signer.errors import InfError

FILE_NAME = "ntverp.h"
MACROS = ("VER_PRODUCTMAJORVERSION", "VER_PRODUCTMINORVERSION", "VER_PRODUCTBUILD", "VER_PRODUCTBUILD_QFE")
"""The parts of the version, from the first to the last."""

_COMMENT = re.compile(r"/\*(?:[^*]|\*(?!/))*+(?:\*/)?|//[^\n]*")
_DEFINITION = re.compile(r"[ \t]*#[ \t]*define[ \t]+(\w+)[ \t]+(\w+)[ \t]*\r?")
_HINT = "Name the folder with the Ntverp.h of the WDK, or give the version: --driver-version 1.0.0.0"


def version_in(data: bytes, path: Path) -> str:
    """Return the version in a header, such as `10.0.26100.1`. Raises InfError if a macro has no single number."""
    text = _COMMENT.sub(lambda match: "\n" * match.group().count("\n") or " ", data.decode("latin-1"))
    values: dict[str, dict[str, int]] = {}
    for number, line in enumerate(text.split("\n"), 1):
        match = _DEFINITION.fullmatch(line)
        if match is not None:
            values.setdefault(match[1], {}).setdefault(match[2], number)
    return ".".join(str(_number(name, values, path)) for name in MACROS)


def _number(name: str, values: dict[str, dict[str, int]], path: Path) -> int:
    """Return the number of a macro, perhaps through the macro that it names. Raises InfError."""
    found = values.get(name, {})
    if len(found) == 1 and next(iter(found)) in values:
        found = values[next(iter(found))]
    if not found:
        raise InfError(f"the header does not define {name}", path=path, hint=_HINT)
    if len(found) > 1:
        number = max(found.values())
        raise InfError(f"the header defines {name} more than once", path=path, line=number, hint=_HINT)
    text, line = next(iter(found.items()))
    number = int(text, 0) if re.fullmatch(r"0[xX][0-9a-fA-F]{1,8}|0|[1-9][0-9]{0,8}", text) else -1
    if not 0 <= number <= 65535:
        raise InfError(f"{name} is {text}, not a number from 0 to 65535", path=path, line=line, hint=_HINT)
    return number
