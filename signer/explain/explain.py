"""Explain logs and codes: read, sort by file, derive the machine's state, find each file's cause.

explanation = explain([Input("ci.xml", chunks)], codes=["52"])
for answer in explanation.answers:
    answer.gate, answer.cause, answer.confidence
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import field, replace
from pathlib import Path

from signer.errors import SignerError
from signer.explain.causes import Cause, Confidence, Gate, Match, causes, evidence, matches, sentence
from signer.explain.codes import EVENT, Code
from signer.explain.context import Context
from signer.explain.machine import Machine, MachineReader
from signer.explain.readers.table import read_records
from signer.explain.records import Record
from signer.explain.symptoms import Collector, Symptoms
from signer.records import dataclass

_INSTALLED = frozenset({"0x800B0109", "0x800B0100", "0xE0000242", "0xE0000241"})
"""Codes of checks that fail on the way of an installation that succeeds: the check for Microsoft's signature comes
before the one for the publisher's, and the user confirms a publisher who is not yet trusted."""


_PLAIN_NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,80}\.(?:sys|inf|dll|exe)", re.ASCII)
_FILE = re.compile(r"(?<=\s)FILE\b")
"""The place of the file in the commands of causes.toml."""


@dataclass(frozen=True, slots=True)
class Input:
    """One log: its name for messages, and its bytes in pieces."""

    name: str
    chunks: Iterable[bytes]


@dataclass(frozen=True, slots=True)
class Answer:
    """Why one file does not load or install."""

    file: str | None
    gate: Gate
    cause: str
    key: str
    """The key of the cause in causes.toml."""
    rules: tuple[str, ...]
    confidence: Confidence
    reason: str
    """The symptoms that show the cause."""
    codes: tuple[str, ...]
    events: tuple[int, ...]
    next: Mapping[str, str]
    settle: tuple[str, ...]
    others: tuple[str, ...] = ()
    """Titles of other causes that the symptoms allow."""
    time: str = ""
    symptoms: Symptoms = field(default_factory=lambda: Symptoms(None), compare=False)

    @property
    def rule(self) -> str | None:
        """The rule of docs/policy.md, if only one reports this way."""
        return self.rules[0] if self.rules else None


@dataclass(frozen=True, slots=True)
class Explanation:
    """The answers for all files, the newest first, and the state of the machine."""

    machine: Machine
    answers: tuple[Answer, ...]
    languages: tuple[str, ...] = ()
    """The languages of texts that are not in English: only their codes, paths and fields were read."""
    damages: Mapping[str, int] = field(default_factory=dict)
    """What could not be read, and how often."""
    forms: Mapping[str, int] = field(default_factory=dict)
    left_out: int = 0
    """Records about files beyond the limit `log-files`."""
    failures: tuple[SignerError, ...] = ()
    """One error for each log that can't be read; the answers are from the others."""

    @property
    def localised(self) -> bool:
        """Whether a text was not in English."""
        return bool(self.languages)


def explain(
    inputs: Iterable[Input], codes: Iterable[Code] = (), settings: Mapping[str, object] | None = None
) -> Explanation:
    """Explain logs and codes. `settings` are the machine's as the user says them, by the names of `Machine`.

    A log that can't be read, or a file that is not a log, is a failure of the explanation; the others are explained.
    """
    collector, reader, context = Collector(), MachineReader(), Context()
    languages: dict[str, None] = {}
    failures: list[SignerError] = []
    for one in inputs:
        context.open(one.name)
        try:
            for record in read_records(one.chunks, context):
                collector.add(record)
                reader.add(record)
                languages |= {record.language: None} if record.language else {}
        except SignerError as error:
            failures.append(error.at(Path(one.name)))
    for record in map(_record, codes):
        context.seen("codes")
        collector.add(record)
        reader.add(record)
    reader.override(settings or {})
    machine = reader.machine()
    answers = [answer for symptoms in collector.files() if (answer := _answer(symptoms, machine)) is not None]
    return Explanation(
        machine,
        tuple(answers),
        tuple(languages),
        dict(context.damages),
        dict(context.forms),
        collector.left_out,
        tuple(failures),
    )


def narrowed(answer: Answer, rule: str) -> Answer:
    """Return the answer with the one rule that a verdict about the file itself confirms, and that rule's cause."""
    exact = min(
        (cause for cause in causes() if rule in cause.rules and cause.gate == answer.gate),
        key=lambda cause: len(cause.rules),
        default=None,
    )
    reason = f"{answer.reason}; the file itself is rejected by the rule {rule}"
    if exact is None or rule not in answer.rules:
        return answer
    return replace(
        answer,
        cause=sentence(exact, answer.symptoms),
        key=exact.key,
        rules=(rule,),
        next=_steps(exact, answer.file),
        confidence="certain",
        reason=reason,
        others=(),
    )


def _steps(cause: Cause, file: str | None) -> Mapping[str, str]:
    """Return the next steps, with the file's name in their commands where a shell takes it as it is."""
    if file is None or _PLAIN_NAME.fullmatch(file) is None:
        return cause.next
    return {who: _FILE.sub(file, text) for who, text in cause.next.items()}


def _record(code: Code) -> Record:
    return Record(events=(int(code.text),)) if code.kind == EVENT else Record(codes=(code.text,))


def _answer(symptoms: Symptoms, machine: Machine) -> Answer | None:
    """Return the answer about a file; None if nothing stopped it."""
    if "installed" in symptoms.signs and symptoms.codes.keys() <= _INSTALLED and not symptoms.events:
        return None
    found = matches(symptoms, machine)
    return _of(found[0], found[1:], symptoms, machine) if found else None


def _of(best: Match, others: list[Match], symptoms: Symptoms, machine: Machine) -> Answer:
    cause = best.cause
    similar = [one.cause.title for one in others if one.cause.gate != cause.gate]
    return Answer(
        file=symptoms.name,
        gate=cause.gate,
        cause=sentence(cause, symptoms),
        key=cause.key,
        rules=cause.rules,
        confidence=best.sign.confidence,
        reason=evidence(best, symptoms, machine),
        codes=tuple(symptoms.codes),
        events=tuple(sorted(symptoms.events)),
        next=_steps(cause, symptoms.name),
        settle=cause.settle,
        others=tuple(similar) if best.sign.confidence != "certain" else (),
        time=symptoms.time,
        symptoms=symptoms,
    )
