"""Look drivers up in the catalogs of a disk: thousands, of which each driver needs the few that list its digest.

Which catalogs may list a digest is found by a scan for everything that has the form of one, an OCTET STRING of 20 or 32
bytes, without parsing. Twelve bytes are kept for each: a disk has about a million.
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
    def _index(self) -> tuple[array[int], array[int]]:
        """The first eight bytes of each digest in ascending order, and the numbers of their catalogs."""
        beginnings, numbers = array("Q"), array("I")
        for number, path in enumerate(self._paths):
            found = sorted(_beginnings(path))
            beginnings.extend(found)
            numbers.extend([number] * len(found))
        order = sorted(range(len(beginnings)), key=beginnings.__getitem__)
        return array("Q", (beginnings[at] for at in order)), array("I", (numbers[at] for at in order))

    def _candidates(self, digest: bytes) -> Iterator[int]:
        """Yield the numbers of the catalogs with a digest that begins like this one."""
        beginnings, numbers = self._index
        wanted = int.from_bytes(digest[:8], "big")
        at = bisect_left(beginnings, wanted)
        while at < len(beginnings) and beginnings[at] == wanted:
            yield numbers[at]
            at += 1


@lru_cache(maxsize=4)
def catalogs_of(disk: Disk) -> CatRoot | None:
    """Return the catalogs of a disk; None for one without."""
    return CatRoot(disk.catalogs) if disk.catalogs is not None else None


def _beginnings(path: Path) -> set[int]:
    """Return the beginnings of what may be digests in a catalog; nothing for one that can't be read."""
    try:
        with mapped(path) as data:
            return {int.from_bytes((one[1] or one[2])[:8], "big") for one in _DIGEST.finditer(data)}
    except SignerError:
        return set()


@lru_cache(maxsize=_PARSED)
def _parsed(path: Path) -> CatalogLookup | None:
    try:
        return load_catalog(path)
    except SignerError:
        return None
