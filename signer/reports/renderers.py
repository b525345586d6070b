"""The table of formats that are rendered from a `Report`: one module each, imported when its format is wanted.

A new format is one module with `render`, and one row here. Text, JSON and events are not in the table: each command
writes its own (`signer.reports.formats` has those of `drvsign verify`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Protocol, cast

if TYPE_CHECKING:
    from signer.reports.model import Report

RENDERERS: Mapping[str, str] = {
    "sarif": "signer.reports.sarif",
    "junit": "signer.reports.junit",
    "github": "signer.reports.github",
    "gitlab": "signer.reports.gitlab",
    "markdown": "signer.reports.markdown",
    "html": "signer.reports.html",
}
"""The name of each format, and its module."""


class RendererModule(Protocol):
    """A module that renders one format."""

    def render(self, report: Report) -> Iterator[str]:
        """Yield the report in pieces of text."""


def render_report(name: str, report: Report) -> Iterator[str]:
    """Yield a report in a format of the table, in pieces of text."""
    return cast(RendererModule, import_module(RENDERERS[name])).render(report)
