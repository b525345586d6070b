"""Compare the package that the portal returned with the submitted package.

Source: windows-driver-docs dashboard/code-signing-attestation.md, "Validate the driver is properly signed": Microsoft's
signature is appended to the drivers, and a new catalog replaces the submitted one. Drivers are compared by their
digests, which do not cover signatures. Symbols are not returned.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import Literal

from catalogs.catalog.members import hash_file
from catalogs.inf.problems import PackageProblem, Severity
from catalogs.inf.text import decode
from catalogs.package.folder import Folder
from catalogs.submission.portal_signatures import PortalSignatures, catalog_signatures, image_signatures
from signer.algorithms import DigestAlgorithm
from signer.errors import InfError, PackageError
from signer.formats.detect import detect
from signer.formats.table import IMAGE
from signer.records import dataclass
from signer.storage.files import mapped, read

State = Literal["same", "signed", "changed", "missing", "added", "replaced", "kept by Microsoft"]

_NOT_RETURNED = (".pdb",)


@dataclass(frozen=True, slots=True)
class ReturnedFile:
    """A file that was submitted, returned, or both."""

    name: PurePosixPath
    """Path relative to the package folder."""
    state: State
    portal_signatures: PortalSignatures | None = None
    """Its signatures; None for files without embedded signatures."""
    difference: tuple[str, ...] = ()
    """Changes of an INF in the format of `diff -u`."""


@dataclass(frozen=True, slots=True)
class Returned:
    """Result of the comparison."""

    files: tuple[ReturnedFile, ...]
    problems: tuple[PackageProblem, ...]

    @property
    def errors(self) -> tuple[PackageProblem, ...]:
        """Problems with severity ERROR."""
        return tuple(problem for problem in self.problems if problem.severity is Severity.ERROR)


def compare(sent: Path, received: Path) -> Returned:
    """Compare two folders; packages are matched by INF name. Raises PackageError, FileError and MalformedInput."""
    files: list[ReturnedFile] = []
    problems: list[PackageProblem] = []
    for ours, theirs in _pairs(sent, received):
        if theirs is None:
            problems.append(_no_package(ours, sent))
            continue
        found, catalog_problems = catalog_signatures(theirs)
        for file in _files(ours, theirs, found):
            files.append(file)
            problems += _problems(file)
        problems += catalog_problems
    return Returned(tuple(files), tuple(problems))


def _pairs(sent: Path, received: Path) -> Iterator[tuple[Path, Path | None]]:
    """Yield each submitted folder with an INF, and its returned folder or None."""
    candidates = list(Folder(received).infs())
    infs = list(Folder(sent).infs())
    if not infs:
        raise PackageError(
            "no INF in the submitted package", path=sent, hint="Specify the submitted folder or cabinet."
        )
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
    """Count the equal parts at the end of two paths, ignoring case."""
    pairs = zip(reversed(tuple(first)), reversed(tuple(second)), strict=False)
    count = 0
    for one, other in pairs:
        if one.lower() != other.lower():
            break
        count += 1
    return count


def _files(ours: Path, theirs: Path, catalogs: dict[Path, PortalSignatures]) -> Iterator[ReturnedFile]:
    """Yield the files of a package: the submitted ones, then the others."""
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
            return ReturnedFile(name, state, image_signatures(second, name.name) if detect(second) is IMAGE else None)
        if first == second:
            return ReturnedFile(name, "same")
    return ReturnedFile(name, "changed", difference=_difference(name, ours, theirs) if kind == ".inf" else ())


def _difference(name: PurePosixPath, ours: Path, theirs: Path) -> tuple[str, ...]:
    try:
        before, after = (decode(read(path)).text.splitlines() for path in (ours, theirs))
    except InfError:
        return ()
    lines = difflib.unified_diff(before, after, f"sent/{name}", f"received/{name}", lineterm="", n=1)
    return tuple(lines) or ("(only newlines or encoding differ)",)


def _problems(file: ReturnedFile) -> Iterator[PackageProblem]:
    """Yield the problems of one file."""
    kind = file.name.suffix.lower()
    if file.state == "missing" and kind != ".cat":
        yield PackageProblem(
            "not-returned", "the file was not returned", file.name, hint="Check the submission's log on the portal."
        )
    elif file.state == "changed" and kind == ".inf":
        yield PackageProblem(
            "inf-changed",
            "the INF differs from the submitted one",
            file.name,
            hint="Review the changes: Windows installs the returned INF.",
            severity=Severity.WARNING,
        )
    elif file.state == "changed":
        yield PackageProblem(
            "changed",
            "the file differs from the submitted one in more than its signatures",
            file.name,
            hint="Compare with the build that was submitted.",
        )
    elif file.state == "same" and kind == ".cat":
        yield PackageProblem(
            "catalog-not-replaced",
            "the catalog is the submitted one: the portal did not replace it",
            file.name,
            hint="Download the package again.",
        )
    if kind == ".sys" and file.state in ("same", "signed", "changed") and file.portal_signatures is not None:
        yield from file.portal_signatures.problems(file.name)


def _no_package(folder: Path, sent: Path) -> PackageProblem:
    name = folder.relative_to(sent) if folder != sent else Path(folder.resolve().name)
    return PackageProblem(
        "package-not-returned",
        "no returned folder contains the INF of this package",
        PurePosixPath(name.as_posix()),
        hint="Check the submission's log on the portal.",
    )
