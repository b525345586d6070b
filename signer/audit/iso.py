"""Read the driver files of ISO images with pycdlib: UDF, Joliet, Rock Ridge or plain ISO 9660, whichever names most."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path, PurePosixPath
from typing import Any

from signer.audit.archive_limits import Member, bounded, is_wanted
from signer.errors import FileError, MalformedInput

_CHUNK = 1 << 20
_DAMAGED = (ValueError, LookupError, OverflowError, struct.error)
"""What pycdlib raises for damaged images, besides its own exceptions."""


def iso_members(path: Path) -> Iterator[Member]:
    """Yield the driver files of an image. Raises FileError without the library, and MalformedInput."""
    try:
        import pycdlib
        from pycdlib.pycdlibexception import PyCdlibException
    except ImportError as error:
        hint = "Run: pip install 'drvsign[archives]'. Or copy the files of the image into a folder."
        raise FileError("reading an ISO image requires the library pycdlib", hint=hint) from error
    image = pycdlib.PyCdlib()
    try:
        image.open(str(path))
        with closing(image):
            yield from bounded(_members(image), path)
    except (PyCdlibException, *_DAMAGED) as error:
        raise _damaged(error) from error


def _members(image: Any) -> Iterator[Member]:
    names = _names(image)
    for folder, _, files in image.walk(**{names: "/"}):
        for name in sorted(files):
            path = PurePosixPath(folder, name)
            shown = str(path.relative_to("/")).partition(";")[0]
            if is_wanted(shown):
                with image.open_file_from_iso(**{names: str(path)}) as file:
                    yield Member(shown, file.length(), _pieces(file))


def _pieces(file: Any) -> Iterator[bytes]:
    from pycdlib.pycdlibexception import PyCdlibException

    try:
        while piece := file.read(_CHUNK):
            yield piece
    except (PyCdlibException, *_DAMAGED) as error:
        raise _damaged(error) from error


def _damaged(error: Exception) -> MalformedInput:
    return MalformedInput(f"the ISO image is damaged: {error}", hint="Copy its files into a folder.")


def _names(image: Any) -> str:
    """Return the keyword of pycdlib for the names of the image: those of the newest file system that it has."""
    if image.has_udf():
        return "udf_path"
    if image.has_joliet():
        return "joliet_path"
    return "rr_path" if image.has_rock_ridge() else "iso_path"
