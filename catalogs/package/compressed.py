"""Individually compressed package files, such as driver.sy_ for driver.sys, which Windows decompresses on installation.

Sources: "SetupDecompressOrCopyFile" (Win32 documentation), and a real catalog of 159 such files: its members have the
names of the installed files and the digests of the decompressed content.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from signer.cab.szdd import expand, is_szdd
from signer.errors import MalformedInput, SignerError
from signer.formats.detect import detect
from signer.formats.table import CABINET
from signer.storage.files import mapped
from signer.storage.staging import Opener

_MAX_EXTENSION = 3


def compressed_name(name: str) -> str:
    """Return the name of the compressed file: driver.sy_ for driver.sys, read.me_ for read.me."""
    stem, dot, extension = name.rpartition(".")
    if not dot:
        return f"{name}._"
    kept = extension if len(extension) < _MAX_EXTENSION else extension[:-1]
    return f"{stem}.{kept}_"


@contextlib.contextmanager
def open_decompressed(path: Path, compressed: bool = False, opened: Opener = mapped) -> Iterator[memoryview]:
    """Open the bytes that Windows installs, as a context manager. Raises FileError and MalformedInput."""
    with opened(path) as data:
        if not compressed:
            yield data
            return
        try:
            content = decompressed(data)
        except SignerError as error:
            raise error.at(path) from error
    yield memoryview(content)


def decompressed(data: memoryview) -> bytes | memoryview:
    """Decompress a file; data in another format is returned unchanged. Raises MalformedInput."""
    if is_szdd(data):
        return expand(data)
    if detect(data) is not CABINET:
        return bytes(data)
    from signer.cab.read import Listing

    files = list(Listing.parse(data).contents())
    if len(files) != 1:
        raise MalformedInput(
            f"the cabinet of a compressed file contains {len(files)} files instead of one",
            hint="Compress each file into its own cabinet, or package it uncompressed.",
        )
    return files[0][1]
