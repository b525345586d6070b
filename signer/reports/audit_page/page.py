"""Put the page together: head, summary, charts, and the table of drivers with its data and script."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator, Sequence
from hashlib import sha256
from importlib.resources import files
from itertools import islice
from pathlib import PurePath, PureWindowsPath

from signer.audit.baseline import Difference
from signer.audit.rows import STOPPING, Row
from signer.records import dataclass
from signer.reports import tool
from signer.reports.audit_page import summary
from signer.reports.audit_page.charts import charts, share_of_answers
from signer.reports.audit_page.embedded import embedded
from signer.reports.audit_page.facets import FACETS, LABELS, Tally, tally, values
from signer.reports.audit_page.markup import number, text_of
from signer.reports.audit_words import headline
from signer.version import VERSION

_PLAIN_ROWS = 500
"""Maximum number of rows that show without JavaScript."""
_FILTERS = ("answer", "publisher", "device", "machine", "signature")
"""The facets with a list of values above the table."""
_SCRIPTS = ("rows", "filters", "charts", "table", "events")
"""The parts of the page's script, in their order."""
COLUMNS = {
    "file": "Driver",
    "answer": "Answer",
    "when": "Policy and date",
    "publisher": "Publisher",
    "device": "Device class",
    "signature": "Signature",
    "issued": "Issued",
    "machine": "Machines",
}


@dataclass(frozen=True)
class AuditAnswer:
    """An audit, as the page shows it."""

    rows: Callable[[], Iterable[Row]]
    """Returns all rows; called twice."""
    asked: summary.Asked
    changes: Sequence[Difference] | None
    """The differences from an earlier audit; None without one."""
    exit_code: int


def render(answer: AuditAnswer) -> Iterator[str]:
    """Yield the page in pieces."""
    changes = {one.key: one for one in answer.changes or ()}
    found = tally(answer.rows(), changes)
    title, script = headline(found.answers), _script()
    yield _head(title, script)
    yield f'<header><p class="muted">{tool.NAME} audit</p><h1>{_emphasized(title, found)}</h1>'
    yield f'<p class="muted">{text_of(summary.subtitle(found, answer.asked))}</p></header>\n<main id="content">\n'
    yield f"{share_of_answers(found)}{summary.legend(found)}{summary.cards(found, answer.asked)}"
    yield summary.baseline(answer.changes)
    yield f'<h2 id="scope">{"Drivers that stop" if found.stopping else "All files"}</h2>\n'
    yield f'<div class="charts">\n{charts(found)}</div>\n'
    yield from _table(answer.rows(), found.stopping)
    yield f'</main>\n<footer class="muted"><p>Made by {tool.NAME} {text_of(VERSION)}. '
    yield f"Exit code {answer.exit_code}.</p></footer>\n"
    yield '<script type="application/json" id="data">'
    yield from embedded(answer.rows(), changes)
    yield f"</script>\n<script>{script}</script>\n</body>\n</html>\n"


def _head(title: str, script: str) -> str:
    style = _data("report.css") + _data("audit.css")
    policy = (
        f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>{tool.NAME} audit: {text_of(title)}</title>
<style>{style}</style>
</head>
<body class="audit">
<a class="skip" href="#drivers">Skip to the table</a>
"""


def _table(rows: Iterable[Row], stopping: int) -> Iterator[str]:
    """Yield filters, which only the script shows, and the table with the rows that stop, which it replaces."""
    labels = "".join(
        f'<label>{FACETS[one].capitalize()}<select data-facet="{one}"><option value="">all</option></select></label>'
        for one in _FILTERS
    )
    heads = "".join(f'<th scope="col" data-column="{name}">{words}</th>' for name, words in COLUMNS.items())
    cut = f" The first {_PLAIN_ROWS} are shown." if stopping > _PLAIN_ROWS else ""
    yield (
        '<section id="drivers" tabindex="-1" aria-labelledby="drivers-title"><h2 id="drivers-title">Drivers</h2>\n'
        f'<noscript><p class="muted">Without JavaScript the table has only drivers that stop.{cut}</p></noscript>\n'
        '<form id="filters" role="search" hidden><label class="search">Search<input type="search" id="search" '
        'autocomplete="off" spellcheck="false" placeholder="file, publisher, hardware ID, hash …"></label>'
        f'{labels}</form>\n<p id="chips" hidden></p>\n<p id="status" class="muted" role="status" hidden></p>\n'
        '<div class="scroll" role="region" aria-label="Table of drivers" tabindex="0">\n'
        f"<table><thead><tr>{heads}</tr></thead>\n<tbody>\n"
    )
    for row in islice((one for one in rows if one.reason.answer in STOPPING), _PLAIN_ROWS):
        yield _row(row)
    yield '</tbody></table>\n</div>\n<nav id="pages" aria-label="Pages of the table" hidden></nav>\n</section>\n'


def _row(row: Row) -> str:
    found = values(row)
    reason = row.reason
    cells = (
        f'<span class="mark {reason.answer}">{LABELS[reason.answer]}</span>',
        *(text_of(", ".join(found[one])) for one in ("when", "publisher", "device", "signature")),
        text_of(row.identity.issued),
        number(len(row.machines)) if row.machines else "",
    )
    version = f' <span class="muted version">{text_of(row.identity.version)}</span>' if row.identity.version else ""
    head = f'<th scope="row"><bdi class="name">{text_of(_name(row.file))}</bdi>{version}</th>'
    return f"<tr>{head}{''.join(f'<td>{one}</td>' for one in cells)}</tr>\n"


def _name(path: str) -> str:
    """Return the name of a file of this system or of Windows."""
    return PureWindowsPath(path).name or PurePath(path).name


def _emphasized(title: str, found: Tally) -> str:
    """Make the first word of the title, the number, stand out in the color of the worst answer."""
    first, space, rest = title.partition(" ")
    worst = next((one for one in STOPPING if found.answers[one]), "loads")
    return f'<strong class="{worst}">{text_of(first)}</strong>{space}{text_of(rest)}'


def _script() -> str:
    """Return the parts of the script as one function, so that they share their names with each other alone."""
    parts = "\n".join(_data(f"audit/{name}.js") for name in _SCRIPTS)
    return f'"use strict";\n(() => {{\n{parts}}})();\n'


def _data(name: str) -> str:
    return files("signer.reports").joinpath(f"data/{name}").read_text("utf-8")


def _digest(text: str) -> str:
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"
