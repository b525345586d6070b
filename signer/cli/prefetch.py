"""A head start for what takes longest: lief, which has an opinion on every image that is changed.

It takes longer to import than all else together, and does so in a process of its own; where the call names an image,
that begins before this process loads its own modules.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

_CHANGING = ("attach", "package", "sign", "strip", "timestamp")
_HEAD_SIZE = 4096
_SAYING_HOW = {"-h", "--help", "--detached-request"}


def start(arguments: Sequence[str]) -> None:
    """Have lief imported if the arguments of a call look as if it will be asked; being wrong costs only its time."""
    changing = bool(arguments) and arguments[0] in _CHANGING and not _SAYING_HOW.intersection(arguments)
    if changing and any(map(_leads_to_images, arguments[1:])):
        from signer.formats.table import IMAGE

        IMAGE.prepare()


def _leads_to_images(argument: str) -> bool:
    """Whether a word names an image, or a folder with one that is called like an image."""
    from signer.formats.table import IMAGE

    path = Path(argument)
    if path.is_relative_to("/dev"):  # /dev/stdin and /dev/fd: on some systems what is read here is gone for all others
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
