"""Report an audit as text: the drivers that stop, by policy and remedy, then numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby, islice
from pathlib import PurePath, PureWindowsPath
from typing import TYPE_CHECKING

from signer.audit.rows import ANSWERS, STOPPING, Answer, Row
from signer.reports.audit_words import drivers, headline, without_answer

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
    "unknown": ("has no answer in public sources", "have no answer in public sources"),
    "needs-file": ("needs a readable file", "need a readable file"),
    "loads": ("loads", "load"),
    "not-for-target": ("is for another architecture", "are for another architecture"),
    "not-a-driver": ("file is never loaded by the kernel", "files are never loaded by the kernel"),
}
_FOLDER_WIDTH = 18
"""Number of characters of a folder that fit a column of a narrow terminal."""
_STYLES: Mapping[Answer, str] = {"stops": "bold red", "stops-unless-allowed": "bold yellow", "needs-file": "yellow"}
_COLUMNS = ("Driver", "Publisher", "Signed", "Where")
_IN_HEADLINE: frozenset[Answer] = frozenset({*STOPPING, "already-refused", "needs-file"})
"""Answers that the headline names with their number, if it is that of all drivers."""
_LISTED: tuple[Answer, ...] = (*STOPPING, "unknown", "needs-file")
_LISTED_IF_VERBOSE: tuple[Answer, ...] = (*_LISTED, "already-refused")


def listed_answers(*, verbose: bool) -> tuple[Answer, ...]:
    """Return the answers whose drivers `write_audit` lists."""
    return _LISTED_IF_VERBOSE if verbose else _LISTED


def write_audit(rows: Iterable[Row], counts: Counter[Answer], sink: Sink, *, verbose: bool = False) -> bool:
    """Write how many drivers stop, then drivers with `listed_answers`, each group with its remedy.

    The rows are in the order of `Ledger.rows`, and are written as they are read. `verbose` lists all of them. Return
    whether the text ends with a blank line.
    """
    worst = next((one for one in STOPPING if counts[one]), None)
    all_load = drivers(counts) and not without_answer(counts)
    sink.print(f"{headline(counts)}.", _STYLES[worst] if worst is not None else "green" if all_load else None)
    answers = [one for one in ANSWERS if counts[one]]
    if len(answers) > 1 or not _IN_HEADLINE.issuperset(answers):
        sink.paragraph("", ", ".join(f"{counts[one]:,} {_title(one, counts[one])}" for one in answers))
    ends_blank = False
    for answer, group in groupby(rows, lambda row: row.reason.answer):
        if not ends_blank:
            sink.print()
        sink.line(_count(counts[answer], "driver"), f"{_title(answer, counts[answer])}:", _STYLES.get(answer))
        shown = counts[answer] if verbose else min(counts[answer], _SHOWN)
        _write_group(islice(group, shown), sink, verbose=verbose)
        ends_blank = not verbose and counts[answer] <= shown  # a table ends with a blank line
        if counts[answer] > shown:
            left = counts[answer] - shown
            sink.print(f"    … and {left:,} more; -v lists all, --output FILE writes them to a table")
    return ends_blank


def write_differences(
    found: Sequence[Difference], sink: Sink, *, verbose: bool = False, after_blank: bool = False
) -> None:
    """Write what changed since an earlier audit: numbers, the drivers that stop now, and those that no longer do.

    A blank line comes first, unless the text before ends with one (`after_blank`).
    """
    numbers = Counter(one.change for one in found)
    words = ", ".join(f"{numbers[change]} {change}" for change in ("changed", "new", "gone") if numbers[change])
    if not after_blank:
        sink.print()
    sink.print(f"Since the earlier audit: {words or 'no driver changed'}.")
    _write_changes("Stop now", [one for one in found if one.stops_now], sink, verbose=verbose)
    _write_changes("No longer stop", [one for one in found if one.stopped_before], sink, verbose=verbose)


def _write_changes(title: str, found: Sequence[Difference], sink: Sink, *, verbose: bool) -> None:
    if not found:
        return
    sink.print(f"  {title}:")
    shown = len(found) if verbose else min(len(found), _SHOWN)
    for one in found[:shown]:
        sink.paragraph("    ", f"{one.file}: {one.was or 'not there'}, now {one.now or 'gone'}")
    if len(found) > shown:
        sink.print(f"    … and {len(found) - shown} more; -v lists all")


def _write_group(rows: Iterable[Row], sink: Sink, *, verbose: bool) -> None:
    """Write the drivers of one answer by policy and remedy, which are the same for many."""
    for (policy, date, mark, remedy), same in groupby(rows, _cause):
        if policy:
            sink.paragraph("  ", f"{policy[:1].upper()}{policy[1:]}{f', from {date} on' if date else ''}")
        if remedy:
            sink.paragraph(mark, remedy)
        if verbose:
            for row in same:
                sink.paragraph("    ", _described(row))
        else:
            sink.table(_COLUMNS, [_cells(row) for row in same])


def _cause(row: Row) -> tuple[str, str, str, str]:
    """Return policy, date, and the remedy with its mark: that of a file that can't be read begins with the error."""
    one = row.reason
    is_error = one.answer == "needs-file" and one.origin == "file"
    return one.policy, one.date, "  " if is_error else "  hint: ", one.remedy


def _cells(row: Row) -> tuple[str, str, str, str]:
    """Return the cells of a driver in the table, which names no folder of a driver that has a package."""
    who = row.identity
    infs = _infs(row)
    where = [*([_shortened(infs)] if infs else [_folder(row.file)] if row.present else ["the file is not here"])]
    if row.machines:
        where.append(f"on {_shortened(_machines(row))}")
    if row.reason.origin == "log":
        where.append(str(row.events[0]))
    signed = " ".join(filter(None, (who.signature_class, who.issued)))
    return f"{_name(row.file)} {who.version}".rstrip(), who.submitter or who.publisher, signed, "; ".join(where)


def _described(row: Row) -> str:
    """Return path, version, publisher, signature, packages and machines of a driver in one line."""
    _, publisher, signed, _ = _cells(row)
    absent = "" if row.present else "the file is not here"
    text = ", ".join(filter(None, (f"{row.file} {row.identity.version}".rstrip(), publisher, signed, absent)))
    infs = _infs(row)
    if infs:
        text += f"; {_shortened(infs)}"
    if row.machines:
        text += f"; on {_shortened(_machines(row))}"
    event = next((one for one in row.events if f"event-{one.id}" == row.reason.rule), None)
    if event is not None:
        text += f"; {event}"
    return text


def _infs(row: Row) -> list[str]:
    """Return the names of the INFs of a driver's packages; none for a row of an INF itself."""
    return list(dict.fromkeys(_name(one.inf) for one in row.packages if one.inf != row.file))


def _name(path: str) -> str:
    """Return the name of a file of this system or of Windows."""
    return PureWindowsPath(path).name or path


def _folder(path: str) -> str:
    """Return the folder of a file; of a long one its last two names, or the last one."""
    parts = (PureWindowsPath(path) if "\\" in path else PurePath(path)).parent.parts
    if len(parts) > 3:
        two = f"…/{'/'.join(parts[-2:])}"
        return two if len(two) <= _FOLDER_WIDTH else f"…/{parts[-1]}"
    return "/".join(parts) or "." if "\\" in path else PurePath(*parts).as_posix()


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
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
