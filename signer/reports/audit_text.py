"""Report an audit as text: the drivers that stop, by policy and remedy, then numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby, islice
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


def listed_answers(*, verbose: bool) -> tuple[Answer, ...]:
    """Return the answers whose drivers `write_audit` lists."""
    return _LISTED_IF_VERBOSE if verbose else _LISTED


def write_audit(rows: Iterable[Row], counts: Counter[Answer], sink: Sink, *, verbose: bool = False) -> None:
    """Write drivers with `listed_answers`, each group with its remedy, and the number of drivers with each answer.

    The rows are in the order of `Ledger.rows`, and are written as they are read. `verbose` lists all of them.
    """
    for answer, group in groupby(rows, lambda row: row.reason.answer):
        sink.line(_count(counts[answer], "driver"), f"{_title(answer, counts[answer])}:", _STYLES.get(answer))
        shown = counts[answer] if verbose else min(counts[answer], _SHOWN)
        _write_group(islice(group, shown), sink)
        if counts[answer] > shown:
            left = counts[answer] - shown
            sink.print(f"    … and {left} more; -v lists all, --output FILE writes them to a table")
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


def _write_group(rows: Iterable[Row], sink: Sink) -> None:
    """Write the drivers of one answer by policy and remedy, which are the same for many."""
    for (policy, date, remedy), same in groupby(rows, _cause):
        if policy:
            sink.paragraph("  ", f"{policy[:1].upper()}{policy[1:]}{f', from {date} on' if date else ''}:")
        for row in same:
            sink.paragraph("    ", _described(row))
        if remedy:
            sink.paragraph("  hint: ", remedy)


def _cause(row: Row) -> tuple[str, str, str]:
    return row.reason.policy, row.reason.date, row.reason.remedy


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


def _title(answer: Answer, count: int) -> str:
    return _TITLES[answer][count != 1]


def _count(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
