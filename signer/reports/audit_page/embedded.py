"""Embed rows in the page as JSON, in which no text can end the script element; repeated values are written once."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from signer.audit.baseline import Difference
from signer.audit.rows import ANSWERS, STOPPING, Reason, Row
from signer.reports.audit_page.facets import FACETS, LABELS, changes, reason_on, values, when
from signer.reports.audit_page.markup import shown
from signer.reports.links import page_of

MAX_ROWS = 100_000
"""Maximum number of rows of a page: those that matter most come first."""
_MAX_PATHS = 10
"""Maximum number of further paths of a row."""
_MAX_IDS = 20
"""Maximum number of hardware IDs of a package."""
_MAX_EVENTS = 20
"""Maximum number of events of a row."""
FIELDS = (
    *("file", "version", "hash", "issued", "publisher", "company", "submitter", "signature", "devices", "reason"),
    *("machines", "packages", "paths", "morePaths", "change", "was", "events", "present"),
)
"""The names of a row's values, in their order."""
_ESCAPES = {ord(one): f"\\u{ord(one):04x}" for one in "<>&"}
"""`</script>` and `<!--` would end or change the script element."""


class _Table:
    """Values that rows refer to by their index."""

    def __init__(self) -> None:
        self.indexes: dict[Any, int] = {}

    def index(self, value: Any) -> int:
        """Return the index of a hashable value, which is added if it is new."""
        return self.indexes.setdefault(value, len(self.indexes))


class _Encoder:
    """Encodes rows, and keeps what they refer to."""

    def __init__(self) -> None:
        self.texts, self.reasons, self.packages, self.machines = _Table(), _Table(), _Table(), _Table()

    def text(self, value: str) -> int:
        return self.texts.index(shown(value))

    def row(self, row: Row, change: Difference | None) -> list[Any]:
        who, found = row.identity, values(row, change)
        others = [one for one in row.paths if one != row.file]
        return [
            shown(row.file),
            shown(who.version),
            shown(row.authentihash),
            shown(who.issued),
            *(self.text("".join(found["publisher"])), self.text(who.publisher), self.text(who.submitter)),
            self.text("".join(found["signature"])),
            [self.text(one) for one in found["device"]],
            self.reasons.index(row.reason),
            self.machines.index(tuple((self.text(one), self._reason_on(row, one)) for one in row.machines)),
            [self._package(one.inf, one.device_class, one.hardware_ids) for one in row.packages],
            [shown(one) for one in others[:_MAX_PATHS]],
            max(0, len(others) - _MAX_PATHS),
            [self.text(one) for one in changes(change)],
            change.was if change is not None and change.was is not None else "",
            [shown(str(one)) for one in row.events[:_MAX_EVENTS]],
            row.present,
        ]

    def _reason_on(self, row: Row, machine: str) -> int:
        return self.reasons.index(reason_on(row, machine))

    def _package(self, inf: str, device_class: str, ids: tuple[str, ...]) -> int:
        first = tuple(map(shown, ids[:_MAX_IDS]))
        return self.packages.index((shown(inf), shown(device_class), first, max(0, len(ids) - _MAX_IDS)))

    def tables(self) -> dict[str, Any]:
        """Return what rows refer to, as the page's script reads it."""
        return {
            "reasons": [_reason(one) for one in self.reasons.indexes],
            "packages": list(self.packages.indexes),
            "machines": list(self.machines.indexes),
            "texts": list(self.texts.indexes),
        }


def embedded(rows: Iterable[Row], changes_by_key: Mapping[str, Difference]) -> Iterator[str]:
    """Yield the JSON in pieces, for a script element."""
    head = {"answers": [[one, LABELS[one]] for one in ANSWERS], "stopping": STOPPING, "facets": FACETS}
    yield f'{_safe({**head, "fields": FIELDS})[:-1]}, "rows": ['
    encoder, left = _Encoder(), 0
    for place, row in enumerate(rows):
        if place < MAX_ROWS:
            yield f"{',' if place else ''}\n{_safe(encoder.row(row, changes_by_key.get(row.key)))}"
        else:
            left += 1
    yield f"\n], {_safe({**encoder.tables(), 'left': left})[1:]}"


def _safe(value: Any) -> str:
    """Return JSON in ASCII without characters of markup."""
    return json.dumps(value, separators=(",", ":")).translate(_ESCAPES)


def _reason(one: Reason) -> dict[str, str]:
    return {
        "answer": one.answer,
        "when": shown(when(one.policy, one.date)),
        "policy": shown(one.policy),
        "date": shown(one.date),
        "rule": shown(one.rule),
        "source": shown(one.source),
        "page": page_of(one.source) or "",
        "remedy": shown(one.remedy),
    }
