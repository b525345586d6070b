"""The neutral form of a command's answer, which every renderer in `signer.reports.renderers` reads.

A command turns its answer into a `Report`; the renderers know neither commands nor policies. A report has subjects (the
files, packages or drivers that were checked), each with a verdict, its findings, and the checks that led to them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from functools import cached_property
from hashlib import sha256
from pathlib import PurePath
from typing import Literal, Protocol

from signer.numbers import counted
from signer.records import dataclass
from signer.reports.places import Places
from signer.storage.seen import Seen

Level = Literal["error", "warning", "note"]
"""error: the check says no, or could not be done; warning: it does not affect the exit code, or nothing decides; note:
information."""
Result = Literal["accepted", "rejected", "unknown", "not-applicable", "failed"]
"""Verdict on a subject or of one check. failed: the check could not be done."""

LEVELS: tuple[Level, ...] = ("error", "warning", "note")
"""From the most severe."""


@dataclass(frozen=True, slots=True)
class Rule:
    """The description of what findings with one code have in common."""

    code: str
    title: str
    """The requirement, as a sentence."""
    help: str = ""
    """How to satisfy it."""
    source: str = ""
    """The document that it is based on."""
    level: Level = "error"
    """The level that its findings have by default."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One place where a subject breaks a rule, or a remark on it."""

    code: str
    """The code of its rule in `Report.rules`."""
    level: Level
    message: str
    file: PurePath | None = None
    """The file to look at; None if no file is named."""
    line: int | None = None
    """Line in `file`, counted from 1; None in a binary file."""
    fix: str | None = None
    """How to fix it, as an imperative."""
    source: str = ""
    """The document that it is based on."""
    targets: tuple[str, ...] = ()
    """The checks that it is about; empty if it is about the whole subject."""

    @property
    def where(self) -> str:
        """The targets in one phrase; empty if it is about the whole subject."""
        if len(self.targets) < 2:
            return "".join(self.targets)
        return f"{self.targets[0]} and {counted(len(self.targets) - 1, 'other target')}"

    @property
    def is_problem(self) -> bool:
        """Whether it is an error or a warning."""
        return self.level != "note"


@dataclass(frozen=True, slots=True)
class Check:
    """The verdict of one target, or of neighbouring targets with equal verdicts and reasons."""

    targets: tuple[str, ...]
    label: str
    """The targets in one phrase, such as `win10-1507 … win11-25h2 x64`."""
    result: Result
    rule: str
    """The deciding rule."""
    reason: str = ""
    details: tuple[str, ...] = ()
    """What Windows logs and returns, and the next step: one sentence each."""


@dataclass(frozen=True, slots=True)
class Link:
    """One certificate of a chain."""

    subject: str
    validity: str
    sha1: str


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature of a subject, for reports that show details."""

    title: str
    facts: tuple[tuple[str, str], ...]
    """Names and values, such as (`Timestamp`, `2024-01-02T03:04:05Z`)."""
    chain: tuple[Link, ...] = ()
    """From the signer's certificate to the root, if there is one."""


@dataclass(frozen=True, slots=True)
class Subject:
    """One thing that was checked."""

    name: str
    """Its path, or another name that is unique in the report."""
    kind: str
    """`image`, `package`, `inf` and so on."""
    result: Result
    findings: tuple[Finding, ...] = ()
    checks: tuple[Check, ...] = ()
    """The targets that were checked; empty if the subject was checked as a whole."""
    signatures: tuple[Signature, ...] = ()

    @property
    def problems(self) -> tuple[Finding, ...]:
        """The errors and warnings."""
        return tuple(one for one in self.findings if one.is_problem)


class Subjects(Protocol):
    """Subjects in their order, which are iterated several times: a tuple, or what makes them anew each time."""

    def __len__(self) -> int:
        """Return the number of the subjects."""

    def __iter__(self) -> Iterator[Subject]:
        """Return an iterator from the first subject."""


@dataclass(frozen=True)
class Report:
    """The answer of one command."""

    command: str
    """The name of the command, such as `inf lint`."""
    subjects: Subjects
    rules: Mapping[str, Rule]
    """The rules of all findings, by code."""
    exit_code: int
    places: Places = field(default_factory=Places)
    """How paths are written."""

    @property
    def executed(self) -> bool:
        """Whether the command could check everything."""
        return not self.results["failed"]

    @cached_property
    def results(self) -> Counter[Result]:
        """The number of subjects with each verdict."""
        return Counter(one.result for one in self.subjects)

    def findings(self) -> Iterator[Finding]:
        """Yield the findings of all subjects, each once, in their order."""
        with Seen() as seen:
            for subject in self.subjects:
                yield from (one for one in subject.findings if seen.count(repr(one)) == 1)

    def problems(self) -> Iterator[Finding]:
        """Yield the errors and warnings of all subjects, each once."""
        yield from (one for one in self.findings() if one.is_problem)

    @cached_property
    def counts(self) -> Mapping[Level, int]:
        """The number of findings of each level."""
        found = Counter(one.level for one in self.findings())
        return {level: found[level] for level in LEVELS}

    @property
    def summary(self) -> str:
        """The numbers of subjects by verdict and of problems, as one sentence."""
        order: Sequence[Result] = ("accepted", "rejected", "unknown", "not-applicable", "failed")
        numbers = (f"{self.results[word]} {word}" for word in order if self.results[word])
        verdicts = ", ".join(numbers) or "nothing was checked"
        return f"{verdicts}; {counted(self.counts['error'], 'error')}, {counted(self.counts['warning'], 'warning')}"

    def place(self, finding: Finding) -> str:
        """Return the file and the line of a finding as `FILE:LINE`; empty if it names no file."""
        if finding.file is None:
            return ""
        path = self.places.relative(finding.file)
        return f"{path}:{finding.line}" if finding.line is not None else path

    def identified(self) -> Iterator[tuple[Finding, str]]:
        """Yield each problem with its fingerprint: hexadecimal, unique in the report, and independent of the line.

        It stays the same from run to run while the file, the code and the message do; equal findings in one file are
        numbered in their order.
        """
        with Seen() as seen:
            for one in self.problems():
                place = self.places.relative(one.file) if one.file is not None else ""
                key = "\0".join((one.code, place, one.message))
                text = f"{key}\0{seen.count(key)}"
                yield one, sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def titled(code: str) -> str:
    """Return a title for a code that is a name: `file-collision` becomes `File collision`."""
    return f"{code[:1].upper()}{code[1:]}".replace("-", " ")


def worst(results: Sequence[Result]) -> Result:
    """Return the most severe verdict; accepted if there is none."""
    order: Sequence[Result] = ("failed", "rejected", "unknown", "accepted", "not-applicable")
    return min(results, key=order.index, default="accepted")
