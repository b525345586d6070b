"""Rules of the Hardware Dev Center for the names in a cabinet.

Sources: windows-driver-docs dashboard/code-signing-attestation.md (no files in the root, a folder for each package, no
UNC paths) and dashboard/hardware-submission-create.md (folder names of fewer than 40 characters without special ones;
paths of fewer than 160, a rule of the older WLK). No page lists the special characters: here, only ASCII letters,
digits, `-`, `_` and `.` are allowed; a space is a warning.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath

from catalogs.inf.problems import PackageProblem, Severity

MAX_FOLDER_LENGTH = 39
MAX_PATH_LENGTH = 159
MAX_PARTS = 100
"""Maximum number of names in a path. Python creates and deletes folders recursively."""
_MAX_NAME = 255
"""Maximum number of characters in the name of a file or folder of NTFS."""

_SPECIAL = re.compile(r"[^A-Za-z0-9_. -]")
_FORBIDDEN = re.compile(r'[\x00-\x1f<>:"|?*\ud800-\udfff]')
_DEVICE = re.compile(r"(?i)(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?")


def parts_of(name: str) -> tuple[str, ...] | None:
    """Split a name in an archive into folders and file; None if it leads outside or is invalid on Windows."""
    return _split(name) if name_fault(name) is None else None


def name_fault(name: str) -> str | None:
    """Return why a name in an archive leads outside or is invalid on Windows, as a clause; None for a valid name."""
    parts = _split(name)
    if len(parts) > MAX_PARTS:
        return f"its path has {len(parts):,} names; the maximum is {MAX_PARTS}"
    return next(filter(None, map(_part_fault, parts)), None)


def check_names(names: Iterable[str]) -> Iterator[PackageProblem]:
    """Check the names of a cabinet's files (`\\` separates folders); each folder is reported once."""
    seen: dict[str, str] = {}
    folders: dict[str, None] = {}
    for name in names:
        path = PurePosixPath(name.replace("\\", "/"))
        parts = parts_of(name)
        if parts is None:
            yield _unsafe(path)
            continue
        if len(parts) == 1:
            yield _in_root(path)
        else:
            folders[parts[0]] = None
        if len(name) > MAX_PATH_LENGTH:
            yield _too_long(path, len(name))
        other = seen.setdefault(name.replace("/", "\\").lower(), name)
        if other is not name:
            yield _duplicate(path, other)
    for folder in folders:
        yield from check_folder_name(folder)


def check_folder_name(folder: str) -> Iterator[PackageProblem]:
    """Check the name of a package's folder."""
    path = PurePosixPath(folder)
    if len(folder) > MAX_FOLDER_LENGTH:
        yield PackageProblem(
            "folder-name-length",
            f"the folder name has {len(folder)} characters; the maximum is {MAX_FOLDER_LENGTH}",
            path,
            hint="Give the folder a shorter name.",
        )
    special = "".join(dict.fromkeys(_SPECIAL.findall(folder)))
    if special:
        yield PackageProblem(
            "folder-name-characters",
            f"the folder name contains special characters: {special!r}",
            path,
            hint="Use only letters, digits, - and _.",
        )
    if " " in folder:
        yield PackageProblem(
            "folder-name-space",
            "the folder name contains a space; no page says whether that is a special character",
            path,
            hint="Replace the space with - or _.",
            severity=Severity.WARNING,
        )


def _split(name: str) -> tuple[str, ...]:
    return tuple(name.replace("/", "\\").split("\\"))


def _part_fault(part: str) -> str | None:
    if part == "..":
        return "its path leads out of the archive"
    if not part:
        return "its path begins with a separator, or has two in a row"
    if len(part) > _MAX_NAME:
        return f"its path has a name of {len(part):,} characters; the maximum is {_MAX_NAME}"
    if part[-1] in ". ":
        return "its path has a name with a dot or a space at the end, which Windows removes"
    forbidden = _FORBIDDEN.search(part)
    if forbidden:
        return f"its path has the character {forbidden[0]!r}, which is invalid in names on Windows"
    device = _DEVICE.fullmatch(part)
    return f"its path has the name of a device of Windows, {device[1].upper()}" if device else None


def _unsafe(path: PurePosixPath) -> PackageProblem:
    return PackageProblem(
        "name", "the file name is invalid on Windows or leads outside the package", path, hint="Rename the file."
    )


def _in_root(path: PurePosixPath) -> PackageProblem:
    return PackageProblem(
        "root-file",
        "There are files at the root of the cabinet",
        path,
        hint="Put each package, with all of its files, into its own folder.",
    )


def _too_long(path: PurePosixPath, length: int) -> PackageProblem:
    return PackageProblem(
        "path-length",
        f"the path has {length} characters; the maximum is {MAX_PATH_LENGTH}",
        path,
        hint="Use shorter names or fewer folders.",
    )


def _duplicate(path: PurePosixPath, other: str) -> PackageProblem:
    return PackageProblem(
        "name-twice",
        f"the cabinet also contains {other}, which is the same file on Windows",
        path,
        hint="Remove one of them.",
    )
