"""The table of report formats. A new format is one module with a renderer, and one row here.

Options of `drvsign verify` select formats: --json, and for files those that `signer.cli.commands.verify` passes on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from signer.errors import SignerError, UsageError

if TYPE_CHECKING:
    from catalogs.verification.assessment import Assessment, Outcome
    from signer.reports.sink import Sink


class Renderer(Protocol):
    """Writes assessments in one format, in two steps."""

    def serialize(self, assessment: Assessment) -> Any:
        """Return the data of one assessment for the report, picklable. Called in the process that verified the file."""

    def write(self, contents: Sequence[Any], outcome: Outcome, sink: Sink) -> None:
        """Write the report of what `serialize` returned for each assessment, in their order."""

    def teller(self, sink: Sink) -> Callable[[Any], None] | None:
        """Return a function that writes the part of one assessment; None if the report depends on all of them."""


@dataclass(frozen=True, slots=True)
class ReportOptions:
    """Options for renderers."""

    matrix: bool = False
    """True for a table of the releases of each file."""
    all_releases: bool = False
    """True to include inapplicable targets in the table."""
    verbose: bool = False
    indent: int | None = None
    """Spaces of indentation of a JSON document; None for one line."""


@dataclass(frozen=True, slots=True)
class ReportFormat:
    """One row of the table."""

    create: Callable[[ReportOptions], Renderer]


def _text(options: ReportOptions) -> Renderer:
    from signer.reports.verdict_text import TextReport

    return TextReport(options.matrix, options.all_releases, options.verbose)


def _json(options: ReportOptions) -> Renderer:
    from signer.reports.verdict_json import JsonReport

    return JsonReport(options.indent)


def _events(options: ReportOptions) -> Renderer:
    from signer.reports.event_lines import EventLinesReport

    return EventLinesReport()


FORMATS: Mapping[str, ReportFormat] = {
    "text": ReportFormat(_text),
    "json": ReportFormat(_json),
    "events": ReportFormat(_events),
}


def report_format(name: str) -> ReportFormat:
    """Return the format with this name. Raises UsageError."""
    found = FORMATS.get(name)
    if found is None:
        raise UsageError(f"unknown report format {name!r}", hint=f"Choose one of {', '.join(FORMATS)}.")
    return found


@dataclass(frozen=True, slots=True)
class SerializedAssessment:
    """The outcome of an assessment, and its serialized form for each renderer."""

    path: Path
    accepted: bool
    decided: bool
    rejected: bool
    error: SignerError | None
    contents: tuple[Any, ...]
    """In the order of the renderers."""


def serialize(renderers: Sequence[Renderer], assessment: Assessment) -> SerializedAssessment:
    """Serialize an assessment for each renderer."""
    one = assessment
    contents = tuple(renderer.serialize(one) for renderer in renderers)
    return SerializedAssessment(one.path, one.accepted, one.decided, one.rejected, one.error, contents)


def render(name: str, assessments: Sequence[Assessment], sink: Sink, options: ReportOptions | None = None) -> None:
    """Write the report of assessments in the format `name`. Raises UsageError for an unknown format."""
    from catalogs.verification.assessment import Outcome

    renderer = report_format(name).create(options or ReportOptions())
    renderer.write([renderer.serialize(one) for one in assessments], Outcome.of(assessments), sink)
