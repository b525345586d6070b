"""Look drivers up in the catalogs of a disk. There are thousands; a driver needs the few that list its digest.

Which catalogs may list a digest is found by a scan for everything that has the form of one, an OCTET STRING of 20 or 32
bytes, without parsing. Eight bytes are kept for each: a disk has about a million.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from functools import cached_property, lru_cache
from pathlib import Path

from catalogs.verification.query import load_catalog
from signer.audit.disk import Disk
from signer.errors import SignerError
from signer.storage.files import mapped
from signer.verify.evidence import CatalogLookup

_DIGEST = re.compile(rb"\x04(?=\x14(.{20})|\x20(.{32}))", re.DOTALL)
_BEGINNING, _NUMBER_BITS = 5, 24
"""Number of bytes of a digest and number of bits of the number of its catalog in an entry of the index."""
_MAX_CATALOGS = 8
"""Maximum number of catalogs for one driver: each update of Windows lists it again."""
_PARSED = 16
"""Number of parsed catalogs that are kept: the drivers of a folder often have the same."""


class CatRoot:
    """The catalogs of a folder, indexed at the first lookup."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find(self, digests: Iterable[bytes]) -> tuple[CatalogLookup, ...]:
        """Return catalogs that list a driver with one of its digests; damaged ones list nothing."""
        wanted = list(digests)
        numbers = sorted({number for digest in wanted for number in self._candidates(digest)})
        found: list[CatalogLookup] = []
        for number in numbers:
            catalog = _parsed(self._paths[number])
            if catalog is not None and any(map(catalog.contains, wanted)):
                found.append(catalog)
            if len(found) == _MAX_CATALOGS:
                break
        return tuple(found)

    @cached_property
    def _paths(self) -> list[Path]:
        found = self._folder.iterdir() if self._folder.is_dir() else []
        return sorted(path for path in found if path.suffix.lower() == ".cat")

    @cached_property
    def _index(self) -> array[int]:
        """The beginning of each digest with the number of its catalog behind it, in ascending order."""
        found = array("Q")
        for number, path in enumerate(self._paths):
            found.extend(beginning << _NUMBER_BITS | number for beginning in _beginnings(path))
        return array("Q", sorted(found))

    def _candidates(self, digest: bytes) -> Iterator[int]:
        """Yield the numbers of the catalogs with a digest that begins like this one."""
        wanted = _beginning(digest)
        for at in range(bisect_left(self._index, wanted << _NUMBER_BITS), len(self._index)):
            beginning, number = divmod(self._index[at], 1 << _NUMBER_BITS)
            if beginning != wanted:
                return
            yield number


@lru_cache(maxsize=4)
def catalogs_of(disk: Disk) -> CatRoot | None:
    """Return the catalogs of a disk; None for one without."""
    return CatRoot(disk.catalogs) if disk.catalogs is not None else None


def _beginnings(path: Path) -> set[int]:
    """Return the beginnings of what may be digests in a catalog; nothing for one that can't be read."""
    try:
        with mapped(path) as data:
            return {_beginning(short or long) for short, long in _DIGEST.findall(data)}
    except SignerError:
        return set()


def _beginning(digest: bytes) -> int:
    return int.from_bytes(digest[:_BEGINNING], "big")


@lru_cache(maxsize=_PARSED)
def _parsed(path: Path) -> CatalogLookup | None:
    try:
        return load_catalog(path)
    except SignerError:
        return None
