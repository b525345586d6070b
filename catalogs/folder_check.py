"""Compare a catalog with the files of a folder: what it lists, and what is there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

from catalogs.build import hash_path
from catalogs.catalog.file import Catalog
from catalogs.catalog.members import CatalogMember, HashedFile
from catalogs.inf.driver import DriverInf
from catalogs.package.compressed import compressed_name
from signer.errors import InfError, MalformedInput, SignerError, unexpected_as_internal
from signer.records import dataclass

State = Literal["listed", "changed", "stale", "missing", "unlisted", "extra", "added", "unreadable"]


@dataclass(frozen=True, slots=True)
class FileState:
    """State of a file compared with a catalog."""

    name: str
    state: State
    path: Path | None = None
    reason: str | None = None


def check_folder(catalog: Catalog, files: Sequence[Path], path: Path | None = None) -> Iterator[FileState]:
    """Compare files with a catalog, and yield the state of each file and of each entry without a file.

    `listed`: the catalog has the file's digest. `changed`: it has another digest for the file name. `stale`: changed,
    and the file is newer than the catalog. `unlisted`: an INF that names the catalog, and that is not in it. `extra`:
    another file whose name and digest the catalog lacks. `missing`: an entry without a file; entries without a file
    name are compared by digest. `unreadable`: the file can't be hashed. `path` is the path of the catalog.
    """
    check = _Check(catalog, path)
    for file in files:
        yield check.state_of(file)
    yield from check.missing(files)


def find(catalog: Catalog, hashed: HashedFile) -> CatalogMember | None:
    """Return the member with a digest of the file, or None."""
    members = (catalog.find(digest) for digest in hashed.digests.values())
    return next((member for member in members if member is not None), None)


class _Check:
    """One comparison: remembers which names and digests of the catalog were found."""

    def __init__(self, catalog: Catalog, path: Path | None) -> None:
        self._catalog = catalog
        self._path = path
        self._names = {member.file.lower() for member in catalog.members if member.file}
        self._compressed = {compressed_name(name): name for name in self._names}
        self._found: set[str] = set()
        self._digests: set[bytes] = set()

    def state_of(self, path: Path) -> FileState:
        """Return the state of a file."""
        try:
            with unexpected_as_internal():
                member = self._member_of(path)
        except MalformedInput as error:
            return FileState(path.name, "unreadable", path, error.message)
        except SignerError as error:
            return FileState(path.name, "unreadable", path, str(error))
        if member is not None:
            self._found.add((member.file or path.name).lower())
            return FileState(path.name, "listed", path)
        if path.name.lower() in self._names or path.name.lower() in self._compressed:
            return _changed(self._catalog, path)
        if self._names_catalog(path):
            reason = "it names this catalog, which does not list it: Windows answers 0xE000024B"
            return FileState(path.name, "unlisted", path, reason)
        return FileState(path.name, "extra", path)

    def missing(self, files: Sequence[Path]) -> Iterator[FileState]:
        """Yield the names without a file, then the entries without a name whose digest no file has."""
        names = {path.name.lower() for path in files}
        present = names | {self._compressed.get(name, "") for name in names}
        for name in sorted(self._names - self._found - present):
            yield FileState(name, "missing")
        for member in self._catalog.members:
            digest = member.digest or member.tag
            if not member.file and digest not in self._digests:
                reason = "no file has this hash, and the entry has no file name"
                yield FileState(f"{member.digest_algorithm or 'tag'} {digest.hex()}", "missing", None, reason)

    def _member_of(self, path: Path) -> CatalogMember | None:
        """Return the member that lists a file, perhaps decompressed. Raises SignerError."""
        member = self._listed(hash_path(path))
        if member is None and path.name.lower() in self._compressed:
            member = self._listed(hash_path(path, compressed=True))
        return member

    def _listed(self, hashed: HashedFile) -> CatalogMember | None:
        self._digests.update(hashed.digests.values())
        return find(self._catalog, hashed)

    def _names_catalog(self, path: Path) -> bool:
        """Tell whether a file is an INF whose CatalogFile is this catalog, not another one in its folder."""
        if path.suffix.lower() != ".inf":
            return False
        try:
            named = {directive.name.lower() for directive in DriverInf.read(path).version.catalogs()}
        except InfError:
            return False
        own = path.with_name(self._catalog.name)
        is_another = self._path is not None and own.exists() and not own.samefile(self._path)
        return self._catalog.name.lower() in named and not is_another


def _changed(catalog: Catalog, path: Path) -> FileState:
    if path.stat().st_mtime > catalog.this_update.timestamp():
        reason = "changed after the catalog was built: build and sign the catalog again"
        return FileState(path.name, "stale", path, reason)
    return FileState(path.name, "changed", path, "the catalog lists this file name with another digest")
