"""Report verdicts as text: the verdict, the reason, the next command."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from catalogs.verification.assessment import Assessed, Assessment, Outcome
from signer.reports.matrix import number_reasons, reason_key, reason_of, write_matrix, write_reasons
from signer.reports.sink import Sink
from signer.reports.styles import STYLES

if TYPE_CHECKING:
    from signer.codeintegrity.consequences import Consequences
    from signer.policy.findings import Finding

_DETAILED = 6
"""Maximum number of verdicts to explain one by one; more are a table, unless -v is given."""


@dataclass(frozen=True, slots=True)
class TextReport:
    """Explain each verdict; for many, write a table."""

    matrix: bool = False
    """Write a table for each file, in which equal neighbouring releases are one row."""
    all_releases: bool = False
    """Include targets in the matrix that the file is not for."""
    verbose: bool = False
    """Explain each verdict with its sources, events and signatures."""

    def serialize(self, assessment: Assessment) -> Assessment:
        """Return the assessment: the text depends on all of it."""
        return assessment

    def write(self, contents: Sequence[Assessment], outcome: Outcome, sink: Sink) -> None:
        """Write the report. The caller reports assessments with an error."""
        known = [one for one in contents if one.error is None]
        verdicts = sum(len(one.consequences) for one in known)
        if self.matrix:
            for one in known:
                write_matrix(one, sink, all_releases=self.all_releases)
        elif verdicts > _DETAILED and not self.verbose:
            _table(sink, known)
        else:
            for one in known:
                _explain(sink, one, verbose=self.verbose)


def summary(assessments: Sequence[Assessed]) -> str:
    """Count the files by outcome, as in `2 accepted, 1 rejected.`"""
    words = [Outcome.of([one]).word for one in assessments]
    order = ("accepted", "rejected", "unknown", "failed")
    return ", ".join(f"{words.count(word)} {word}" for word in order if word in words) + "."


def _explain(sink: Sink, one: Assessment, *, verbose: bool) -> None:
    for what in one.consequences:
        verdict = what.verdict
        sink.line(verdict.outcome, f"{one.path}  on {verdict.target}{_how(one, what)}", STYLES[verdict.outcome])
        hints: set[str | None] = {None}
        reason = verdict.reason
        for finding in sorted(verdict.findings, key=lambda one: (one is not reason, one.severity != "error")):
            if finding.severity != "info" or verbose or finding is reason:
                _finding(sink, finding, with_hint=finding.hint not in hints, verbose=verbose)
                hints.add(finding.hint)
        _machine(sink, what)
        if verbose and verdict.applicable:
            _events(sink, what)
            _installation_log(sink, one, what)
    if verbose:
        _signatures(sink, one)


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
    said = []
    if what.status.code is not None:
        said.append(f"{what.status.code} {what.status.name or ''}".strip())
    if what.status.device_manager is not None:
        said.append(f"Device Manager code {what.status.device_manager}")
    ids = list(dict.fromkeys(event.id for event in what.events))
    if ids:
        said.append(f"events {', '.join(map(str, ids))}" if len(ids) > 1 else f"event {ids[0]}")
    if said:
        sink.print(f"  Windows says: {', '.join(said)}", style="dim")


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


def _table(sink: Sink, assessments: Sequence[Assessment]) -> None:
    """Write a row for each verdict, with its reason, or with a number if the sink is too narrow for reasons."""
    rows = [(str(one.path), what.verdict, what) for one in assessments for what in one.consequences]
    said = [what for *_, what in rows]
    columns = ("File", "Target", "Verdict", "Rule")
    cells = [(path, verdict.target, verdict.outcome, verdict.rule) for path, verdict, _ in rows]
    with_reasons = [(*row, reason_of(one)) for row, one in zip(cells, said, strict=True)]
    if sink.has_room((*columns, "Reason"), with_reasons):
        sink.table((*columns, "Reason"), with_reasons, cut_last=True)
        return
    numbers = number_reasons(said)
    sink.table((*columns, "Why"), [(*row, numbers[reason_key(one)]) for row, one in zip(cells, said, strict=True)])
    write_reasons(numbers, said, sink)
