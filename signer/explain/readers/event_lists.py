"""Read events as lists of labels: Get-WinEvent | Format-List, wevtutil /f:text, and Event Viewer's copy."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

from signer.explain.context import Context
from signer.explain.phrases import ANOTHER_LANGUAGE, language_of
from signer.explain.readers.events import event_records, loose_fields, message_record
from signer.explain.records import Record
from signer.explain.text import Lines
from signer.policy.tables import rows

_LABEL = re.compile(r"^\s{0,4}([^\W\d_][^:：]{0,24}?)\s*[:：]\s*+(.*)$")  # noqa: RUF001
_MAX_LABEL = 40
_ELEMENT = re.compile(r"^\s*Event\[\d+\]:?\s*$")
_FILE_LINE = re.compile(r"^[^:：]{2,24}[:：]\s*\\?(?:\\Device\\|\\\?\?\\|\\SystemRoot|[A-Z]:\\)", re.IGNORECASE)  # noqa: RUF001
"""The file of event 5038, which stands behind a blank line of the message."""
_OTHER = "other"
_MAX_LINES = 120


def event_lists(context: Context, line: str, lines: Lines) -> list[Record] | None:
    """Read the block of labels that begins in this line; None if none begins."""
    label = _label(line)
    if label is None or not (_is_start(label[0]) or label[0] == "timecreated"):
        return None
    context.budget.spend()
    block = _Block()
    block.add(line)
    taken = lines.take_while(block.add, _MAX_LINES)
    event_id = block.values.get("id", "").strip()
    if not event_id.isascii() or not event_id.isdigit() or len(event_id) > 9:
        record = message_record(_unwrapped(block.values.get("message", "")))
        if record is None:
            lines.put_back(taken)
            return None if block.values.get("message") is None else _text_of(label, block, context)
        context.seen("message text")
        return [record]
    context.seen("events as a list")
    return _records(int(event_id), block)


class _Block:
    """The lines of one event, collected until a label repeats."""

    def __init__(self) -> None:
        self.values: dict[str, str] = {}
        self._labels: set[str] = set()
        self._key = _OTHER
        self._blank = False

    def add(self, line: str) -> bool:
        """Add a line; return False for one that belongs to another event."""
        if _ELEMENT.match(line) or line.startswith((">>>", "[SC]", "<Event")) or "<Event " in line:
            return False
        label = _label(line)
        if label is None or label[0] not in labels():
            return self._continue(line)
        name, value = label
        if name in self._labels or (self._blank and _is_start(name) and self._key == "message"):
            return False
        self._labels.add(name)
        self._key, self._blank = labels()[name], False
        if self._key != _OTHER:
            self.values.setdefault(self._key, value)
        return True

    def _continue(self, line: str) -> bool:
        """Add a line to the value before it. A message ends with two blank lines or a line of another kind."""
        if not line.strip():
            if self._blank:
                return False
            self._blank = True
            return True
        if self._blank and not line.startswith((" ", "\t")) and not _FILE_LINE.match(line) and self._full():
            return False
        self._blank = False
        if self._key == "message":
            self.values[self._key] += f"\n{line}"
        return True

    def _full(self) -> bool:
        return bool(self.values.get("message", "").strip()) and "id" in self.values


def _text_of(label: tuple[str, str], block: _Block, context: Context) -> list[Record] | None:
    """Return the record of a message that no release prints, if it is another language's message about a driver."""
    text = block.values.get("message", "")
    fields = loose_fields(text)
    if label[0] != "message" or "PolicyGUID" not in fields or "FileName" not in fields:
        return None
    context.seen("message text in another language")
    return [Record(file=str(fields["FileName"]), fields=fields, language=language_of(text) or ANOTHER_LANGUAGE)]


def _records(event_id: int, block: _Block) -> list[Record]:
    provider = block.values.get("provider", "") or block.values.get("log", "")
    return event_records(
        event_id,
        provider.strip() if event_id not in (5038, 6281) else "",
        {},
        _unwrapped(block.values.get("message", "")),
        activity=_guid(block.values.get("activity", "")),
        time=block.values.get("time", ""),
        computer=block.values.get("computer", "").strip(),
    )


def _unwrapped(text: str) -> str:
    return "\n".join(line.strip(" \t") for line in text.split("\n")).strip()


def _guid(text: str) -> str | None:
    text = text.strip().strip("{}").lower()
    return f"{{{text}}}" if text else None


def _label(line: str) -> tuple[str, str] | None:
    found = _LABEL.match(line) if ":" in line[:_MAX_LABEL] or "：" in line[:_MAX_LABEL] else None  # noqa: RUF001
    return (found[1].strip().lower().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'"), found[2] or "") if found else None


@cache
def labels() -> Mapping[str, str]:
    """Return what each label means, in lower case: id, message, provider, log, time, activity, computer or other."""
    return {row["label"]: row["means"] for row in rows("event_labels.tsv", "signer.explain.data")}


def _is_start(label: str) -> bool:
    """Return whether a block can begin with this label; "Id:" and "Data:" alone are common in other texts."""
    return labels().get(label) in ("id", "message", "log", "provider") and label not in ("id", "source", "description")
