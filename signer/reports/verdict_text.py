"""Report verdicts as text: the verdict, the reason, the next command."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from catalogs.verification.assessment import Assessed, Assessment, Outcome
from signer.records import dataclass
from signer.reports.matrix import reason_of, write_matrix
from signer.reports.recording import Recorder, Recording, replay
from signer.reports.sink import Sink
from signer.reports.styles import STYLES

if TYPE_CHECKING:
    from signer.codeintegrity.consequences import Consequences
    from signer.policy.findings import Finding

_MAX_EXPLAINED = 20
"""Maximum number of different explanations; further verdicts only have their reason, unless -v is given."""


@dataclass(frozen=True, slots=True)
class Told:
    """The text of one verdict."""

    target: str
    outcome: str
    how: str
    """How it was decided, in parentheses."""
    reason: str
    """The message to write beside it if it is not explained; empty without findings."""
    key: object
    """Equal for verdicts with the same findings."""
    explanation: Recording


@dataclass(frozen=True, slots=True)
class ToldAssessment:
    """The text of one assessment."""

    path: Path
    verdicts: tuple[Told, ...]
    rest: Recording
    """What follows the verdicts: the signatures; or the whole matrix."""


@dataclass(frozen=True, slots=True)
class TextReport:
    """Explain each verdict; equal findings once."""

    matrix: bool = False
    """Write a table for each file, in which equal neighbouring releases are one row."""
    all_releases: bool = False
    """Include targets in the matrix that the file is not for."""
    verbose: bool = False
    """Explain each verdict with its sources, events and signatures."""

    def serialize(self, assessment: Assessment) -> ToldAssessment | None:
        """Return the text; None for an assessment with an error, which the caller reports."""
        if assessment.error is not None:
            return None
        rest = Recorder()
        if self.matrix:
            write_matrix(assessment, rest, all_releases=self.all_releases)
            return ToldAssessment(assessment.path, (), rest.recording)
        told = tuple(_told(assessment, one, verbose=self.verbose) for one in assessment.consequences)
        if self.verbose:
            _signatures(rest, assessment)
        return ToldAssessment(assessment.path, told, rest.recording)

    def write(self, contents: Sequence[ToldAssessment | None], outcome: Outcome, sink: Sink) -> None:
        """Write the report."""
        tell = self.teller(sink)
        for one in contents:
            tell(one)

    def keep(self, content: Any) -> Any:
        """Return the content."""
        return content

    def teller(self, sink: Sink) -> Callable[[ToldAssessment | None], None]:
        """Return the function that writes one assessment; it explains equal findings once."""
        explain = _Explainer(sink, verbose=self.verbose)

        def tell(one: ToldAssessment | None) -> None:
            if one is None:
                return
            for verdict in one.verdicts:
                explain(one.path, verdict)
            replay(one.rest, sink)

        return tell


def summary(assessments: Sequence[Assessed]) -> str:
    """Count the files by outcome, as in `2 accepted, 1 rejected.`"""
    words = [Outcome.of([one]).word for one in assessments]
    order = ("accepted", "rejected", "unknown", "failed")
    return ", ".join(f"{words.count(word)} {word}" for word in order if word in words) + "."


class _Explainer:
    """Writes the verdicts of assessments, each with its findings; those with the findings of an earlier one name it."""

    def __init__(self, sink: Sink, *, verbose: bool) -> None:
        self._sink = sink
        self._verbose = verbose
        self._explained: dict[object, tuple[Path, str]] = {}
        """The path and the target of the first verdict with these findings."""

    def __call__(self, path: Path, told: Told) -> None:
        earlier = self._explained.get(told.key) if told.reason and not self._verbose else None
        rest, explained = told.how, self._verbose or len(self._explained) < _MAX_EXPLAINED
        if earlier is not None:
            first, target = earlier
            rest = f"{rest[:-1]}; findings as for {first if first != path else target})"
        elif told.reason and not explained:
            rest += f": {told.reason}"
        self._sink.line(told.outcome, f"{path}  on {told.target}{rest}", STYLES[told.outcome])
        if earlier is None and explained:
            replay(told.explanation, self._sink)
            self._explained.setdefault(told.key, (path, told.target))


def _told(one: Assessment, what: Consequences, *, verbose: bool) -> Told:
    """Write the text of a verdict."""
    verdict, findings, explanation = what.verdict, _shown(what, verbose=verbose), Recorder()
    _explain(explanation, one, what, findings, verbose=verbose)
    reason = (reason_of(what) or findings[0].message) if findings else ""
    key = _without_target(what, findings)
    return Told(verdict.target, verdict.outcome, _how(one, what), reason, key, explanation.recording)


def _shown(what: Consequences, *, verbose: bool) -> list[Finding]:
    """Return the findings to show, first the reason of the verdict."""
    reason = what.verdict.reason
    ordered = sorted(what.verdict.findings, key=lambda one: (one is not reason, one.severity != "error"))
    shown = [one for one in ordered if one.severity != "info" or verbose or one is reason]
    return shown if verbose else joined_findings(shown)


def _explain(sink: Sink, one: Assessment, what: Consequences, findings: Sequence[Finding], *, verbose: bool) -> None:
    hints: set[str | None] = {None}
    for finding in findings:
        _finding(sink, finding, with_hint=finding.hint not in hints, verbose=verbose)
        hints.add(finding.hint)
    _machine(sink, what)
    if verbose and what.verdict.applicable:
        _events(sink, what)
        _installation_log(sink, one, what)


def joined_findings(findings: Sequence[Finding]) -> list[Finding]:
    """Join findings that say the same of several signatures of one signer, such as embedded and in a catalog."""
    found: dict[object, Finding] = {}
    for one in findings:
        signer, _, place = one.label.rpartition(" (")
        key = (one.severity, one.message.replace(one.label, signer)) if signer and one.label in one.message else one
        earlier = found.get(key)
        if earlier is None:
            found[key] = one
        elif earlier.label != one.label:
            both = f"{earlier.label.removesuffix(')')} and {place}"
            message = earlier.message.replace(earlier.label, both)
            found[key] = earlier._replace(message=message, label=both, hint=earlier.hint or one.hint)
    return list(found.values())


def _without_target(what: Consequences, findings: Sequence[Finding]) -> object:
    """Return a key that is equal for verdicts with the same findings on different targets."""
    title = what.target.title
    said = tuple((one.severity, one.message.replace(title, ""), one.hint) for one in findings)
    return what.verdict.outcome, what.verdict.rule, said, tuple(said_by_windows(what))


def _how(one: Assessment, what: Consequences) -> str:
    """Describe the verdict: the installation of a package, or the policy and the rule for a file."""
    if one.kind == "package":
        return "  (installation)"
    return f"  ({one.policy}, rule {what.verdict.rule})"


def _finding(sink: Sink, finding: Finding, *, with_hint: bool, verbose: bool) -> None:
    word = {"error": "error", "warning": "warning"}.get(finding.severity, "")
    prefix = f"  {word}: " if word else "  "
    sink.print(f"{prefix}{finding.message}", style=STYLES.get(word))
    if with_hint:
        sink.print(f"    {finding.hint}", style="dim")
    if verbose:
        sink.print(f"    [{finding.code}; {finding.source}]", style="dim")


def _machine(sink: Sink, what: Consequences) -> None:
    """Print the status, the Device Manager code and the events of a verdict."""
    said = said_by_windows(what)
    if said:
        sink.print(f"  Windows says: {', '.join(said)}", style="dim")


def said_by_windows(what: Consequences) -> list[str]:
    """Return the status, the Device Manager code and the events of a verdict, each in a few words."""
    said = []
    if what.status.code is not None:
        said.append(f"{what.status.code} {what.status.name or ''}".strip())
    if what.status.device_manager is not None:
        said.append(f"Device Manager code {what.status.device_manager}")
    ids = list(dict.fromkeys(event.id for event in what.events))
    if ids:
        said.append(f"events {', '.join(map(str, ids))}" if len(ids) > 1 else f"event {ids[0]}")
    return said


def _events(sink: Sink, what: Consequences) -> None:
    """Print each event: its text, and the known fields that the text does not show; sizes are left out."""
    for event in what.events:
        sink.print(f"    event {event.id} ({event.channel}): {' '.join(event.message.split())}", style="dim")
        for name, value in event.data.items():
            is_size = name.endswith(("Length", "Size"))
            if value not in (None, "") and not is_size and str(value) not in event.message:
                sink.print(f"      {name} = {value}", style="dim")


def _installation_log(sink: Sink, one: Assessment, what: Consequences) -> None:
    """Print the expected lines of setupapi.dev.log for the INF of a package."""
    if one.inf is None:
        return
    from signer.policy.setupapi import log_lines

    catalog = one.evidence.name if one.evidence is not None else None
    sink.print("  In setupapi.dev.log:", style="dim")
    for line in log_lines(one.inf, catalog, what.verdict):
        sink.print(f"    {line}", style="dim")


def _signatures(sink: Sink, one: Assessment) -> None:
    """Print a line for each signature."""
    if one.evidence is None:
        return
    from signer.certificates import common_name
    from signer.policy.classify import classify, publisher
    from signer.reports.certificates import iso

    for each, paths in zip(one.evidence.signatures, one.paths, strict=True):
        kind = classify(each, paths.classification_paths)
        signer = common_name(each.signer) if each.signer is not None else "an unknown signer"
        of = publisher(each, kind)
        who = f"{signer} for {of}" if of and of != signer else signer
        place = f"catalog {each.catalog}" if each.catalog else each.source
        time = iso(each.timestamp.time) if each.timestamp else "no timestamp"
        sink.print(f"  signature {each.index}: {who} ({place}, {kind}, {each.state}, {time})", style="dim")
