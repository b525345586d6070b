"""What was verified, as a person reads it: the verdict, the reason, the next command."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from signer.cli.assess import Assessment
from signer.cli.output import Output
from signer.cli.terminal import STYLES
from signer.policy.targets import Target

if TYPE_CHECKING:
    from signer.codeintegrity.consequences import Consequences
    from signer.codeintegrity.events import Event
    from signer.policy.findings import Finding

_DETAILED = 6
"""Up to so many verdicts each is explained; beyond there is a table, and -v explains."""


def show(output: Output, assessments: Sequence[Assessment], *, matrix: bool) -> None:
    """Print all of it."""
    known = [one for one in assessments if one.error is None]
    verdicts = sum(len(one.consequences) for one in known)
    if matrix or (verdicts > _DETAILED and not output.verbose):
        _table(output, known, matrix=matrix)
    else:
        for one in known:
            _explain(output, one)


def summary(output: Output, assessments: Sequence[Assessment]) -> None:
    """How many of what, where there are many."""
    if len(assessments) < 2:
        return
    words = [_word(one) for one in assessments]
    order = ("accepted", "rejected", "unknown", "failed")
    output.note(", ".join(f"{words.count(word)} {word}" for word in order if word in words) + ".")


def _word(one: Assessment) -> str:
    if one.error is not None:
        return "failed"
    return "accepted" if one.accepted else "rejected" if one.rejected else "unknown"


def _explain(output: Output, one: Assessment) -> None:
    for what in one.consequences:
        verdict = what.verdict
        output.line(verdict.outcome, f"{one.path}  on {verdict.target}{_how(one, what)}", STYLES[verdict.outcome])
        hints: set[str | None] = {None}
        reason = verdict.reason
        for finding in sorted(verdict.findings, key=lambda one: (one is not reason, one.severity != "error")):
            if finding.severity != "info" or output.verbose or finding is reason:
                _finding(output, finding, with_hint=finding.hint not in hints)
                hints.add(finding.hint)
        _machine(output, what)
        if one.inf is not None and output.verbose:
            _installation_log(output, one, what)
    _signatures(output, one)


def _how(one: Assessment, what: Consequences) -> str:
    """What the verdict is about: a package is installed, a driver loaded."""
    return "  (installation)" if one.kind == "package" else f"  (rule {what.verdict.rule})"


def _finding(output: Output, finding: Finding, *, with_hint: bool) -> None:
    word = {"error": "error", "warning": "warning"}.get(finding.severity, "")
    prefix = f"  {word}: " if word else "  "
    output.print(f"{prefix}{finding.message}", style=STYLES.get(word))
    if with_hint:
        output.print(f"    {finding.hint}", style="dim")
    if output.verbose:
        output.print(f"    [{finding.code}; {finding.source}]", style="dim")


def _machine(output: Output, what: Consequences) -> None:
    """What Windows itself would say."""
    said = []
    if what.status.code is not None:
        said.append(f"{what.status.code} {what.status.name or ''}".strip())
    if what.status.device_manager is not None:
        said.append(f"Device Manager code {what.status.device_manager}")
    ids = list(dict.fromkeys(event.id for event in what.events))
    if ids:
        said.append(f"events {', '.join(map(str, ids))}" if len(ids) > 1 else f"event {ids[0]}")
    if said:
        output.print(f"  Windows says: {', '.join(said)}", style="dim")
    if output.verbose:
        for event in what.events:
            _event(output, event)


def _event(output: Output, event: Event) -> None:
    """One event as the log has it: its text, and the fields that do not depend on the machine."""
    output.print(f"    event {event.id} ({event.channel}): {' '.join(event.message.split())}", style="dim")
    for name, value in event.data.items():
        if value is not None and str(value) not in event.message:
            output.print(f"      {name} = {value}", style="dim")


def _installation_log(output: Output, one: Assessment, what: Consequences) -> None:
    """What setupapi.dev.log would say about the INF."""
    from signer.policy.setupapi import log_lines

    catalog = one.evidence.name if one.evidence is not None else None
    output.print("  In setupapi.dev.log:", style="dim")
    for line in log_lines(one.inf or "", catalog, what.verdict):
        output.print(f"    {line}", style="dim")


def _signatures(output: Output, one: Assessment) -> None:
    """The signatures, where a person asked for more."""
    if not output.verbose or one.evidence is None:
        return
    from signer.certificates import common_name
    from signer.cli.verdict_json import iso
    from signer.policy.classify import classify, publisher

    for each, paths in zip(one.evidence.signatures, one.paths, strict=True):
        kind = classify(each, paths.classification_paths)
        signer = common_name(each.signer) if each.signer is not None else "no known signer"
        of = publisher(each, kind)
        who = f"{signer} for {of}" if of and of != signer else signer
        place = f"catalog {each.catalog}" if each.catalog else each.source
        time = iso(each.timestamp.time) if each.timestamp else "no timestamp"
        output.print(f"  signature {each.index}: {who} ({place}, {kind}, {each.state}, {time})", style="dim")


def _table(output: Output, assessments: Sequence[Assessment], *, matrix: bool) -> None:
    if not matrix:
        files = [((str(one.path),), what) for one in assessments for what in one.consequences]
        _rows(output, ("File",), files)
        return
    for one in assessments:
        about = ": is it installed?" if one.kind == "package" else ": is it loaded?" if len(assessments) > 1 else ""
        whole = _rows(output, (), [((), what) for what in one.consequences], title=f"{one.path}{about}")
        if whole:
            _reasons(output, one)


def _rows(
    output: Output,
    before: tuple[str, ...],
    rows: Sequence[tuple[tuple[str, ...], Consequences]],
    title: str | None = None,
) -> bool:
    """A row for each verdict, with its reason; where the screen is too narrow for that, reasons stand below by number.

    Returns whether the reasons are in the rows.
    """
    columns = (*before, "Target", "Verdict", "Rule")
    cells = [(*first, what.verdict.target, what.verdict.outcome, what.verdict.rule) for first, what in rows]
    with_reasons = [(*row, _reason(what)) for row, (_, what) in zip(cells, rows, strict=True)]
    if output.has_room((*columns, "Reason"), with_reasons):
        output.table((*columns, "Reason"), with_reasons, title=title, cut_last=True)
        return True
    numbers = {key: number for number, key in enumerate(dict.fromkeys(_sort_of(what) for _, what in rows), start=1)}
    numbered = [(*row, numbers[_sort_of(what)]) for row, (_, what) in zip(cells, rows, strict=True)]
    output.table((*columns, "Why"), numbered, title=title)
    _numbered_reasons(output, numbers, [what for _, what in rows])
    return False


def _numbered_reasons(output: Output, numbers: dict[object, int], said: Sequence[Consequences]) -> None:
    """Each reason once, as of the first target that has it, and what to do about it."""
    for key, number in numbers.items():
        what = next(one for one in said if _sort_of(one) == key)
        mark = f"{number:>3}  "
        output.paragraph(mark, f"{_reason(what) or what.verdict.rule}.")
        if what.next_step:
            output.paragraph(" " * len(mark), what.next_step, style="dim")
    output.print()


def _sort_of(what: Consequences) -> object:
    """What reasons have in common that differ by the name of the release only."""
    verdict = what.verdict
    return verdict.outcome, verdict.rule, _reason(what).replace(Target.parse(verdict.target).title, "")


def _reasons(output: Output, one: Assessment) -> None:
    """Below a matrix: each rule that says no or does not know, once, in full."""
    seen: set[str] = set()
    for what in one.consequences:
        verdict = what.verdict
        if verdict.accepted or verdict.rule in seen:
            continue
        seen.add(verdict.rule)
        output.print(f"{verdict.rule} (as on {verdict.target}): {_reason(what)}")
        if what.next_step:
            output.print(f"  {what.next_step}", style="dim")
    if seen:
        output.print()


def _reason(what: Consequences) -> str:
    """The sentence that goes with the verdict."""
    reason = what.verdict.reason
    return reason.message if reason is not None else ""
