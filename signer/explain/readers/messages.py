"""Find messages of Code Integrity in running text, as people paste them: without ids, wrapped, quoted, cut off."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from itertools import islice

from signer.codeintegrity.event_tables import messages
from signer.explain.budget import STATEMENT
from signer.explain.context import Context
from signer.explain.readers.events import loose_fields, message_record
from signer.explain.records import Record
from signer.explain.text import Lines

_MAX_LINES = 14
_WORDS = 3
"""Words of a message by which its beginning is recognised."""
_START = re.compile(rf"([^%\s]+(?:\s+[^%\s]+){{{_WORDS - 1}}})(?=\s|%|$)")
_QUOTES = " \t\"'`>*|"
_ENDS = re.compile(r"(?<=[.…])[\s\"'`]|\n|\.\.\.|(?=</?[a-z])")
_MAX_CUTS = 24
_MAX_TEXT = 4096
_EVENT_ID = re.compile(r"\b(30\d\d|31[01]\d|5038|6281)\b")
_KNOWN_POLICY = re.compile(r"Policy ID:\s*\{?([0-9a-f]{8})-", re.IGNORECASE)


def message_texts(context: Context, line: str, lines: Lines) -> list[Record] | None:
    """Read the message that begins in this line, and the lines into which it was wrapped; None if none begins."""
    start = _opening(line)
    if start is None:
        return None
    following = lines.take_while(_continues, _MAX_LINES)
    if (lines.peek() or "").strip() == "" and (lines.peek(1) or "").strip().startswith("File Name:"):
        following += [next(lines), next(lines)]
    found = _longest("\n".join([line[start.start() :], *following]), context)
    if found is None:
        lines.put_back(following)
        return None
    record, length = found
    lines.put_back(following[length - 1 :])
    record = _with_id(record, line[: start.start()])
    context.seen("message text")
    context.subject = record.file or context.subject
    return [record]


def _longest(text: str, context: Context) -> tuple[Record, int] | None:
    """Return the record of the longest part of a text that is a message, and its number of lines.

    A part whose values have the types of their fields precedes a longer one whose values have not.
    """
    other: tuple[Record, int] | None = None
    for cut in _cuts(text):
        context.budget.spend(STATEMENT + len(cut) // 16)
        record = message_record(cut)
        if record is not None and record.typed:
            return record, cut.count("\n") + 1
        if record is not None and other is None:
            other = record, cut.count("\n") + 1
    return other


def _continues(line: str) -> bool:
    return bool(line.strip()) and _opening(line) is None and "<Event" not in line


def _opening(line: str) -> re.Match[str] | None:
    return _openings().search(line) if any(map(line.__contains__, _opening_words())) else None


def _cuts(text: str) -> Iterator[str]:
    """Yield the text, and the text up to the end of each line and sentence, the longest first."""
    text = text[:_MAX_TEXT].strip(_QUOTES)
    ends = [found.start() if found[0] != "..." else found.end() for found in _ENDS.finditer(text)]
    shorter = (text[:end].rstrip(_QUOTES) for end in reversed(ends))
    yield from islice(dict.fromkeys([text, *shorter]), _MAX_CUTS)


def _with_id(record: Record, before: str) -> Record:
    """Choose among the events with one text by the id before it, as PowerShell's tables have it."""
    named = [int(number) for number in _EVENT_ID.findall(before)]
    chosen = tuple(number for number in record.events if number in named)
    return replace(record, events=chosen) if chosen else record


def policy_mentions(text: str) -> dict[str, str]:
    """Return the GUID of a known policy that a text names, even if the GUID was cut off."""
    from signer.codeintegrity.app_control import app_control_policies

    found = _KNOWN_POLICY.search(text)
    start = f"{{{found[1].lower()}-" if found is not None else None
    known = [policy.guid for policy in app_control_policies() if start is not None and policy.guid.startswith(start)]
    if known:
        return {"PolicyGUID": known[0]}
    guid = loose_fields(text).get("PolicyGUID")
    return {"PolicyGUID": str(guid)} if any(policy.guid == guid for policy in app_control_policies()) else {}


@cache
def _opening_words() -> frozenset[str]:
    """Return a few words that most messages share; each message that `_openings` finds has one of them."""
    starts = [found[1].split() for found in map(_START.match, (message.text for message in messages())) if found]
    counts = Counter(word for words in starts for word in set(words) if len(word) > _WORDS)
    return frozenset(max(words, key=lambda word: (counts[word], len(word))) for words in starts)


@cache
def _openings() -> re.Pattern[str]:
    """Return the pattern of the first words of every message that names a file or the machine's state."""
    starts = {" ".join(found[1].split()) for found in map(_START.match, (one.text for one in messages())) if found}
    patterns = (r"\s+".join(map(re.escape, start.split())) for start in starts)
    return re.compile("|".join(sorted(patterns, key=lambda pattern: (-len(pattern), pattern))))
