"""Say in the head of the page when drivers stop, whose they are, what to do, and what changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from signer.audit.baseline import Change, Difference
from signer.audit.rows import ANSWERS, Answer
from signer.records import dataclass
from signer.reports.audit_page.facets import LABELS, STOPS_NOW, Tally
from signer.reports.audit_page.markup import link_to, number, text_of

_NAMED = 4
"""Number of policies, publishers and remedies in the head."""
_GONE = 200
"""Maximum number of drivers that are listed as gone."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What was audited against what."""

    target: str | None
    """The target in words; None for the newest release of each driver's architecture."""
    at: datetime


def subtitle(found: Tally, asked: Asked) -> str:
    """Return target, date, and numbers of packages and machines in one line."""
    machines, packages = len(found.facets["machine"]), found.packages
    return " · ".join(
        filter(
            None,
            (
                asked.target or "Newest Windows release for each driver",
                f"checked on {_day(asked.at)}",
                f"{number(packages)} package{'' if packages == 1 else 's'}" if packages else "",
                f"{number(machines)} machine{'' if machines == 1 else 's'}" if machines else "",
            ),
        )
    )


def legend(found: Tally) -> str:
    """Return the number of each answer, as links that filter."""
    items = "".join(
        f'<li><a href="{text_of(link_to("answer", one))}"><svg class="swatch" viewBox="0 0 10 10" aria-hidden="true">'
        f'<rect class="{one}" width="10" height="10" rx="2"></rect></svg>'
        f"<b>{number(found.answers[one])}</b> {LABELS[one]}</a></li>"
        for one in ANSWERS
        if found.answers[one]
    )
    return f'<ul class="legend" aria-label="Drivers by answer">{items}</ul>\n'


def cards(found: Tally, asked: Asked) -> str:
    """Return when drivers stop, whose they are, and what to do; nothing if none stops."""
    if not found.stopping:
        return ""
    when = [(_since(value, asked.at), value, numbers) for value, numbers in found.counted("when")]
    whose = [(value, value, numbers) for value, numbers in found.counted("publisher")]
    remedies = [(value, value, numbers) for value, numbers in found.counted("remedy")]
    return (
        f'<div class="cards">{_card("When", "when", when)}{_card("Whose", "publisher", whose)}'
        f"{_card('What to do', 'remedy', remedies)}</div>\n"
    )


def _card(head: str, facet: str, counted: Sequence[tuple[str, str, Counter[Answer]]]) -> str:
    items = "".join(
        f'<li><a href="{text_of(link_to(facet, value))}"><b>{number(numbers.total())}</b> '
        f"<bdi>{text_of(words)}</bdi></a></li>"
        for words, value, numbers in counted[:_NAMED]
    )
    left = len(counted) - _NAMED
    rest = f'<p class="muted">and {number(left)} more</p>' if left > 0 else ""
    return f'<section class="card {facet}"><h2>{head}</h2><ul>{items}</ul>{rest}</section>'


def _since(when: str, at: datetime) -> str:
    """Return a policy with its date in words; the date is past or to come."""
    policy, comma, date = when.rpartition(", from ")
    if not comma:
        return f"{when}: when it is on"
    day = datetime.fromisoformat(date)
    return f"{'Since' if day.date() <= at.date() else 'From'} {_day(day)}: {policy}"


def _day(day: datetime) -> str:
    return f"{day.day} {day:%B %Y}"


def baseline(changes: Sequence[Difference] | None) -> str:
    """Return what changed since the earlier audit; nothing without one."""
    if changes is None:
        return ""
    numbers = Counter(one.change for one in changes)
    numbers_now = sum(one.stops_now for one in changes)
    links = [(STOPS_NOW, numbers_now, "stop now and did not"), *_kinds(numbers)]
    items = "".join(
        f'<li><a href="{text_of(link_to("change", value))}"><b>{number(count)}</b> {words}</a></li>'
        for value, count, words in links
        if count
    )
    gone = [one for one in changes if one.change == "gone"]
    body = f'<ul class="legend">{items}</ul>' if items else ""
    body += _gone(gone) if gone else ""
    return f'<section id="changes"><h2>Since the earlier audit</h2>{body or "<p>No driver changed.</p>"}</section>\n'


def _kinds(numbers: Counter[Change]) -> list[tuple[str, int, str]]:
    return [
        ("changed", numbers["changed"], "changed their answer" if numbers["changed"] != 1 else "changed its answer"),
        ("new", numbers["new"], "new"),
    ]


def _gone(gone: Sequence[Difference]) -> str:
    items = "".join(
        f'<li><bdi class="name">{text_of(one.file)}</bdi> <span class="muted">was: '
        f"{LABELS[one.was] if one.was else ''}</span></li>"
        for one in gone[:_GONE]
    )
    left = len(gone) - _GONE
    rest = f"<p>and {number(left)} more: --json has all of them.</p>" if left > 0 else ""
    return f"<details><summary>{number(len(gone))} gone</summary><div><ul>{items}</ul>{rest}</div></details>"
