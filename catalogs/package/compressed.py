"""Files of a package that are packed one by one: driver.sy_ for driver.sys, which Windows unpacks as it installs it.

Sources: "SetupDecompressOrCopyFile" (Win32 documentation), and a real catalog of 159 such files: it holds what they
unpack to, under the names that they are installed under.
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

_LONGEST_EXTENSION = 3


def packed_name(name: str) -> str:
    """What a file is called where it is packed: driver.sys becomes driver.sy_, read.me read.me_, license license._"""
    stem, dot, extension = name.rpartition(".")
    if not dot:
        return f"{name}._"
    kept = extension if len(extension) < _LONGEST_EXTENSION else extension[:-1]
    return f"{stem}.{kept}_"


@contextlib.contextmanager
def opened(path: Path, packed: bool = False) -> Iterator[memoryview]:
    """The bytes that Windows installs from a file, while the block lasts. Raises FileError and MalformedInput."""
    with mapped(path) as data:
        if not packed:
            yield data
            return
        try:
            contents = unpacked(data)
        except SignerError as error:
            raise error.at(path) from error
    yield memoryview(contents)


def unpacked(data: memoryview) -> bytes:
    """What a packed file holds; one that is not packed, whatever its name, is what it is. Raises MalformedInput."""
    if is_szdd(data):
        return expand(data)
    if detect(data) is not CABINET:
        return bytes(data)
    from signer.cab.read import Listing

    files = list(Listing.parse(data).contents())
    if len(files) != 1:
        raise MalformedInput(
            f"a cabinet of {len(files)} files stands for one", hint="Pack each file by itself, or leave it unpacked."
        )
    return files[0][1]
