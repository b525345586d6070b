"""Make a submission of the files that a directive file of makecab (.ddf) names, checked like a cabinet of them."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from catalogs.inf.problems import PackageProblem
from catalogs.submission.cabinet import without_folder
from catalogs.submission.ddf import DirectiveFile, Directives
from catalogs.submission.names import check_names, parts_of
from catalogs.submission.package import Submission, SubmittedFile, SubmittedPackage, read_package, submission_of
from signer.storage.files import ensure_folder, read, temporary_folder, write_atomically


def submission_from(directives: Directives, today: datetime.date | None = None) -> Submission:
    """Read the files in the folders of the cabinet, and check these as `read_submission` does. Raises FileError.

    Every file is submitted, in the order of the .ddf, whether or not an INF names it.
    """
    problems = list(check_names(file.name for file in directives.files))
    with temporary_folder() as folder:
        _lay_out(directives.files, folder)
        tops = sorted(path for path in folder.iterdir() if path.is_dir())
        packages = [_package(directives, read_package(top, today, is_complete=True)) for top in tops]
        content = submission_of(packages) if packages else Submission((), ())
        found = [without_folder(problem, folder) for problem in content.problems]
    known = {(problem.code, problem.path) for problem in problems}
    problems += (problem for problem in found if (problem.code, problem.path) not in known)
    return Submission(content.packages, tuple(_unique(problems)))


def _lay_out(files: Sequence[DirectiveFile], folder: Path) -> None:
    """Copy the files to their places in the cabinet; those whose name leads outside of it are skipped."""
    spelled: dict[tuple[str, ...], Path] = {(): folder}
    for file in files:
        parts = parts_of(file.name)
        if parts is None or len(parts) == 1:
            continue
        for number, part in enumerate(parts, 1):
            key = tuple(one.lower() for one in parts[:number])
            spelled.setdefault(key, spelled[key[:-1]] / part)
        target = spelled[tuple(part.lower() for part in parts)]
        ensure_folder(target.parent)
        write_atomically(target, read(file.path))


def _package(directives: Directives, package: SubmittedPackage) -> SubmittedPackage:
    """Return the package with the files of the .ddf."""
    own = package.name.lower()
    files = (file for file in directives.files if file.name.replace("/", "\\").partition("\\")[0].lower() == own)
    submitted = tuple(SubmittedFile(file.name.replace("/", "\\"), file.path) for file in files)
    return replace(package, path=directives.source.parent, files=submitted)


def _unique(problems: Sequence[PackageProblem]) -> Iterator[PackageProblem]:
    yield from dict.fromkeys(problems)
