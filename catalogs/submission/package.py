"""The packages of a submission: their folders and files, and the portal's rules for them.

Source: windows-driver-docs dashboard/code-signing-attestation.md: each driver folder supports the same set of
architectures; drivers, INFs and symbols are included; catalogs only verify the company and are replaced.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath

from catalogs.inf import rules
from catalogs.inf.driver import DriverInf
from catalogs.inf.problems import PackageProblem, Severity
from catalogs.package.driver_package import Survey, survey_packages
from catalogs.package.folder import Folder
from catalogs.submission.names import check_names
from signer.errors import InfError, PackageError
from signer.records import dataclass
from signer.storage.folders import require_folder


@dataclass(frozen=True, slots=True)
class SubmittedFile:
    """A file to submit."""

    name: str
    """Name in the cabinet: starts with the package's folder; `\\` separates folders."""
    path: Path


@dataclass(frozen=True, slots=True)
class SubmittedPackage:
    """A folder of the cabinet."""

    name: str
    path: Path
    files: tuple[SubmittedFile, ...]
    """INFs, then the files that they name, catalogs and symbols."""
    left_out: tuple[Path, ...]
    """Files of the folder that are not submitted because no INF names them."""
    architectures: frozenset[str]
    """Architectures, by their INF decorations: `x86`, `amd64`, `arm64`."""
    problems: tuple[PackageProblem, ...]


@dataclass(frozen=True, slots=True)
class Submission:
    """The packages of one cabinet."""

    packages: tuple[SubmittedPackage, ...]
    problems: tuple[PackageProblem, ...]
    """All problems, including those of the packages."""

    @property
    def errors(self) -> tuple[PackageProblem, ...]:
        """Problems for which the portal would reject the submission."""
        return tuple(problem for problem in self.problems if problem.severity is Severity.ERROR)

    @property
    def files(self) -> tuple[SubmittedFile, ...]:
        """The files of all packages."""
        return tuple(file for package in self.packages for file in package.files)


def read_submission(folders: Iterable[Path], *, today: datetime.date | None = None) -> Submission:
    """Read a submission: each folder with an INF is a package, otherwise each of its subfolders with an INF.

    Raises FileError for a missing folder, and PackageError for a folder without an INF.
    """
    return submission_of([read_package(path, today) for folder in folders for path in _packages_in(folder)])


def submission_of(packages: Sequence[SubmittedPackage]) -> Submission:
    """Combine packages into a submission, and check them together."""
    problems = [problem for package in packages for problem in package.problems]
    problems += check_names(file.name for package in packages for file in package.files)
    problems += _check_folders(packages)
    return Submission(tuple(packages), tuple(problems))


def read_package(path: Path, today: datetime.date | None = None, *, is_complete: bool = False) -> SubmittedPackage:
    """Read a folder as a package, even without an INF. Raises FileError.

    `is_complete` says that the folder is one of a cabinet: no file is left out.
    """
    name, folder, survey = path.resolve().name, Folder(path), survey_packages(path, today=today)
    present = list(folder.files())
    infs = [file for file in present if file.suffix.lower() == ".inf"]
    named = [file.path for package in survey.packages for file in package.files]
    catalogs = {package.catalog.name.lower() for package in survey.packages}
    others = [file for file in present if file.suffix.lower() == ".pdb" or file.name.lower() in catalogs]
    sent = list(dict.fromkeys([*infs, *named, *others]))
    unnamed = [file for file in present if file not in set(sent)]
    left_out = () if is_complete else tuple(unnamed)
    problems = [
        *_inf_problems(infs, survey),
        *_check_infs(infs, path),
        *_check_catalogs(survey, present),
        *_check_symbols(sent),
    ]
    problems += (_not_in_inf(file, is_sent=is_complete) for file in unnamed)
    sent += unnamed if is_complete else []
    files = tuple(SubmittedFile("\\".join((name, *file.relative_to(path).parts)), file) for file in sent)
    decorations = frozenset(os.architecture for package in survey.packages for os in package.os)
    return SubmittedPackage(name, path, files, left_out, decorations, tuple(problems))


def _packages_in(folder: Path) -> list[Path]:
    require_folder(folder, hint="Specify the folder of a driver package.")
    infs = list(Folder(folder).infs())
    if not infs:
        raise PackageError("no INF in the folder", path=folder, hint="Specify the folder of a driver package.")
    if any(path.parent == folder for path in infs):
        return [folder]
    return list(dict.fromkeys(folder / path.relative_to(folder).parts[0] for path in infs))


