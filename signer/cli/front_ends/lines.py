"""Print the lines of a tool, with control characters of names escaped."""

from __future__ import annotations

import typer

from signer.reports.escape import printable


def say(text: str) -> None:
    """Print lines on standard output."""
    _print(text, is_error=False)


def complain(text: str) -> None:
    """Print lines on standard error."""
    _print(text, is_error=True)


def _print(text: str, *, is_error: bool) -> None:
    for line in text.split("\n"):
        typer.echo(printable(line), err=is_error)
