"""Start the program that runs lief before all other modules are loaded, when the command will change images.

lief checks the layout of every changed image. Its import takes longer than all others together and runs in a separate
process. The arguments alone decide, because reading files takes modules; an image whose name does not tell waits until
the command knows its files (`signer.cli.signing.prepare_for`).
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from signer.helper_program import LIEF_READER, start_ahead

_CHANGING = ("attach", "package", "sign", "strip", "timestamp")
_SUFFIXES = (".sys", ".dll", ".exe")
"""The suffixes of images in `signer.formats.table`, which takes too long to import here."""
_SAYING_HOW = {"-h", "--help", "--detached-request"}


def start(arguments: Sequence[str]) -> None:
    """Start lief if the arguments suggest a change to an image; a wrong guess only wastes time."""
    if not arguments or arguments[0] not in _CHANGING or _SAYING_HOW.intersection(arguments):
        return
    if any(map(_leads_to_image, arguments[1:])):
        start_ahead(LIEF_READER)


def _leads_to_image(argument: str) -> bool:
    """Tell whether an argument has the name of an image, or names a folder with such a file."""
    if argument.lower().endswith(_SUFFIXES):
        return True
    try:
        with os.scandir(argument) as entries:
            return any(entry.name.lower().endswith(_SUFFIXES) for entry in entries)
    except (OSError, ValueError):
        return False