def _check_folders(packages: Sequence[SubmittedPackage]) -> Iterator[PackageProblem]:
    """Check the folders of a submission together."""
    first = packages[0]
    seen: dict[str, SubmittedPackage] = {}
    for package in packages:
        other = seen.setdefault(package.name.lower(), package)
        if other is not package:
            yield PackageProblem(
                "folder-twice",
                f"two packages have the folder name {package.name}: {other.path} and {package.path}",
                PurePosixPath(package.name),
                hint="Rename one of the folders.",
            )
        if package.architectures and first.architectures and package.architectures != first.architectures:
            yield PackageProblem(
                "architectures-differ",
                f"the package is for {_join_names(package.architectures)}, but {first.name} is for "
                f"{_join_names(first.architectures)}: all folders of a cabinet must support the same architectures",
                PurePosixPath(package.name),
                hint="Build a separate submission for each set of architectures.",
            )
        if str(package.path).startswith(("\\\\", "//")):
            yield PackageProblem(
                "unc-path",
                "the folder is on a network share without a drive letter",
                package.path,
                hint="Map the share to a drive letter, or copy the folder.",
            )


def _join_names(architectures: frozenset[str]) -> str:
    return " and ".join(sorted(architectures))


def _inf_problems(infs: Sequence[Path], survey: Survey) -> list[PackageProblem]:
    """Return the problems of Inf2Cat and InfVerif: the portal requires an INF without errors of either.

    Source: windows-driver-docs devtest/inf-validation-errors-and-warnings.md, "Handling Errors".
    """
    found = list(survey.problems) if infs else []
    for inf in infs:
        try:
            found += rules.check(DriverInf.read(inf), rules.PORTAL)
        except InfError:
            continue  # the survey reported it
    return list(dict.fromkeys(found))


def _check_infs(infs: Sequence[Path], folder: Path) -> Iterator[PackageProblem]:
    """Check that the folder contains exactly one package."""
    if not infs:
        yield PackageProblem(
            "no-inf",
            f"No .inf files found in driver directory/directories: {folder.name}",
            folder,
            hint="Put the package's INF into the folder, or remove the folder.",
        )
    folders = dict.fromkeys(inf.parent for inf in infs)
    if len(folders) > 1:
        yield PackageProblem(
            "several-packages",
            f"the INFs are in {len(folders)} subfolders, but each package must be in its own folder",
            folder,
            hint="Put each package into its own folder in the root of the cabinet.",
        )
    elif len(infs) > 1:
        yield PackageProblem(
            "several-infs",
            f"the folder contains {len(infs)} INFs: {', '.join(inf.name for inf in infs)}",
            folder,
            hint="Put each package into its own folder, unless the INFs share a catalog.",
            severity=Severity.WARNING,
        )


def _check_catalogs(survey: Survey, present: Sequence[Path]) -> Iterator[PackageProblem]:
    names = {file.name.lower() for file in present}
    for package in survey.packages:
        if package.catalog_name.lower() not in names:
            yield PackageProblem(
                "catalog-missing",
                f"{package.catalog_name} is missing: Microsoft's documentation requires it to verify the company, "
                "but its examples omit it",
                package.inf,
                hint="Build it with drvsign package. The portal replaces it.",
                severity=Severity.WARNING,
            )


def _check_symbols(sent: Sequence[Path]) -> Iterator[PackageProblem]:
    symbols = {file.stem.lower() for file in sent if file.suffix.lower() == ".pdb"}
    for file in sent:
        if file.suffix.lower() == ".sys" and file.stem.lower() not in symbols:
            yield PackageProblem(
                "symbols-missing",
                f"the symbol file {file.stem}.pdb is missing",
                file,
                hint="Add the .pdb: Microsoft needs it for crash analysis.",
                severity=Severity.WARNING,
            )


def _not_in_inf(file: Path, *, is_sent: bool) -> PackageProblem:
    what = "but the cabinet contains it" if is_sent else "so the cabinet does not contain it"
    return PackageProblem(
        "not-in-inf",
        f"no INF names the file, {what}",
        file,
        hint="Name it in the INF if it belongs to the package.",
        severity=Severity.WARNING,
    )
