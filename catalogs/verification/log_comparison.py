"""Compare what a log says about drivers with the verdict about the drivers themselves.

The log is right: it says what Windows did. A difference shows a machine in another state, another file of the same
name, or a mistake of drvsign, and is reported as such.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

from catalogs.verification.assessment import Assessment
from catalogs.verification.query import VerifyQuery
from catalogs.verification.verify import verify
from signer.codeintegrity.consequences import Consequences
from signer.errors import SignerError
from signer.explain.explain import Answer, Explanation, narrowed
from signer.formats.detect import expected
from signer.policy.findings import Outcome, Verdict
from signer.policy.machine_state import MachineState
from signer.policy.targets import Target, default_target
from signer.records import dataclass
from signer.storage.files import mapped
from signer.verify.gather import read_facts

MatchedBy = Literal["hash", "name", "only file"]

_HASHES = ("SHA1Hash", "SHA256Hash", "SHA1FlatHash", "SHA256FlatHash")
_SIGNATURE_HASH = "Hash"
"""The field of event 3089 with the hash of the file that the signature is for."""
_OTHER_FILE = "the log has other hashes: its file is not this one, though it has the same name"
_SAME_FILE: Mapping[MatchedBy, str] = {
    "hash": "",
    "name": "Check that the machine has this file: only its name is in the log. ",
    "only file": "Check that the machine has this file: the log does not name it. ",
}
_LOADED = frozenset({3001, 3003, 3005, 3021, 3022, 3032, 3035, 3037, 3076, 3082, 3083})
"""Events about a driver that was loaded nevertheless."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """The verdict about the file that an answer is about, and whether it agrees with the log."""

    path: Path
    matched_by: MatchedBy
    target: str
    outcome: Outcome
    rule: str
    events: tuple[int, ...]
    status: str | None
    agrees: bool | None
    """None if nothing can be compared: the verdict is unknown, or the log is about another file."""
    difference: str | None
    """What differs, in one sentence."""


@dataclass(frozen=True, slots=True)
class Compared:
    """An answer, made exact by the verdict if they agree, and the comparison; None if no file matches."""

    answer: Answer
    comparison: Comparison | None


def machine_of(explanation: Explanation, machine: MachineState) -> MachineState:
    """Return the state of the machine with the settings that the log shows."""
    known = explanation.machine
    upgraded = known.whql_enforced is False and known.secure_boot is not False
    return replace(
        machine,
        secure_boot=known.secure_boot,
        testsigning=bool(known.testsigning),
        hvci=bool(known.hvci),
        upgraded=machine.upgraded or upgraded,
        driver_policy=known.driver_policy,
    )


def compare(
    explanation: Explanation, paths: Sequence[Path], query: Callable[[str], VerifyQuery]
) -> tuple[Compared, ...]:
    """Compare each answer with the verdict about its file among these drivers and driver packages.

    `query` makes the query for a policy, with the machine's state. Raises SignerError for a file that can't be read.
    """
    policies = dict.fromkeys("pnp" if answer.gate == "pnp" else "kernel" for answer in explanation.answers)
    assessed = {policy: verify(paths, _on_target(query(policy), explanation, paths)) for policy in policies}
    for one in (one for found in assessed.values() for one in found):
        if one.error is not None:
            raise one.error
    return tuple(
        _compared(answer, assessed["pnp" if answer.gate == "pnp" else "kernel"], alone=len(explanation.answers) == 1)
        for answer in explanation.answers
    )


def _on_target(query: VerifyQuery, explanation: Explanation, paths: Iterable[Path]) -> VerifyQuery:
    """Return the query for the machine of the log; without its release, for the newest one."""
    here = explanation.machine.release
    architecture = explanation.machine.architecture
    if query.targets or here is None:
        known = [default_target(architecture)] if architecture is not None else []
        return query if query.targets else replace(query, targets=tuple(known))
    try:
        target = Target.parse(f"{here.name}-{architecture or 'x64'}{'-smode' if explanation.machine.s_mode else ''}")
    except SignerError:
        return query
    return replace(query, targets=(target,))


def _compared(answer: Answer, assessed: Sequence[Assessment], *, alone: bool) -> Compared:
    candidates = [one for one in assessed if (one.kind == "package") == (answer.gate == "pnp") and one.consequences]
    found = _match(answer, candidates, alone=alone)
    if found is None:
        return Compared(answer, None)
    assessment, matched_by, other_file = found
    one = assessment.consequences[0]
    comparison = _comparison(answer, assessment, one, matched_by, other_file)
    exact = comparison.agrees and comparison.outcome == "rejected"
    return Compared(narrowed(answer, comparison.rule) if exact else answer, comparison)


def _match(
    answer: Answer, candidates: Sequence[Assessment], *, alone: bool
) -> tuple[Assessment, MatchedBy, bool] | None:
    """Return the file that an answer is about, and whether the log has other hashes than it."""
    logged = _logged_hashes(answer)
    hashes = {one.path: _hashes(one.path) for one in candidates} if logged else {}
    for one in candidates:
        if logged & hashes.get(one.path, set()):
            return one, "hash", False
    name = (answer.file or "").casefold()
    for one in candidates:
        if name and name in {one.path.name.casefold(), one.path.stem.casefold(), (one.inf or "").casefold()}:
            return one, "name", bool(logged)
    if alone and len(candidates) == 1 and not name:
        return candidates[0], "only file", False
    return None


def _logged_hashes(answer: Answer) -> set[str]:
    """Return the hashes of the file in its event and in the events 3089 about its signatures, in upper case."""
    values = [answer.symptoms.fields.get(name) for name in _HASHES]
    values += [fields.get(_SIGNATURE_HASH) for fields in answer.symptoms.signatures]
    return {str(value).upper() for value in values if value}


def _hashes(path: Path) -> set[str]:
    """Return the hashes of a file that events can have, in upper case. Raises SignerError."""
    row = expected(path) if path.is_file() else None
    if row is None or not row.traits.loaded_as_code:
        return set()
    with mapped(path) as data:
        facts = read_facts(data, row.name)
    digests = [*facts.digests.values(), *facts.flat_digests.values()]
    return {digest.hex().upper() for digest in digests}


def _comparison(
    answer: Answer, assessment: Assessment, one: Consequences, matched_by: MatchedBy, other_file: bool
) -> Comparison:
    verdict = one.verdict
    events = tuple(dict.fromkeys(event.id for event in one.events))
    agrees = None if other_file else _agrees(answer, verdict, events)
    return Comparison(
        path=assessment.path,
        matched_by=matched_by,
        target=verdict.target,
        outcome=verdict.outcome,
        rule=verdict.rule,
        events=events,
        status=one.status.code,
        agrees=agrees,
        difference=_OTHER_FILE if other_file else _difference(answer, verdict, matched_by) if not agrees else None,
    )


def _agrees(answer: Answer, verdict: Verdict, events: Sequence[int]) -> bool | None:
    """Return whether a verdict explains the answer: by its rule, or by the event about a driver that loads.

    What the verdict leaves open, such as the entries of an allow list that was not given, the log settles.
    """
    loaded = bool(answer.events) and _LOADED.issuperset(answer.events)
    if verdict.outcome == "accepted":
        return bool(_LOADED & set(events) & set(answer.events))
    if verdict.rule in answer.rules and not loaded:
        return True
    return False if verdict.outcome == "rejected" else None


def _difference(answer: Answer, verdict: Verdict, matched_by: MatchedBy) -> str:
    """Say what differs, and what to check: the log shows only by a hash that it is about this file."""
    if verdict.outcome == "unknown":
        return f"drvsign can't decide about this file (rule {verdict.rule})"
    return (
        f"the log says {answer.key}, but drvsign predicts {verdict.outcome} (rule {verdict.rule}): the log is right. "
        f"{_SAME_FILE[matched_by]}"
        "Give the machine's state with options if it is another one; otherwise please report this"
    )
