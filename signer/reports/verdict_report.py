"""Turn assessments into the model of reports, and write them in a format of `signer.reports.renderers`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

from signer.records import dataclass
from signer.reports.matrix import MatrixRow, matrix_rows, reason_of
from signer.reports.model import Check, Finding, Level, Link, Report, Rule, Signature, Subject, titled
from signer.reports.problem_report import line_in
from signer.reports.renderers import render_report
from signer.reports.verdict_json import signatures
from signer.reports.verdict_text import joined_findings, said_by_windows

if TYPE_CHECKING:
    from catalogs.verification.assessment import Assessment, Outcome
    from signer.codeintegrity.consequences import Consequences
    from signer.errors import SignerError
    from signer.policy import findings as policy
    from signer.reports.formats import ReportOptions
    from signer.reports.sink import Sink


@dataclass(frozen=True, slots=True)
class Summary:
    """The subject of an assessment, and the rules of its findings."""

    subject: Subject
    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class ModelReport:
    """Write assessments in a format of `signer.reports.renderers`."""

    name: str
    options: ReportOptions

    def serialize(self, assessment: Assessment) -> Summary:
        """Return the model of one assessment."""
        return summarize(assessment)

    def keep(self, content: Any) -> Any:
        """Return the content."""
        return content

    def teller(self, sink: Sink) -> None:
        """Return None: the report depends on all assessments."""

    def write(self, contents: Sequence[Summary], outcome: Outcome, sink: Sink) -> None:
        """Write the report of these assessments."""
        code = self.options.exit_code(outcome)
        report = report_of(self.options.command, contents, code)
        for piece in render_report(self.name, replace(report, places=self.options.places)):
            sink.write(piece)


def report_of(command: str, summaries: Sequence[Summary], exit_code: int) -> Report:
    """Combine the subjects of assessments. Of rules with equal codes, one with the level error counts."""
    rules: dict[str, Rule] = {}
    for one in (rule for summary in summaries for rule in summary.rules):
        if one.code not in rules or one.level == "error":
            rules[one.code] = one
    return Report(command, tuple(one.subject for one in summaries), rules, exit_code)


def summarize(assessment: Assessment) -> Summary:
    """Return the model of one assessment."""
    from catalogs.verification.assessment import Outcome

    path = assessment.path
    place = path / assessment.inf if assessment.kind == "package" and assessment.inf else path
    found = list(_findings(assessment, place))
    subject = Subject(
        str(path),
        assessment.kind,
        Outcome.of([assessment]).word,
        tuple(one for one, _ in found),
        tuple(_check(row) for row in matrix_rows(assessment.consequences)),
        tuple(_signature(one) for one in signatures(assessment)),
    )
    rules = {one.code: Rule(one.code, title, one.fix or "", one.source, one.level) for one, title in reversed(found)}
    return Summary(subject, tuple(rules.values()))


def _findings(assessment: Assessment, place: Path) -> Iterator[tuple[Finding, str]]:
    """Yield each finding once, with the title of its rule, errors first; every rejection has an error."""
    if assessment.error is not None:
        yield _error(assessment.error, place), titled(assessment.error.code)
        return
    found: dict[object, tuple[policy.Finding, Level, list[str]]] = {}
    counting = [one for one in assessment.consequences if one.verdict.applicable] or assessment.consequences[:1]
    for one in counting:
        for finding, level in _levelled(one.verdict):
            message = finding.message.replace(one.target.title, "")
            key = (finding.code, level, message, finding.hint)
            found.setdefault(key, (finding, level, []))[2].append(one.verdict.target)
    for finding, level, targets in sorted(found.values(), key=lambda one: one[1] != "error"):
        model = Finding(
            finding.code, level, finding.message, *_where(finding, assessment, place), finding.hint, finding.source,
            tuple(dict.fromkeys(targets)),
        )  # fmt: skip
        yield model, _statement(assessment.policy, finding.rule) or titled(finding.code)


def _where(finding: policy.Finding, assessment: Assessment, place: Path) -> tuple[PurePath, int | None]:
    """Return the file and the line of a finding: its own line, else [Version] of the first INF."""
    if finding.place is not None:
        return place.parent / finding.place.path.name, finding.place.line
    return place, line_in(place, assessment.inf_line)


def _levelled(verdict: policy.Verdict) -> Iterator[tuple[policy.Finding, Level]]:
    """Yield the errors and warnings of a verdict with their levels; of a rejection at least one is an error.

    What rejects a signature is a warning where no source decides about the file, as the file is not rejected.
    """
    shown = joined_findings([one for one in verdict.findings if one.severity != "info"])
    refused = verdict.outcome in ("rejected", "not-applicable")
    levels: dict[str, Level] = {"error": "error" if refused else "warning", "warning": "warning", "info": "note"}
    if verdict.reason is not None and refused and not any(one.severity == "error" for one in shown):
        yield verdict.reason, "error"
        shown = [one for one in shown if one != verdict.reason]
    elif verdict.reason is not None and not verdict.decided and not shown:
        yield verdict.reason, "warning"
    yield from ((one, levels[one.severity]) for one in shown)


def _error(error: SignerError, place: Path) -> Finding:
    path = error.path or place
    return Finding(error.code, "error", error.message, path, line_in(path, error.line), error.hint)


@cache
def _statement(policy_name: str, rule: str) -> str:
    """Return the requirement of a rule as a sentence; empty for a rule without one."""
    from signer.policy.judge import policy
    from signer.policy.package import RULES

    rules: list[Any] = [*policy(policy_name).rules(), *RULES]
    return next((one.statement for one in rules if one.name == rule), "")


def _check(row: MatrixRow) -> Check:
    what = row.first
    return Check(
        tuple(target.name for target in row.targets),
        row.label,
        what.verdict.outcome,
        what.verdict.rule,
        reason_of(what),
        tuple(_details(what)),
    )


def _details(what: Consequences) -> Iterator[str]:
    said = said_by_windows(what)
    if said:
        yield f"Windows says: {', '.join(said)}"
    if what.next_step:
        yield what.next_step


def _signature(one: dict[str, Any]) -> Signature:
    """Convert the JSON form of a signature."""
    signer, stamp = one["signer"], one["timestamp"]
    place = f"catalog {one['catalog']}" if one["catalog"] else one["source"]
    facts = {
        "Class": one["class"],
        "State": "intact" if one["intact"] else "not intact",
        "Digest": one["digest_algorithm"],
        "Page hashes": one["page_hashes"],
        "Program name": one["program_name"],
        "URL": one["url"],
        "Issuer": signer["issuer"],
        "Serial number": signer["serial"],
        "SHA-256": signer["sha256"],
        "Timestamp": f"{stamp['time']} by {stamp['signer']} ({stamp['kind']})" if stamp else "none",
        "Root": one["root"] or "no trusted root",
    }
    chain = tuple(
        Link(each["subject"], f"{each['not_before'][:10]} to {each['not_after'][:10]}", each["sha1"])
        for each in one["chain"]
    )
    title = f"{signer['common_name'] or 'unknown signer'} ({place})"
    return Signature(title, tuple((name, str(value)) for name, value in facts.items() if value), chain)
