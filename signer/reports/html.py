"""Render a report as one HTML page without scripts that loads nothing: for people, on a screen, a phone and paper.

The verdicts are a grid of files and targets. Each verdict has a shape and a word as well as a color.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from html import escape
from importlib.resources import files

from signer.numbers import counted
from signer.reports import tool
from signer.reports.escape import printable, without_noncharacters
from signer.reports.links import page_of
from signer.reports.model import Check, Finding, Level, Link, Report, Result, Signature, Subject, Subjects
from signer.version import VERSION

_SHAPES: Mapping[Result, str] = {
    "accepted": "✓",
    "rejected": "✗",
    "unknown": "?",
    "not-applicable": "○",
    "failed": "!",
}
_WORDS: Mapping[Result, str] = {"not-applicable": "not applicable"}
_LEVELS: Mapping[Level, str] = {"error": "✗", "warning": "▲", "note": "i"}
_WIDE = 8
"""Columns from which the headings of the grid are vertical, and its cells have only the shape."""
_LISTED = 4
"""Targets of a finding that are listed; of more, the first and the number of the others are."""
_WIDE_CLASS = "grid wide"
MAX_FINDINGS = 1000
"""Maximum number of findings of a subject on the page."""


def render(report: Report) -> Iterator[str]:
    """Yield the page in pieces."""
    overview = _overview(report)
    yield _head(report, is_wide=_WIDE_CLASS in overview)
    yield f'<main id="content">\n{overview}'
    for number, subject in enumerate(report.subjects):
        yield _section(report, subject, number)
    yield f'</main>\n<footer class="muted"><p>Made by {tool.NAME} {_text(VERSION)}. '
    yield f"Exit code {report.exit_code}.</p></footer>\n</body>\n</html>\n"


def _head(report: Report, *, is_wide: bool) -> str:
    style = files("signer.reports").joinpath("data/report.css").read_text("utf-8")
    digest = b64encode(sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    title = f"{tool.NAME} {_text(report.command)}"
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>{title}: {_text(report.summary)}</title>
<style>{style}</style>
</head>
<body{' class="landscape"' if is_wide else ""}>
<a class="skip" href="#content">Skip to the verdicts</a>
<header><h1>{title}</h1><p>{_text(report.summary)}</p></header>
"""


def _overview(report: Report) -> str:
    """Return the grid; without targets, a list of the subjects."""
    if not len(report.subjects):
        return "<p>Nothing was checked.</p>\n"
    targets = list(dict.fromkeys(name for one in report.subjects for check in one.checks for name in check.targets))
    return _grid(report.subjects, targets) if targets else _list(report.subjects)


def _grid(subjects: Subjects, targets: list[str]) -> str:
    """Return the table of verdicts; its longer side goes down the page."""
    found = [{name: check.result for check in one.checks for name in check.targets} for one in subjects]
    names = _links(subjects)
    heads = [f'<span class="target">{_text(name)}</span>' for name in targets]
    cells = [[one.get(name) for name in targets] for one in found]
    across, down, rows, corner = heads, names, cells, "File"
    if len(targets) >= len(subjects):
        across, down, rows, corner = names, heads, [list(row) for row in zip(*cells, strict=True)], "Target"
    wide = len(across) >= _WIDE
    head = "".join(f'<th scope="col">{one}</th>' for one in (corner, *across))
    body = "".join(
        f'<tr><th scope="row">{name}</th>{"".join(map(_cell, row))}</tr>\n'
        for name, row in zip(down, rows, strict=True)
    )
    return (
        f"{_legend(one for row in cells for one in row)}"
        f'<div class="scroll" role="region" aria-label="Verdicts by file and target" tabindex="0">\n'
        f'<table class="{_WIDE_CLASS if wide else "grid"}"><thead><tr>{head}</tr></thead>\n'
        f"<tbody>\n{body}</tbody></table>\n</div>\n"
    )


def _cell(result: Result | None) -> str:
    if result is None:
        return "<td></td>"
    word = _WORDS.get(result, result)
    return f'<td class="{result}" title="{word}">{_SHAPES[result]}<span class="word"> {word}</span></td>'


def _legend(results: Iterable[Result | None]) -> str:
    present = set(results)
    marks = "".join(f"<li>{_mark(one)}</li>" for one in _SHAPES if one in present)
    return f'<ul class="legend" aria-label="Legend">{marks}</ul>\n'


