"""Report an audit as text: the drivers that stop, by policy and remedy, then numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import PurePath
from typing import TYPE_CHECKING

from signer.audit.rows import ANSWERS, STOPPING, Answer, Row

if TYPE_CHECKING:
    from signer.audit.baseline import Difference
    from signer.reports.sink import Sink

_SHOWN = 50
"""Maximum number of drivers of one answer that are listed without --verbose."""
_TITLES: Mapping[Answer, tuple[str, str]] = {
    "stops": ("stops loading", "stop loading"),
    "stops-unless-allowed": (
        "stops loading unless the allow list names it",
        "stop loading unless the allow list names them",
    ),
    "already-refused": ("did not load before", "did not load before"),
    "unknown": ("is decided by no public source", "are decided by no public source"),
    "needs-file": ("can't be decided without a readable file", "can't be decided without a readable file"),
    "loads": ("loads", "load"),
    "not-for-target": ("is for another architecture", "are for another architecture"),
    "not-a-driver": ("file is never loaded by the kernel", "files are never loaded by the kernel"),
}
_STYLES: Mapping[Answer, str] = {"stops": "bold red", "stops-unless-allowed": "bold yellow", "needs-file": "yellow"}
_LISTED: tuple[Answer, ...] = (*STOPPING, "unknown", "needs-file")
_LISTED_IF_VERBOSE: tuple[Answer, ...] = (*_LISTED, "already-refused")


def write_audit(rows: Iterable[Row], counts: Counter[Answer], sink: Sink, *, verbose: bool = False) -> None:
    """Write the drivers that matter, each group with its remedy, and the number of drivers with each answer.

    `verbose` lists all of them, and those that did not load before.
    """
    listed = _LISTED_IF_VERBOSE if verbose else _LISTED
    for answer, group in groupby(rows, lambda row: row.reason.answer):
        if answer not in listed:
            continue
        sink.line(_count(counts[answer], "driver"), f"{_title(answer, counts[answer])}:", _STYLES.get(answer))
        _write_group(list(_first(group, None if verbose else _SHOWN)), counts[answer], sink)
        sink.print()
    sink.print(", ".join(f"{counts[answer]} {_title(answer, counts[answer])}" for answer in ANSWERS if counts[answer]))


def write_differences(found: Sequence[Difference], sink: Sink) -> None:
    """Write what changed since an earlier audit: numbers, and the drivers that stop now and did not."""
    numbers = Counter(one.change for one in found)
    stopping = [one for one in found if one.stops_now]
    words = ", ".join(f"{numbers[change]} {change}" for change in ("changed", "new", "gone") if numbers[change])
    sink.print(f"Since the earlier audit: {words or 'no driver changed'}.")
    for one in stopping:
        sink.paragraph("  ", f"{one.file}: {one.was or 'new'}, now {one.now}")


def _write_group(rows: Sequence[Row], total: int, sink: Sink) -> None:
    """Write the drivers of one answer by remedy: the remedy is the same for many."""
    reasons: dict[tuple[str, str, str], list[Row]] = {}
    for row in rows:
        reasons.setdefault((row.reason.policy, row.reason.date, row.reason.remedy), []).append(row)
    for (policy, date, remedy), same in reasons.items():
        if policy:
            sink.paragraph("  ", f"{policy[:1].upper()}{policy[1:]}{f', from {date} on' if date else ''}:")
        for row in same:
            sink.paragraph("    ", _described(row))
        if remedy:
            sink.paragraph("  hint: ", remedy)
    if total > len(rows):
        sink.print(f"    … and {total - len(rows)} more; -v lists all, --output FILE writes them to a table")


def _described(row: Row) -> str:
    """Return file, version, publisher, signature, packages and machines of a driver in one line."""
    who = row.identity
    signed = " ".join(filter(None, (who.signature_class, who.issued)))
    publisher = who.submitter or who.publisher
    infs = [name for name in dict.fromkeys(PurePath(one.inf).name for one in row.packages) if name != row.file]
    name = PurePath(row.file).name if infs else row.file
    absent = "" if row.present else "the file is not here"
    text = ", ".join(filter(None, (f"{name} {who.version}".rstrip(), publisher, signed, absent)))
    if infs:
        text += f"; {_shortened(infs)}"
    if row.machines:
        text += f"; on {_shortened(_machines(row))}"
    if row.reason.origin == "log":
        text += f"; {row.events[0]}"
    return text


def _machines(row: Row) -> Sequence[str]:
    """Return the machines, each with its answer if it is not that of the row."""
    own = row.reason.answer
    named = [one for one in row.answers if one.machine]
    return [one.machine if one.reason.answer == own else f"{one.machine} ({one.reason.answer})" for one in named] or (
        row.machines
    )


def _shortened(names: Sequence[str]) -> str:
    shown = ", ".join(names[:3])
    return f"{shown} and {len(names) - 3} more" if len(names) > 3 else shown


def _first(rows: Iterable[Row], limit: int | None) -> Iterator[Row]:
    """Yield the first rows, and read the others, so that the next group follows."""
    for number, row in enumerate(rows):
        if limit is None or number < limit:
            yield row


def _title(answer: Answer, count: int) -> str:
    return _TITLES[answer][count != 1]


def _count(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
