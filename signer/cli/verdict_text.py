"""What was verified, as a person reads it: the verdict, the reason, the next command."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from signer.cli.assess import Assessment
from signer.cli.output import STYLES, Output

if TYPE_CHECKING:
    from signer.codeintegrity.consequences import Consequences
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
        for finding in sorted(verdict.findings, key=lambda finding: finding.severity != "error"):
            if finding.severity != "info" or output.verbose or _says_why(what, finding):
                _finding(output, finding, with_hint=finding.hint not in hints)
                hints.add(finding.hint)
        _machine(output, what)
        if one.inf is not None and output.verbose:
            _installation_log(output, one, what)
    _signatures(output, one)


def _how(one: Assessment, what: Consequences) -> str:
    """What the verdict is about: a package is installed, a driver loaded."""
    return "  (installation)" if one.kind == "package" else f"  (rule {what.verdict.rule})"


def _says_why(what: Consequences, finding: Finding) -> bool:
    """Whether this is the sentence that says why it is accepted."""
    return what.verdict.accepted and finding.message == _reason(what)


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
        kind = classify(each, paths.telling)
        signer = common_name(each.signer) if each.signer is not None else "no known signer"
        of = publisher(each, kind)
        who = f"{signer} for {of}" if of and of != signer else signer
        place = f"catalog {each.catalog}" if each.catalog else each.source
        time = iso(each.timestamp.time) if each.timestamp else "no timestamp"
        state = "intact" if each.intact else "broken"
        output.print(f"  signature {each.index}: {who} ({place}, {kind}, {state}, {time})", style="dim")


def _table(output: Output, assessments: Sequence[Assessment], *, matrix: bool) -> None:
    if not matrix:
        files = [(one.path, *_row(what)) for one in assessments for what in one.consequences]
        output.table(("File", "Target", "Verdict", "Rule", "Reason"), files, cut_last=True)
        return
    for one in assessments:
        about = ": is it installed?" if one.kind == "package" else ": is it loaded?" if len(assessments) > 1 else ""
        rows = [_row(what) for what in one.consequences]
        output.table(("Target", "Verdict", "Rule", "Reason"), rows, title=f"{one.path}{about}", cut_last=True)
        _reasons(output, one)


def _row(what: Consequences) -> tuple[str, str, str, str]:
    return what.verdict.target, what.verdict.outcome, what.verdict.rule, _reason(what)


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
    """The sentence that goes with the verdict: that of the rule which decided, as far as codes tell."""
    verdict = what.verdict
    wanted = {"accepted": "info", "rejected": "error"}.get(verdict.outcome, "warning")
    fitting = [finding for finding in verdict.findings if finding.severity == wanted] or list(verdict.findings)
    # Codes mostly begin with the name of their rule: "driver-policy-unknown" is said by "driver-policy".
    by_rule = [finding for finding in fitting if finding.code.startswith(verdict.rule)]
    if by_rule or not fitting:
        return by_rule[0].message if by_rule else ""
    codes = {code for one in verdict.signatures if one.outcome == verdict.outcome for code in one.codes}
    of_signature = [finding for finding in fitting if finding.code in codes]
    # Of what is said about the signature that counts, the last is why it is accepted, and the first why it is not.
    return (of_signature[-1 if verdict.accepted else 0] if of_signature else fitting[0]).message
