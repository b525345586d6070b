"""The packages of a submission: which folders, which of their files are sent, and what the portal would say of them.

Source: windows-driver-docs dashboard/code-signing-attestation.md: each driver folder supports the same set of
architectures; drivers, INFs and symbols go in; catalogs are for the check of the company alone, and are replaced.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from catalogs.inf import rules
from catalogs.inf.driver import DriverInf
from catalogs.inf.problems import Problem, Severity
from catalogs.package.driver_package import Survey, survey_packages
from catalogs.package.folder import Folder
from catalogs.submission.names import check_names
from signer.errors import FileError, InfError, PackageError


@dataclass(frozen=True, slots=True)
class SubmittedFile:
    """A file that is sent."""

    name: str
    """What it is called in the cabinet: its package's folder first, `\\` between folders."""
    path: Path


@dataclass(frozen=True, slots=True)
class SubmittedPackage:
    """A folder of the cabinet."""

    name: str
    path: Path
    files: tuple[SubmittedFile, ...]
    """INFs first, then what they name, catalogs and symbols."""
    left_out: tuple[Path, ...]
    """Files of the folder that no INF names."""
    architectures: frozenset[str]
    """As INFs decorate with them: `x86`, `amd64`, `arm64`."""
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class Submission:
    """What is sent in one cabinet."""

    packages: tuple[SubmittedPackage, ...]
    problems: tuple[Problem, ...]
    """All that is wrong, with the packages' own problems."""

    @property
    def errors(self) -> tuple[Problem, ...]:
        """What the portal would refuse it for."""
        return tuple(problem for problem in self.problems if problem.severity is Severity.ERROR)

    @property
    def files(self) -> tuple[SubmittedFile, ...]:
        """The files of all packages."""
        return tuple(file for package in self.packages for file in package.files)


def read_submission(folders: Iterable[Path], *, today: datetime.date | None = None) -> Submission:
    """The submission that some folders make: each with an INF is a package, or else each below it that has one.

    Raises FileError for what is no folder, PackageError where there is no INF.
    """
    return submission_of([read_package(path, today) for folder in folders for path in _packages_in(folder)])


def submission_of(packages: Sequence[SubmittedPackage]) -> Submission:
    """The submission of some packages, with what is wrong with them beside each other."""
    problems = [problem for package in packages for problem in package.problems]
    problems += check_names(file.name for package in packages for file in package.files)
    problems += _check_folders(packages)
    return Submission(tuple(packages), tuple(problems))


def read_package(path: Path, today: datetime.date | None = None) -> SubmittedPackage:
    """One folder as a package, whether or not there is an INF in it. Raises FileError."""
    name, folder, survey = path.resolve().name, Folder(path), survey_packages(path, today=today)
    there = list(folder.files())
    infs = [file for file in there if file.suffix.lower() == ".inf"]
    named = [file.path for package in survey.packages for file in package.files]
    catalogs = {package.catalog.name.lower() for package in survey.packages}
    others = [file for file in there if file.suffix.lower() == ".pdb" or file.name.lower() in catalogs]
    sent = list(dict.fromkeys([*infs, *named, *others]))
    left_out = tuple(file for file in there if file not in set(sent))
    problems = [
        *_inf_problems(infs, survey),
        *_check_infs(infs, path),
        *_check_catalogs(survey, there),
        *_check_symbols(sent),
    ]
    problems += (_stray(file) for file in left_out)
    files = tuple(SubmittedFile("\\".join((name, *file.relative_to(path).parts)), file) for file in sent)
    decorations = frozenset(os.architecture for package in survey.packages for os in package.os)
    return SubmittedPackage(name, path, files, left_out, decorations, tuple(problems))


