"""What came back from the portal, held against what was sent.

Source: windows-driver-docs dashboard/code-signing-attestation.md, "Validate the driver is properly signed": Microsoft's
signature is appended to the drivers, and a new catalog takes the place of the one that was sent. Drivers are compared
by their digests, which leave signatures out. Symbols stay with Microsoft.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal

from catalogs.catalog.members import hash_file
from catalogs.inf.problems import Problem, Severity
from catalogs.inf.text import decode
from catalogs.package.folder import Folder
from catalogs.submission.portal_signatures import PortalSignatures, sealed_catalogs, sealed_image
from signer.algorithms import DigestAlgorithm
from signer.errors import InfError, PackageError
from signer.formats.detect import detect
from signer.formats.table import IMAGE
from signer.storage.files import mapped, read

State = Literal["same", "signed", "changed", "missing", "added", "replaced", "kept by Microsoft"]

_NOT_RETURNED = (".pdb",)


@dataclass(frozen=True, slots=True)
class ReturnedFile:
    """A file that was sent, that came back, or both."""

    name: PurePosixPath
    """Below its package's folder."""
    state: State
    sealed: PortalSignatures | None = None
    """Who vouches for it; None for files that can't say."""
    difference: tuple[str, ...] = ()
    """The lines of an INF that changed, as `diff -u` shows them."""


@dataclass(frozen=True, slots=True)
class Returned:
    """What came back."""

    files: tuple[ReturnedFile, ...]
    problems: tuple[Problem, ...]

    @property
    def errors(self) -> tuple[Problem, ...]:
        """What is wrong with it."""
        return tuple(problem for problem in self.problems if problem.severity is Severity.ERROR)


def compare(sent: Path, received: Path) -> Returned:
    """Compare two folders; each package is found again by its INF. Raises PackageError, FileError, MalformedInput."""
    files: list[ReturnedFile] = []
    problems: list[Problem] = []
    for ours, theirs in _pairs(sent, received):
        if theirs is None:
            problems.append(_no_package(ours, sent))
            continue
        found, catalog_problems = sealed_catalogs(theirs)
        for file in _files(ours, theirs, found):
            files.append(file)
            problems += _problems(file)
        problems += catalog_problems
    return Returned(tuple(files), tuple(problems))


def _pairs(sent: Path, received: Path) -> Iterator[tuple[Path, Path | None]]:
    """Each folder that was sent and has an INF, and the folder that came back for it."""
    candidates = list(Folder(received).infs())
    infs = list(Folder(sent).infs())
    if not infs:
        raise PackageError("there is no INF in what was sent", path=sent, hint="Name the folder or cabinet.")
    root = sent.resolve().parent
    seen: set[Path] = set()
    for inf in infs:
        if inf.parent in seen:
            continue
        seen.add(inf.parent)
        named = [path for path in candidates if path.name.lower() == inf.name.lower()]
        wanted = inf.resolve().relative_to(root).parts
        best = max(named, key=lambda path: _common_end(path.relative_to(received).parts, wanted), default=None)
        yield inf.parent, best.parent if best is not None else None


def _common_end(first: Iterable[str], second: Iterable[str]) -> int:
    """How many parts at the end of two paths are the same, whatever the case."""
    pairs = zip(reversed(tuple(first)), reversed(tuple(second)), strict=False)
    count = 0
    for one, other in pairs:
        if one.lower() != other.lower():
            break
        count += 1
    return count


def _files(ours: Path, theirs: Path, catalogs: dict[Path, PortalSignatures]) -> Iterator[ReturnedFile]:
    """The files of a package, sent ones first."""
    returned = Folder(theirs)
    seen: set[Path] = set()
    for path in Folder(ours).files():
        name = path.relative_to(ours)
        other = returned.find(name.parts)
        if other is not None:
            seen.add(other)
        yield _compared(PurePosixPath(name.as_posix()), path, other, catalogs)
    for path in returned.files():
        if path not in seen:
            added = PurePosixPath(path.relative_to(theirs).as_posix())
            yield ReturnedFile(added, "added", catalogs.get(path))


def _compared(
    name: PurePosixPath, ours: Path, theirs: Path | None, catalogs: dict[Path, PortalSignatures]
) -> ReturnedFile:
    kind = name.suffix.lower()
    if theirs is None:
        return ReturnedFile(name, "kept by Microsoft" if kind in _NOT_RETURNED else "missing")
    if kind == ".cat":
        return ReturnedFile(name, "same" if read(ours) == read(theirs) else "replaced", catalogs.get(theirs))
    with mapped(ours) as first, mapped(theirs) as second:
        if detect(first) is IMAGE:
            digests = [hash_file(data).digests[DigestAlgorithm.SHA256] for data in (first, second)]
            same = first == second
            state: State = "changed" if digests[0] != digests[1] else "same" if same else "signed"
            return ReturnedFile(name, state, sealed_image(second, name.name) if detect(second) is IMAGE else None)
        if first == second:
            return ReturnedFile(name, "same")
    return ReturnedFile(name, "changed", difference=_difference(name, ours, theirs) if kind == ".inf" else ())


def _difference(name: PurePosixPath, ours: Path, theirs: Path) -> tuple[str, ...]:
    try:
        before, after = (decode(read(path)).text.splitlines() for path in (ours, theirs))
    except InfError:
        return ()
    lines = difflib.unified_diff(before, after, f"sent/{name}", f"received/{name}", lineterm="", n=1)
    return tuple(lines) or ("(line ends or encoding alone)",)


def _problems(file: ReturnedFile) -> Iterator[Problem]:
    """What is wrong with one file."""
    kind = file.name.suffix.lower()
    if file.state == "missing" and kind != ".cat":
        yield Problem("not-returned", "the file did not come back", file.name, hint="Look into the submission's log.")
    elif file.state == "changed" and kind == ".inf":
        yield Problem(
            "inf-changed",
            "the INF is another one than was sent",
            file.name,
            hint="See what changed: it is what Windows installs.",
            severity=Severity.WARNING,
        )
    elif file.state == "changed":
        yield Problem(
            "changed",
            "the file is another one than was sent, its signatures left out",
            file.name,
            hint="Compare the right build: another submission may have been sent.",
        )
    elif file.state == "same" and kind == ".cat":
        yield Problem("catalog-not-replaced", "the catalog is the one that was sent", file.name, hint="Download again.")
    if kind == ".sys" and file.state in ("same", "signed", "changed") and file.sealed is not None:
        yield from file.sealed.problems(file.name)


def _no_package(folder: Path, sent: Path) -> Problem:
    name = folder.relative_to(sent) if folder != sent else Path(folder.resolve().name)
    return Problem(
        "package-not-returned",
        "no folder that came back has this package's INF",
        PurePosixPath(name.as_posix()),
        hint="Look into the submission's log.",
    )
