"""The properties by which an audit's drivers are counted and filtered, and the numbers of drivers by them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import field, replace

from signer.audit.baseline import Difference
from signer.audit.rows import STOPPING, Answer, Reason, Row
from signer.records import dataclass
from signer.storage.seen import Seen

FACETS: Mapping[str, str] = {
    "answer": "answer",
    "when": "policy and date",
    "publisher": "publisher",
    "device": "device class",
    "machine": "machine",
    "signature": "signature",
    "year": "year in which the certificate was issued",
    "month": "month in which the certificate was issued",
    "remedy": "what to do",
    "change": "change since the earlier audit",
}
"""The name of each facet, as in the page's address, and its title."""
LABELS: Mapping[Answer, str] = {
    "stops": "Stops loading",
    "stops-unless-allowed": "Stops unless allowed",
    "already-refused": "Did not load before",
    "unknown": "Undecided",
    "needs-file": "Needs the file",
    "loads": "Loads",
    "not-for-target": "Other architecture",
    "not-a-driver": "Not a driver",
}
UNSIGNED = "(not signed)"
STOPS_NOW = "stops now, and did not"


def values(row: Row, change: Difference | None = None) -> dict[str, tuple[str, ...]]:
    """Return a row's values of each facet; most facets have one value, some none."""
    who, reason = row.identity, row.reason
    is_readable = reason.answer not in ("needs-file", "not-for-target", "not-a-driver")
    unsigned = UNSIGNED if is_readable and not who.signature_class else ""
    return {
        "answer": (reason.answer,),
        "when": _present(when(reason.policy, reason.date)),
        "publisher": _present(who.submitter or who.publisher or unsigned),
        "device": tuple(dict.fromkeys(one.device_class for one in row.packages if one.device_class)),
        "machine": row.machines,
        "signature": _present(who.signature_class or unsigned),
        "year": _present(who.issued[:4]),
        "month": _present(who.issued[:7]),
        "remedy": _present(reason.remedy),
        "change": changes(change),
    }


def when(policy: str, date: str) -> str:
    """Return a policy and the day from which it applies in one phrase; empty without a policy."""
    return f"{policy[:1].upper()}{policy[1:]}{f', from {date}' if date else ''}" if policy else ""


def changes(one: Difference | None) -> tuple[str, ...]:
    """Return the values of the facet `change`."""
    if one is None:
        return ()
    return (*([STOPS_NOW] if one.stops_now else []), one.change)


def _present(value: str) -> tuple[str, ...]:
    return (value,) if value else ()


@dataclass(frozen=True, slots=True)
class Tally:
    """Numbers of drivers: in all by answer, and by each facet's values and answer."""

    answers: Counter[Answer] = field(default_factory=Counter)
    facets: dict[str, dict[str, Counter[Answer]]] = field(default_factory=lambda: {name: {} for name in FACETS})
    packages: int = 0
    """The number of INFs."""

    def add(self, row: Row, facets: Mapping[str, Iterable[str]]) -> None:
        """Count a row by its answer, and by its values of each facet."""
        answer = row.reason.answer
        self.answers[answer] += 1
        for facet, each in facets.items():
            numbers = self.facets[facet]
            for value in each:
                own = reason_on(row, value).answer if facet == "machine" else answer
                numbers.setdefault(value, Counter())[own] += 1

    @property
    def stopping(self) -> int:
        """The number of drivers that stop."""
        return sum(self.answers[one] for one in STOPPING)

    @property
    def scope(self) -> tuple[Answer, ...]:
        """The answers that charts count: those that stop; all if no driver stops."""
        found: tuple[Answer, ...] = STOPPING if self.stopping else tuple(self.answers)
        return found

    def counted(self, facet: str) -> list[tuple[str, Counter[Answer]]]:
        """Return the values of a facet with their numbers in `scope`, the largest first."""
        found = [
            (value, Counter({one: numbers[one] for one in self.scope if numbers[one]}))
            for value, numbers in self.facets[facet].items()
        ]
        return sorted((one for one in found if one[1]), key=lambda one: (-one[1].total(), one[0]))


def tally(rows: Iterable[Row], changes_by_key: Mapping[str, Difference]) -> Tally:
    """Count rows by all facets."""
    found, packages = Tally(), 0
    with Seen() as infs:
        for row in rows:
            found.add(row, values(row, changes_by_key.get(row.key)))
            packages += sum(infs.count(one.inf) == 1 for one in row.packages)
    return replace(found, packages=packages)


def reason_on(row: Row, machine: str) -> Reason:
    """Return the answer on a machine; that of the row if it has none of its own."""
    return next((one.reason for one in row.answers if one.machine == machine), row.reason)
