"""Find the cause that the symptoms of a file show, by the table `data/causes.toml`."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Literal, get_args

from signer.codeintegrity.event_tables import numbers_of
from signer.explain.machine import Machine
from signer.explain.symptoms import Symptoms
from signer.records import dataclass

Gate = Literal[
    "kernel-signing",
    "driver-policy",
    "block-list",
    "memory-integrity",
    "s-mode",
    "pnp",
    "architecture",
    "sha2",
    "ci-policy",
    "other",
]
"""The check of Windows that stops or reports a driver."""
Confidence = Literal["certain", "likely", "possible"]
_INDEXED = ("events", "codes", "signs", "policies")
"""Conditions that allow several values: a file's symptoms must have one of them."""
_OTHERS = ("", None)
_RANKS: tuple[Confidence, ...] = get_args(Confidence)


@dataclass(frozen=True, slots=True)
class Sign:
    """A combination of symptoms that shows a cause."""

    confidence: Confidence
    conditions: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Cause:
    """One row of the table."""

    key: str
    gate: Gate
    rules: tuple[str, ...]
    """The rules of docs/policy.md that reject or report this way."""
    title: str
    sentence: str
    """Has the places {file}, {detail} and {policy}."""
    detail: str
    """The text of {detail} if no event gives one."""
    settle: tuple[str, ...]
    """Keys of `exports.toml`: the exports that confirm or exclude the cause."""
    next: Mapping[str, str]
    source: str
    signs: tuple[Sign, ...]


@dataclass(frozen=True, slots=True)
class Match:
    """A cause that the symptoms show."""

    cause: Cause
    sign: Sign

    @property
    def rank(self) -> tuple[int, int]:
        """The order of matches: the most certain first, then the one with the most conditions."""
        return _RANKS.index(self.sign.confidence), -len(self.sign.conditions)


@cache
def causes() -> tuple[Cause, ...]:
    """Return every cause, in the order of the table."""
    text = (files("signer.explain.data") / "causes.toml").read_text(encoding="utf-8")
    return tuple(
        Cause(
            key=row["key"],
            gate=row["gate"],
            rules=tuple(row["rules"]),
            title=row["title"],
            sentence=row["sentence"],
            detail=row.get("detail", ""),
            settle=tuple(row["settle"]),
            next=row["next"],
            source=row["source"],
            signs=tuple(_sign(sign) for sign in row["signs"]),
        )
        for row in tomllib.loads(text)["cause"]
    )


def matches(symptoms: Symptoms, machine: Machine) -> list[Match]:
    """Return every cause that the symptoms show, the best first, each with its best sign."""
    best: dict[int, Match] = {}
    for number, match in _candidates(symptoms):
        if _holds(match.sign, symptoms, machine) and (number not in best or match.rank < best[number].rank):
            best[number] = match
    return sorted((best[number] for number in sorted(best)), key=lambda match: match.rank)


def _candidates(symptoms: Symptoms) -> Iterator[tuple[int, Match]]:
    """Yield the signs that a symptom can show, in the order of the table, each with the number of its cause."""
    every, index = _signs(), _index()
    keys = [_OTHERS, *((name, value) for name in _INDEXED for value in getattr(symptoms, name))]
    return (every[place] for place in sorted({place for key in keys for place in index.get(key, ())}))


@cache
def _signs() -> tuple[tuple[int, Match], ...]:
    return tuple((number, Match(cause, sign)) for number, cause in enumerate(causes()) for sign in cause.signs)


@cache
def _index() -> Mapping[tuple[str, Any], tuple[int, ...]]:
    """Return the places of signs in `_signs` by a symptom that each requires, or by `_OTHERS`."""
    found: dict[tuple[str, Any], list[int]] = {_OTHERS: []}
    for place, (_, match) in enumerate(_signs()):
        name = next((one for one in _INDEXED if one in match.sign.conditions), None)
        keys = [(name, value) for value in match.sign.conditions[name]] if name is not None else [_OTHERS]
        for key in keys:
            found.setdefault(key, []).append(place)
    return {key: tuple(places) for key, places in found.items()}


def sentence(cause: Cause, symptoms: Symptoms) -> str:
    """Return the sentence of a cause for a file."""
    policies = ", ".join(sorted(symptoms.policy_names)) or "the log does not name it"
    text = cause.sentence.replace("{policy}", policies).replace("{detail}", _layout(symptoms) or cause.detail)
    text = text.replace("{file}", symptoms.name or "the driver")
    return text[:1].upper() + text[1:] if symptoms.name is None else text


def evidence(match: Match, symptoms: Symptoms, machine: Machine) -> str:
    """Return which symptoms show the cause, in words."""
    parts = []
    for name, wanted in match.sign.conditions.items():
        words = _WORDS[name](wanted, symptoms, machine)
        parts += [words] if words else []
    return "; ".join(parts)


def _sign(row: Mapping[str, Any]) -> Sign:
    return Sign(row["confidence"], {name: value for name, value in row.items() if name != "confidence"})


