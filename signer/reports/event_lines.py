"""Report the events that Windows would log, as JSON lines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from signer.records import dataclass
from signer.reports.json_pieces import json_text

if TYPE_CHECKING:
    from catalogs.verification.assessment import Assessment, Outcome
    from signer.codeintegrity.consequences import Consequences
    from signer.codeintegrity.events import Event
    from signer.reports.sink import Sink


@dataclass(frozen=True, slots=True)
class EventLinesReport:
    """Write the events that Windows would log, one JSON object per line."""

    def serialize(self, assessment: Assessment) -> str:
        """Return the events of all targets as JSON lines."""
        lines = [
            json_text({"path": str(assessment.path), **event(one, logged)})
            for one in assessment.consequences
            for logged in one.events
        ]
        return "".join(f"{line}\n" for line in lines)

    def keep(self, content: Any) -> Any:
        """Return the content."""
        return content

    def teller(self, sink: Sink) -> Callable[[str], None]:
        """Return the function that writes the lines of one assessment."""
        return sink.write

    def write(self, contents: Sequence[str], outcome: Outcome, sink: Sink) -> None:
        """Write the lines of all assessments."""
        sink.write("".join(contents))


def event(one: Consequences, logged: Event) -> dict[str, Any]:
    """Return one entry of `events`; its data begin with the target that would log it."""
    entry = logged.as_json()
    return {**entry, "data": {"target": one.verdict.target, **entry["data"]}}
