"""Print the lines of a tool, with control characters of names escaped."""

from __future__ import annotations

import typer

from signer.errors import SignerError
from signer.reports.escape import printable


def say(text: str) -> None:
    """Print lines on standard output."""
    _print(text, is_error=False)


def complain(text: str) -> None:
    """Print lines on standard error."""
    _print(text, is_error=True)


def complain_of(title: str, error: SignerError) -> None:
    """Print an error in the form of a tool's errors, and the hint after it."""
    complain(f"{title} Error: {error}")
    if error.hint:
        complain(f"\t{error.hint}")


def _print(text: str, *, is_error: bool) -> None:
    for line in text.split("\n"):
        typer.echo("\t".join(map(printable, line.split("\t"))), err=is_error)