def _holds(sign: Sign, symptoms: Symptoms, machine: Machine) -> bool:
    return all(_CONDITIONS[name](wanted, symptoms, machine) for name, wanted in sign.conditions.items())


Condition = Callable[[Any, Symptoms, Machine], bool]
_CONDITIONS: Mapping[str, Condition] = {
    "events": lambda wanted, symptoms, machine: not symptoms.events.keys().isdisjoint(wanted),
    "codes": lambda wanted, symptoms, machine: not symptoms.codes.keys().isdisjoint(wanted),
    "with_codes": lambda wanted, symptoms, machine: not symptoms.codes.keys().isdisjoint(wanted),
    "without_codes": lambda wanted, symptoms, machine: symptoms.codes.keys().isdisjoint(wanted),
    "policies": lambda wanted, symptoms, machine: not symptoms.policies.isdisjoint(wanted),
    "no_policy": lambda wanted, symptoms, machine: wanted == (not symptoms.policies),
    "errors": lambda wanted, symptoms, machine: _error(symptoms) in wanted,
    "unsigned": lambda wanted, symptoms, machine: wanted == _is_unsigned(symptoms),
    "signs": lambda wanted, symptoms, machine: not symptoms.signs.isdisjoint(wanted),
    "releases": lambda wanted, symptoms, machine: machine.release is not None and machine.release.name in wanted,
    "phase": lambda wanted, symptoms, machine: machine.driver_policy in wanted,
    "whql_enforced": lambda wanted, symptoms, machine: machine.whql_enforced == wanted,
    "s_mode": lambda wanted, symptoms, machine: machine.s_mode == wanted,
    "user_mode": lambda wanted, symptoms, machine: symptoms.user_mode == wanted,
    "no_events": lambda wanted, symptoms, machine: wanted == (not symptoms.events),
}

Words = Callable[[Any, Symptoms, Machine], str]
_WORDS: Mapping[str, Words] = {
    "events": lambda wanted, symptoms, machine: _listed("event", (one for one in symptoms.events if one in wanted)),
    "codes": lambda wanted, symptoms, machine: _listed("code", (one for one in symptoms.codes if one in wanted)),
    "with_codes": lambda wanted, symptoms, machine: _listed("code", (one for one in symptoms.codes if one in wanted)),
    "without_codes": lambda wanted, symptoms, machine: "",
    "policies": lambda wanted, symptoms, machine: "the policy that it names",
    "no_policy": lambda wanted, symptoms, machine: "no policy is named",
    "errors": lambda wanted, symptoms, machine: f"event 3089 with VerificationError {_error(symptoms)}",
    "unsigned": lambda wanted, symptoms, machine: "event 3089 counts no signature",
    "signs": lambda wanted, symptoms, machine: "the text of Windows",
    "releases": lambda wanted, symptoms, machine: (
        f"the machine runs {machine.release.title}" if machine.release else ""
    ),
    "phase": lambda wanted, symptoms, machine: "the Windows Driver Policy is enforced",
    "whql_enforced": lambda wanted, symptoms, machine: "event 3084: the machine enforces WHQL signatures",
    "s_mode": lambda wanted, symptoms, machine: "Windows is in S mode",
    "user_mode": lambda wanted, symptoms, machine: "a process loads it, not the kernel" if wanted else "",
    "no_events": lambda wanted, symptoms, machine: "no event of Code Integrity names the file",
}


def _listed(noun: str, values: Iterable[object]) -> str:
    found = [str(value).removeprefix("Code ") for value in values]
    return f"{noun}{'s' if len(found) > 1 else ''} {', '.join(found)}"


_CHECKS = (3, 1, 2, 10, 11, 28, 6, 19, 20, 23, 24, 8, 27, 7, 9, 14, 15, 5, 4, 12, 13, 16, 17, 22, 25, 21, 26)
"""VerificationErrors in the order of the checks that they report: `signer.policy.decide` orders rules the same way."""


def _error(symptoms: Symptoms) -> int | None:
    """Return the VerificationError of the signature that came nearest to being accepted."""
    if not symptoms.signatures:
        return None
    texts = {str(fields.get("VerificationError")) for fields in symptoms.signatures}
    known = [number for number in _CHECKS if str(number) in texts]
    return known[-1] if known else None


def _is_unsigned(symptoms: Symptoms) -> bool:
    counts = {str(fields.get("TotalSignatureCount")) for fields in symptoms.signatures}
    return counts == {"0"}


def _layout(symptoms: Symptoms) -> str:
    """Return the faults that an event about memory integrity has as a bitmap, in the words of ci.dll."""
    value = str(symptoms.fields.get("HVCIAuditFailures") or "")
    if not value.startswith("0x") or len(value) > 10:
        return ""
    try:
        bits = int(value, 16)
    except ValueError:
        return ""
    words = [text for text, bit in numbers_of("HvciAuditFailures").items() if bits & bit]
    return "; ".join(f"{word[:1].lower()}{word[1:]}" for word in words)
