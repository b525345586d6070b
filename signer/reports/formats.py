"""The table of report formats of `drvsign verify`: text, JSON, events, and those of `signer.reports.renderers`.

A format that any command can have is a row there; one that depends on assessments is a renderer and a row here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from signer.errors import SignerError, UsageError
from signer.records import dataclass
from signer.reports.places import Places
from signer.reports.renderers import RENDERERS

if TYPE_CHECKING:
    from catalogs.verification.assessment import Assessment, Outcome
    from signer.reports.sink import Sink


class Renderer(Protocol):
    """Writes assessments in one format, in two steps."""

    def serialize(self, assessment: Assessment) -> Any:
        """Return the data of one assessment for the report, picklable. Called in the process that verified the file."""

    def keep(self, content: Any) -> Any:
        """Return the data as it is kept until `write`, in the process that writes; None if it was told."""

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
    command: str = "verify"
    places: Places = field(default_factory=Places)
    """How a report of `signer.reports.renderers` writes paths."""
    exit_code: Callable[[Outcome], int] = lambda outcome: 0 if outcome.accepted else 1
    """The exit code of the command, for a report of `signer.reports.renderers`."""


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


def _model(name: str, options: ReportOptions) -> Renderer:
    from signer.reports.verdict_report import ModelReport

    return ModelReport(name, options)


FORMATS: Mapping[str, ReportFormat] = {
    "text": ReportFormat(_text),
    "json": ReportFormat(_json),
    "events": ReportFormat(_events),
    **{name: ReportFormat(partial(_model, name)) for name in RENDERERS},
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


def kept(renderers: Sequence[Renderer], one: SerializedAssessment) -> SerializedAssessment:
    """Return a serialized assessment as it is kept until the report is written."""
    pairs = zip(renderers, one.contents, strict=True)
    return replace(one, contents=tuple(renderer.keep(content) for renderer, content in pairs))


def render(name: str, assessments: Sequence[Assessment], sink: Sink, options: ReportOptions | None = None) -> None:
    """Write the report of assessments in the format `name`. Raises UsageError for an unknown format."""
    from catalogs.verification.assessment import Outcome

    renderer = report_format(name).create(options or ReportOptions())
    renderer.write([renderer.serialize(one) for one in assessments], Outcome.of(assessments), sink)
