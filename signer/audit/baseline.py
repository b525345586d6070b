"""Compare an audit with an earlier one: which drivers changed their answer, are new, or are gone."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal, get_args

from signer.audit.rows import STOPPING, Answer, Row, row_key
from signer.errors import ConfigError
from signer.records import dataclass
from signer.storage.files import read

Change = Literal["changed", "new", "gone"]


@dataclass(frozen=True, slots=True)
class Difference:
    """A driver whose answer differs from that of the earlier audit."""

    change: Change
    file: str
    authentihash: str
    was: Answer | None
    """The earlier answer; None for a new driver."""
    now: Answer | None
    """The answer; None for a driver that is gone."""
    key: str
    """The key of the driver's row."""

    @property
    def stops_now(self) -> bool:
        """Whether the driver stops now and did not before, or was not there."""
        return self.now in STOPPING and self.was not in STOPPING

    @property
    def stopped_before(self) -> bool:
        """Whether the driver stopped before and does not stop now, or is gone."""
        return self.was in STOPPING and self.now not in STOPPING

    def as_json(self) -> dict[str, Any]:
        """Return the difference as the command line's JSON has it."""
        return {
            "change": self.change,
            "file": self.file,
            "authentihash": self.authentihash,
            "was": self.was,
            "now": self.now,
        }


Baseline = dict[str, tuple[str, Answer]]
"""File and answer of each driver of an earlier audit, by its digest."""


def read_baseline(path: Path) -> Baseline:
    """Read the JSON of an earlier audit: its document, or the table that --output wrote.

    Raises FileError, and ConfigError for anything else.
    """
    try:
        document = json.loads(read(path))
        rows = document["drivers"] if isinstance(document, dict) else document
        return dict(map(_entry, rows))
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise ConfigError(
            "not the JSON of an audit", path=path, hint="Write one with: drvsign audit PATH --output OLD.json"
        ) from error


def _entry(row: Any) -> tuple[str, tuple[str, Answer]]:
    answer, file = row["answer"], row["file"]
    if answer not in get_args(Answer) or not isinstance(file, str):
        raise ValueError(answer)
    return row_key(str(row["authentihash"]), file, str(row["version"])), (file, answer)


def differences(rows: Iterable[Row], old: Baseline) -> Iterator[Difference]:
    """Yield the differences of an audit: those of its rows in their order, then the drivers that are gone."""
    left = dict(old)
    for row in rows:
        _, was = left.pop(row.key, ("", None))
        if was != row.reason.answer:
            change: Change = "changed" if was is not None else "new"
            yield Difference(change, row.file, row.authentihash, was, row.reason.answer, row.key)
    for key, (file, was) in left.items():
        yield Difference("gone", file, "" if key.startswith("path:") else key, was, None, key)
