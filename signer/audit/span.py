"""The span of time within which an answer stays the same, if the files do."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from signer.records import dataclass

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UNIT = timedelta(microseconds=1)
_EVER = 1 << 62


@dataclass(frozen=True, slots=True)
class Span:
    """A span of time. Both ends are part of it."""

    since: int
    """In microseconds since 1970, the resolution of `datetime`."""
    until: int

    @classmethod
    def around(cls, at: datetime, moments: Iterable[datetime]) -> Span:
        """Return the longest span with `at` and none of the moments; that of `at` alone if it is one of them.

        A rule can compare with a moment as `<` or as `<=`, so that the answer at the moment may be that of either side.
        """
        time, others = moment(at), set(map(moment, moments))
        if time in others:
            return cls(time, time)
        before = max((one for one in others if one < time), default=-_EVER)
        after = min((one for one in others if one > time), default=_EVER)
        return cls(before + 1, after - 1)

    def __and__(self, other: Span) -> Span:
        """Return the time that is in both spans."""
        return Span(max(self.since, other.since), min(self.until, other.until))


ALWAYS = Span(-_EVER, _EVER)


def moment(at: datetime) -> int:
    """Return a time as spans have it."""
    return (at - _EPOCH) // _UNIT