def _packages_in(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise FileError("there is no such folder", path=folder, hint="Name the folder of a driver package.")
    infs = list(Folder(folder).infs())
    if not infs:
        raise PackageError("there is no INF in the folder", path=folder, hint="Name the folder of a driver package.")
    if any(path.parent == folder for path in infs):
        return [folder]
    return list(dict.fromkeys(folder / path.relative_to(folder).parts[0] for path in infs))


def _check_folders(packages: Sequence[SubmittedPackage]) -> Iterator[Problem]:
    """What is wrong with the folders beside each other."""
    first = packages[0]
    seen: dict[str, SubmittedPackage] = {}
    for package in packages:
        other = seen.setdefault(package.name.lower(), package)
        if other is not package:
            yield Problem(
                "folder-twice",
                f"two packages have the folder name {package.name}: {other.path} and {package.path}",
                PurePosixPath(package.name),
                hint="Rename one of the folders.",
            )
        if package.architectures and first.architectures and package.architectures != first.architectures:
            yield Problem(
                "architectures-differ",
                f"the package is for {_named(package.architectures)}, and {first.name} for "
                f"{_named(first.architectures)}: all folders of a cabinet must support the same architectures",
                PurePosixPath(package.name),
                hint="Make a submission for each set of architectures.",
            )
        if str(package.path).startswith(("\\\\", "//")):
            yield Problem(
                "unc-path",
                "the folder is on a network share without a drive letter",
                package.path,
                hint="Map the share to a drive letter, or copy the folder.",
            )


def _named(architectures: frozenset[str]) -> str:
    return " and ".join(sorted(architectures))


def _inf_problems(infs: Sequence[Path], survey: Survey) -> list[Problem]:
    """What Inf2Cat and InfVerif say. The portal's tests want an INF without errors of either.

    Source: windows-driver-docs devtest/inf-validation-errors-and-warnings.md, "Handling Errors".
    """
    found = list(survey.problems) if infs else []
    for inf in infs:
        try:
            found += rules.check(DriverInf.read(inf))
        except InfError:
            continue  # the survey has said so
    return list(dict.fromkeys(found))


def _check_infs(infs: Sequence[Path], folder: Path) -> Iterator[Problem]:
    """Whether the folder holds one package."""
    if not infs:
        yield Problem(
            "no-inf",
            f"No .inf files found in driver directory/directories: {folder.name}",
            folder,
            hint="Put the package's INF into the folder, or leave the folder out.",
        )
    places = dict.fromkeys(inf.parent for inf in infs)
    if len(places) > 1:
        yield Problem(
            "several-packages",
            f"the folder holds INFs in {len(places)} folders: each package must be in a folder of its own",
            folder,
            hint="Give each package a folder in the root of the cabinet.",
        )
    elif len(infs) > 1:
        yield Problem(
            "several-infs",
            f"the folder holds {len(infs)} INFs: {', '.join(inf.name for inf in infs)}",
            folder,
            hint="Give each package a folder of its own, unless the INFs share a catalog.",
            severity=Severity.WARNING,
        )


def _check_catalogs(survey: Survey, there: Sequence[Path]) -> Iterator[Problem]:
    names = {file.name.lower() for file in there}
    for package in survey.packages:
        if package.catalog_name.lower() not in names:
            yield Problem(
                "catalog-missing",
                f"there is no {package.catalog_name}: one page asks for it, to check the company, and its own "
                "examples leave it out",
                package.inf,
                hint="Make it with: drvsign package DIR. The portal replaces it.",
                severity=Severity.WARNING,
            )


def _check_symbols(sent: Sequence[Path]) -> Iterator[Problem]:
    symbols = {file.stem.lower() for file in sent if file.suffix.lower() == ".pdb"}
    for file in sent:
        if file.suffix.lower() == ".sys" and file.stem.lower() not in symbols:
            yield Problem(
                "symbols-missing",
                f"there are no symbols for it: {file.stem}.pdb",
                file,
                hint="Add the .pdb: Microsoft's analysis of crashes needs it.",
                severity=Severity.WARNING,
            )


def _stray(file: Path) -> Problem:
    return Problem(
        "not-in-inf",
        "no INF names the file",
        file,
        hint="Name it in the INF if it belongs to the package; drvsign leaves it out of the cabinet.",
        severity=Severity.WARNING,
    )
