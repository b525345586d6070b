"""Start slow preparations early when the command will change files of a format that has some.

lief checks the layout of every changed image. Its import takes longer than all others together and runs in a separate
process; if the command line names an image, that process starts before this one loads its own modules.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from signer.formats.table import FormatRow

_CHANGING = ("attach", "package", "sign", "strip", "timestamp")
_HEAD_SIZE = 4096
_DESCRIPTORS = (Path("/dev"), Path("/dev/fd"))
"""Folders with names of open descriptors, such as /dev/stdin: on some systems, reading here would consume the data."""
_SAYING_HOW = {"-h", "--help", "--detached-request"}


def start(arguments: Sequence[str]) -> None:
    """Start the preparations of each format that the arguments suggest a change to; a wrong guess only wastes time."""
    if not arguments or arguments[0] not in _CHANGING or _SAYING_HOW.intersection(arguments):
        return
    from signer.formats.table import TABLE

    for row in TABLE:
        if row.prepare is not None and any(_leads_to(row, argument) for argument in arguments[1:]):
            row.prepare()


def _leads_to(row: FormatRow, argument: str) -> bool:
    """Tell whether an argument names a file of a format, or a folder that contains a file with such a suffix."""
    path = Path(argument)
    if path.parent in _DESCRIPTORS:
        return False
    try:
        if path.is_dir():
            return any(entry.suffix.lower() in row.suffixes for entry in path.iterdir())
        if not path.is_file():
            return False
        with path.open("rb") as file:
            head = file.read(_HEAD_SIZE)
        return row.matches(lambda offset, size: head[offset : offset + size])
    except (OSError, ValueError):
        return False