def _list(subjects: Subjects) -> str:
    rows = "".join(
        f'<tr><th scope="row">{link}</th><td>{_mark(one.result)}</td><td>{len(one.problems)}</td></tr>\n'
        for link, one in zip(_links(subjects), subjects, strict=True)
    )
    head = '<tr><th scope="col">File</th><th scope="col">Verdict</th><th scope="col">Problems</th></tr>'
    return (
        '<div class="scroll" role="region" aria-label="Verdicts by file" tabindex="0">\n'
        f"<table><thead>{head}</thead>\n<tbody>\n{rows}</tbody></table>\n</div>\n"
    )


def _section(report: Report, subject: Subject, number: int) -> str:
    shown = subject.findings[:MAX_FINDINGS]
    findings = "".join(_finding(report, one) for one in shown)
    left = len(subject.findings) - len(shown)
    parts = [
        f'<section id="s{number}" aria-labelledby="h{number}">\n<h2 id="h{number}">{_mark(subject.result)} '
        f'{_name(subject.name)} <span class="muted">{_text(subject.kind)}</span></h2>\n',
        _targets(subject.checks),
        f'<h3>Findings</h3>\n<ul class="findings">\n{findings}</ul>\n' if findings else "",
        f"<p>{counted(left, 'more finding')}: --report json=FILE has all of them.</p>\n" if left else "",
        "<h3>Signatures</h3>\n" if subject.signatures else "",
        *map(_signature, subject.signatures),
        "</section>\n",
    ]
    return "".join(parts)


def _targets(checks: tuple[Check, ...]) -> str:
    if not checks:
        return ""
    head = "".join(f'<th scope="col">{one}</th>' for one in ("Releases", "Verdict", "Rule", "Why"))
    rows = "".join(
        f"<tr><td>{_text(one.label)}</td><td>{_mark(one.result)}</td><td><code>{_text(one.rule)}</code></td>"
        f"<td>{_paragraphs(one.reason, *one.details)}</td></tr>\n"
        for one in checks
    )
    return f'<table class="targets"><thead><tr>{head}</tr></thead>\n<tbody>\n{rows}</tbody></table>\n'


def _finding(report: Report, one: Finding) -> str:
    place, page, source = report.place(one), page_of(one.source), _text(one.source)
    source = f'<a href="{page}" rel="noreferrer">{source}</a>' if page else source
    targets = _text(", ".join(one.targets) if len(one.targets) <= _LISTED else one.where)
    about = [
        f"<p>In {_name(place)}</p>" if place else "",
        f"<p><b>Fix:</b> {_text(one.fix)}</p>" if one.fix else "",
        f'<p class="muted">Source: {source}</p>' if source else "",
        f'<p class="muted">Targets: {targets}</p>' if targets else "",
    ]
    mark = f'<span class="mark {one.level}">{_LEVELS[one.level]} {one.level}</span>'
    return f"<li><p>{mark} <code>{_text(one.code)}</code> {_text(one.message)}</p>{''.join(about)}</li>\n"


def _signature(one: Signature) -> str:
    facts = "".join(f"<dt>{_text(name)}</dt><dd>{_text(value)}</dd>" for name, value in one.facts)
    chain = "".join(map(_certificate, one.chain))
    chain = f"<h3>Chain, from the signer</h3><ol>{chain}</ol>" if chain else ""
    return f"<details><summary>{_text(one.title)}</summary><div><dl>{facts}</dl>{chain}</div></details>\n"


def _certificate(one: Link) -> str:
    facts = f"{_text(one.validity)}; SHA-1 <code>{_text(one.sha1)}</code>"
    return f'<li>{_text(one.subject)}<br><span class="muted">{facts}</span></li>'


def _mark(result: Result) -> str:
    return f'<span class="mark {result}">{_SHAPES[result]} {_WORDS.get(result, result)}</span>'


def _links(subjects: Subjects) -> list[str]:
    """Return a link to each subject, named by its path without the folder that all of them are in."""
    first, last = min(one.name for one in subjects), max(one.name for one in subjects)
    shared = next((n for n, pair in enumerate(zip(first, last, strict=False)) if pair[0] != pair[1]), 0)
    length = max(first.rfind("/", 0, shared), first.rfind("\\", 0, shared)) + 1
    return [f'<a href="#s{number}">{_name(one.name[length:])}</a>' for number, one in enumerate(subjects)]


def _name(text: str) -> str:
    return f'<bdi class="name">{_text(text)}</bdi>'


def _paragraphs(*texts: str) -> str:
    return "".join(f"<p>{_text(one)}</p>" for one in texts if one)


def _text(text: str) -> str:
    """Escape text for an element or an attribute in quotes."""
    return escape(without_noncharacters(printable(text)))
