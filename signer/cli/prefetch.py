"""Start importing lief early when the command will change images.

lief checks the layout of every changed image. Its import takes longer than all others together and runs in a separate
process; if the command line names an image, that process starts before this one loads its own modules.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

_CHANGING = ("attach", "package", "sign", "strip", "timestamp")
_HEAD_SIZE = 4096
_SAYING_HOW = {"-h", "--help", "--detached-request"}


def start(arguments: Sequence[str]) -> None:
    """Start the import of lief if the arguments suggest a change to an image; a wrong guess only wastes time."""
    changing = bool(arguments) and arguments[0] in _CHANGING and not _SAYING_HOW.intersection(arguments)
    if changing and any(map(_leads_to_images, arguments[1:])):
        from signer.formats.table import IMAGE

        IMAGE.prepare()


def _leads_to_images(argument: str) -> bool:
    """Tell whether an argument names an image, or a folder that contains a file with an image's suffix."""
    from signer.formats.table import IMAGE

    path = Path(argument)
    if path.is_relative_to("/dev"):  # /dev/stdin and /dev/fd: reading here would consume the data on some systems
        return False
    try:
        if path.is_dir():
            return any(entry.suffix.lower() in IMAGE.suffixes for entry in path.iterdir())
        if not path.is_file():
            return False
        with path.open("rb") as file:
            head = file.read(_HEAD_SIZE)
        return IMAGE.matches(lambda offset, size: head[offset : offset + size])
    except (OSError, ValueError):
        return False
