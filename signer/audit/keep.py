"""Make an App Control policy that allows drivers of an audit: those that stop, or all that load."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import field
from functools import lru_cache
from pathlib import Path
from typing import Literal

from catalogs.verification.query import load_catalog
from signer.audit.answer import DRIVER_POLICY
from signer.audit.catroot import catalogs_of
from signer.audit.disk import disk_above
from signer.audit.examine import Question
from signer.audit.rows import STOPPING, Answer, Row
from signer.errors import FileError, ImageError, SignerError
from signer.formats.detect import expected
from signer.pe.file_facts import FileFacts
from signer.policy.si_policy.derivation import Level, allow
from signer.policy.si_policy.draft import PolicyDraft
from signer.policy.subjects import FileSubject
from signer.records import dataclass
from signer.storage.files import mapped
from signer.verify.evidence import CatalogLookup
from signer.verify.gather import gather, read_facts

Choice = Literal["stopping", "loading"]
ANSWERS_OF: dict[Choice, tuple[Answer, ...]] = {"stopping": STOPPING, "loading": (*STOPPING, "loads")}
"""The answers of the drivers that each choice keeps."""


@dataclass(frozen=True, slots=True)
class Kept:
    """The rules of a policy, and the drivers that it can't keep."""

    draft: PolicyDraft = field(default_factory=PolicyDraft)
    levels: Counter[Level] = field(default_factory=Counter)
    """The number of drivers by the level of their rules."""
    left_out: list[SignerError] = field(default_factory=list)
    """Why drivers have no rule, with their paths."""


def keep(rows: Iterable[Row], question: Question, level: Level) -> Kept:
    """Make the rules that allow the drivers of rows, whose files are read again.

    A driver that memory integrity or the block list stops has no rule: no other policy can allow it.
    """
    found = Kept()
    for row in rows:
        try:
            found.levels[allow(found.draft, _subject(row, question.of(_machine(row))), level)] += 1
        except SignerError as error:
            found.left_out.append(error.at(row.file))
    return found


def _machine(row: Row) -> str:
    """Return the name of a machine with the row's answer; empty for files without a machine."""
    return next((one.machine for one in row.answers if one.reason == row.reason), "")


def _subject(row: Row, question: Question) -> FileSubject:
    """Read the evidence and the facts of a driver. Raises SignerError for one that can't be read or kept."""
    path = Path(row.file)
    if row.reason.answer in STOPPING and row.reason.policy != DRIVER_POLICY:
        raise FileError(f"not in the policy: {row.reason.policy} stops it, and no policy can allow it", path=path)
    if not row.present:
        raise FileError("not in the policy: the file is not here", path=path)
    if any(folder.is_file() for folder in path.parents):
        hint = "Unpack the archive, and audit the folder."
        raise FileError("not in the policy: the file is inside an archive", path=path, hint=hint)
    known = expected(path)
    if known is None:
        raise ImageError("not in the policy: the file is not an image", path=path)
    with mapped(path) as data:
        facts = read_facts(data, known.name)
        catalogs = (*question.query.catalogs, *_catalogs(row), *_of_disk(path, facts))
        evidence = gather(data, known.name, path.name, catalogs)
    return FileSubject.of(evidence, question.query.paths_of(evidence), facts=facts)


def _catalogs(row: Row) -> Iterator[CatalogLookup]:
    """Yield the catalogs beside the driver and beside its INFs."""
    for folder in dict.fromkeys(Path(one).parent for one in (row.file, *(use.inf for use in row.packages))):
        yield from _catalogs_in(folder)


def _of_disk(path: Path, facts: FileFacts) -> Sequence[CatalogLookup]:
    """Return the catalogs of the file's disk that list it."""
    disk = disk_above(path.parent)
    found = catalogs_of(disk) if disk is not None else None
    return found.find(facts.digests.values()) if found is not None else ()


@lru_cache(maxsize=16)
def _catalogs_in(folder: Path) -> Sequence[CatalogLookup]:
    """Return the catalogs of a folder that can be read: a damaged one lists no file."""
    found = []
    for path in sorted(folder.glob("*.[cC][aA][tT]")) if folder.is_dir() else ():
        try:
            found.append(load_catalog(path))
        except SignerError:
            continue
    return tuple(found)
