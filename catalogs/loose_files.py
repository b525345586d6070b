"""Catalogs of loose files and folder trees, as New-FileCatalog of PowerShell makes and Test-FileCatalog checks them.

A member has the attribute FilePath, its path below the folder with backslashes, in place of File and OSAttr. A file
without content can't be hashed: it is an attribute FilePath of the catalog. Scripts are hashed as all other files
without a format of their own, by all of their bytes. Sources: PowerShell/PowerShell,
src/System.Management.Automation/security/CatalogHelper.cs, and the digests that its FileCatalog.Tests.ps1 expects
(those of .psd1 and .psm1 match the whole files of commit 45791aa0).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from catalogs.build import CatalogOptions, assemble, hash_path
from catalogs.catalog.file import Catalog
from catalogs.catalog.members import MEMBER_FLAGS, SHA1, SHA256, content_algorithm, subjects
from catalogs.catalog.trust_list import NameValue, TrustedSubject
from catalogs.folder_check import FileState
from signer.errors import FileError, MalformedInput, SignerError, UsageError, unexpected_as_internal
from signer.records import dataclass
from signer.storage.files import exists, file_error
from signer.storage.folders import walk

FILE_PATH = "FilePath"
DEFAULT_NAME = "catalog.cat"
"""The name of a catalog if none is given, as of New-FileCatalog."""

_Entries = list[TrustedSubject]
Each = Callable[[Callable[["LooseFile"], _Entries], Sequence["LooseFile"]], Iterable[_Entries]]
"""A function like `map` that processes files, perhaps in processes and with a progress bar."""


@dataclass(frozen=True, slots=True)
class LooseFile:
    """A file of the catalog."""

    path: Path
    name: str
    """Its FilePath: the path below the folder that was named, with backslashes, or the file name."""

    @property
    def is_empty(self) -> bool:
        """Tell whether the file has no content. Raises FileError."""
        try:
            return self.path.stat().st_size == 0
        except OSError as error:
            raise file_error(error, self.path, "read the file") from error


def loose_files(paths: Iterable[Path], catalog: Path | None = None) -> list[LooseFile]:
    """Return all files in folders and their subfolders, hidden ones too, and the files that were named.

    The file of the catalog itself is left out. Raises FileError, and UsageError for files with the same FilePath,
    which Windows could not tell apart.
    """
    own = os.path.realpath(catalog) if catalog is not None else None
    found: dict[str, LooseFile] = {}
    for root in paths:
        for path in walk(root, hidden=True) if root.is_dir() else (root,):
            if os.path.realpath(path) == own:
                continue
            file = LooseFile(path, _windows_path(path, root))
            other = found.setdefault(file.name.lower(), file)
            if other is not file:
                hint = "Name a folder that contains both, or make a catalog for each."
                raise UsageError(f"{other.path} and {path} have the same path in the catalog: {file.name}", hint=hint)
    return list(found.values())


def files_to_list(paths: Sequence[Path], catalog: Path) -> list[LooseFile]:
    """Return the files for a catalog. Raises FileError for a missing path, UsageError without files."""
    for path in paths:
        if not exists(path):
            raise FileError("file or folder not found", path=path, hint="Check the path.")
    found = loose_files(paths, catalog)
    if not found:
        folder = next(iter(paths), None)
        raise UsageError("there are no files to list", path=folder, hint="Name files, or a folder with files.")
    return found


def build_loose(files: Sequence[LooseFile], options: CatalogOptions, name: str, *, each: Each = map) -> Catalog:
    """Build the unsigned catalog of files, by default version 2. Raises SignerError with the path of a file."""
    version = options.version or 2
    paged = content_algorithm(version) if options.page_hashes else None
    empty = [NameValue(FILE_PATH, MEMBER_FLAGS, file.name) for file in files if file.is_empty]

    def entries(file: LooseFile) -> _Entries:
        hashed = hash_path(file.path, page_hashes=paged)
        return subjects(hashed, [NameValue(FILE_PATH, MEMBER_FLAGS, file.name)], version)

    made = each(entries, [file for file in files if not file.is_empty])
    return assemble((entry for some in made for entry in some), empty, options, name)


def lists_paths(catalog: Catalog) -> bool:
    """Tell whether a catalog lists files by FilePath."""
    return bool(_listed(catalog))


def check_loose(catalog: Catalog, files: Iterable[LooseFile], skipped: Collection[str] = ()) -> Iterator[FileState]:
    """Compare files with a catalog by path, as Test-FileCatalog does, and yield the state of each.

    `listed`: the catalog has the file's path and digest. `changed`: another digest. `missing`: a path without a file.
    `added`: a file that the catalog lacks, which Test-FileCatalog rejects. `unreadable`: the file can't be hashed.
    Files whose name matches one of the patterns `skipped` are not compared.
    """
    listed = _listed(catalog)
    algorithm = SHA1 if catalog.version == 1 else SHA256
    for file in files:
        if _matches(file.name, skipped):
            continue
        expected = listed.pop(file.name.lower(), None)
        if expected is None:
            yield FileState(file.name, "added", file.path, "the catalog does not list it")
            continue
        try:
            with unexpected_as_internal():
                digest = b"" if file.is_empty else hash_path(file.path).digests[algorithm]
        except MalformedInput as error:
            yield FileState(file.name, "unreadable", file.path, error.message)
        except SignerError as error:
            yield FileState(file.name, "unreadable", file.path, str(error))
        else:
            if digest == expected[1]:
                yield FileState(file.name, "listed", file.path)
            else:
                yield FileState(file.name, "changed", file.path, "the catalog lists this path with another digest")
    yield from (FileState(name, "missing") for name, _ in listed.values() if not _matches(name, skipped))


def _listed(catalog: Catalog) -> dict[str, tuple[str, bytes]]:
    """Return the paths that a catalog lists, by their lower-case form, each with its digest; empty for an empty file.

    Of a version 2 catalog, the SHA-256 entries count.
    """
    empty = [(value, b"") for name, value in catalog.attributes if name.lower() == FILE_PATH.lower()]
    skipped = SHA1 if catalog.version == 2 else None
    members = (member for member in catalog.members if member.digest_algorithm is not skipped or skipped is None)
    named = ((member.attribute(FILE_PATH), member.digest or member.tag) for member in members)
    return {path.lower(): (path, digest) for path, digest in (*empty, *named) if path}


def _windows_path(path: Path, root: Path) -> str:
    """Return the FilePath of a file. Raises FileError for a name that Windows does not allow in a path."""
    parts = path.relative_to(root).parts if path != root else (path.name,)
    if any("\\" in part for part in parts):
        raise FileError("Windows reads the backslash in this name as a folder", path=path, hint="Rename the file.")
    return "\\".join(parts)


def _matches(name: str, patterns: Collection[str]) -> bool:
    """Tell whether a file name matches a pattern; case is ignored."""
    own = name.rpartition("\\")[2].lower()
    return any(fnmatchcase(own, pattern.lower()) for pattern in patterns)
