"""Build, check and extract the cabinet of a submission, and write equivalent directives for makecab."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path, PurePosixPath

from catalogs.inf.problems import PackageProblem, Severity
from catalogs.submission.names import check_names, parts_of
from catalogs.submission.package import Submission, SubmittedFile, read_package, submission_of
from catalogs.submission.signer import signer_problem
from signer.algorithms import DigestAlgorithm
from signer.cab.read import Listing
from signer.cab.write import NewFile, write
from signer.storage.files import ensure_folder, read, write_pieces
from signer.verify.evidence import Signature
from signer.verify.gather import gather

_DIRECTIVES = (
    ".OPTION EXPLICIT",
    ".Set CabinetFileCountThreshold=0",
    ".Set FolderFileCountThreshold=0",
    ".Set FolderSizeThreshold=0",
    ".Set MaxCabinetSize=0",
    ".Set MaxDiskFileCount=0",
    ".Set MaxDiskSize=0",
    ".Set CompressionType=MSZIP",
    ".Set Cabinet=on",
    ".Set Compress=on",
)


def build(submission: Submission, *, time: datetime | None = None) -> bytes:
    """Build the unsigned cabinet. `time` replaces the time of every file. Raises FileError and SigningError."""
    return write([NewFile(file.name, read(file.path), time or _modified(file.path)) for file in submission.files])


def directives(submission: Submission, cabinet: Path) -> str:
    """Return the .ddf with which `makecab /f`, run in the cabinet's folder, builds the same cabinet.

    Source: dashboard/code-signing-attestation.md, "Create the CAB file".
    """
    lines = [f"; makecab /f {cabinet.stem}.ddf", *_DIRECTIVES, f".Set CabinetNameTemplate={cabinet.name}"]
    for folder, files in groupby(submission.files, _folder_of):
        lines.append(f'.Set DestinationDir="{folder}"' if " " in folder else f".Set DestinationDir={folder}")
        lines += (f'"{_from(cabinet.parent, file.path)}"' for file in files)
    return "".join(f"{line}\r\n" for line in lines)


def check(data: bytes, folder: Path) -> Submission:
    """Extract a cabinet into `folder`, which must be empty, and check it. Raises MalformedInput."""
    listing = Listing.parse(data)
    names = [file.name for file in listing.files]
    problems = [*_check_format(listing), *_check_signature(data), *check_names(names)]
    unpack(listing, folder)
    tops = sorted(path for path in folder.iterdir() if path.is_dir())
    if not tops:
        problems.append(
            PackageProblem(
                "no-package", "the cabinet contains no driver package", hint="Add the folder of a driver package."
            )
        )
        return Submission((), tuple(problems))
    content = submission_of([read_package(top, is_complete=True) for top in tops])
    known = {_key(problem) for problem in problems}
    found = [without_folder(problem, folder) for problem in content.problems]
    problems += (problem for problem in found if _key(problem) not in known)
    return Submission(content.packages, tuple(problems))


def unpack(listing: Listing, folder: Path) -> None:
    """Extract a cabinet into `folder`; skip files whose names lead outside. Raises MalformedInput and FileError."""
    unpack_files(((file.name, (data,)) for file, data in listing.contents()), folder)


def unpack_files(files: Iterable[tuple[str, Iterable[bytes | memoryview]]], folder: Path) -> None:
    """Write archive files, given in pieces, into `folder`; skip files whose names lead outside. Raises FileError."""
    ensure_folder(folder)
    for name, pieces in files:
        parts = parts_of(name)
        if parts is not None:
            target = folder.joinpath(*parts)
            ensure_folder(target.parent)
            write_pieces(target, pieces)


def _key(problem: PackageProblem) -> tuple[str, object]:
    return problem.code, problem.path


def without_folder(problem: PackageProblem, folder: Path) -> PackageProblem:
    """Return the problem with the path in the cabinet."""
    return replace(problem, path=_below(problem.path, folder))


def _below(path: object, folder: Path) -> PurePosixPath | None:
    if path is None:
        return None
    whole = Path(str(path))
    return PurePosixPath((whole.relative_to(folder) if whole.is_relative_to(folder) else whole).as_posix())


def _check_format(listing: Listing) -> Iterator[PackageProblem]:
    for method in dict.fromkeys(folder.compression for folder in listing.folders):
        if method != "MSZIP":
            yield PackageProblem(
                "compression",
                f"the cabinet is compressed with {method}, but the portal requires MSZIP",
                hint="In the .ddf, set CompressionType=MSZIP and Compress=on.",
            )


def _check_signature(data: bytes) -> Iterator[PackageProblem]:
    """Check the cabinet's signature, but not whether its certificate is registered with the portal account."""
    signatures = gather(data, "cabinet", "cabinet").signatures
    if not signatures:
        yield PackageProblem(
            "cabinet-unsigned",
            "the cabinet is not signed",
            hint="Sign it with drvsign sign and the certificate that is registered with the portal account.",
        )
    for signature in signatures:
        yield from _check_one(signature)


def _check_one(signature: Signature) -> Iterator[PackageProblem]:
    if not signature.intact:
        yield PackageProblem(
            "cabinet-signature",
            f"the cabinet's signature is invalid: {signature.problems[0].message}",
            hint="Sign the cabinet again.",
        )
    if signature.digest_algorithm is DigestAlgorithm.SHA1 or signature.digest_algorithm is DigestAlgorithm.MD5:
        yield PackageProblem(
            "cabinet-digest",
            f"the cabinet is signed with {signature.digest_algorithm}, but the portal requires SHA-256",
            hint="Sign the cabinet again with --digest sha256.",
        )
    unfit = signer_problem(signature.signer, signature.certificates) if signature.signer is not None else None
    if unfit is not None:
        yield unfit
    if signature.timestamp is None:
        yield PackageProblem(
            "cabinet-timestamp",
            "the cabinet's signature has no timestamp",
            hint="Add a timestamp with --timestamp URL, like Microsoft's example.",
            severity=Severity.WARNING,
        )


def _folder_of(file: SubmittedFile) -> str:
    return file.name.rpartition("\\")[0]


def _from(folder: Path, path: Path) -> str:
    try:
        relative = os.path.relpath(path, folder)
    except ValueError:  # on Windows: the folder is on another drive
        relative = str(path.absolute())
    return relative.replace("/", "\\")


def _modified(path: Path) -> datetime:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC)
