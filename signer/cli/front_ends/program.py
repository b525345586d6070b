"""Run a command of drvsign for a front end, and return its exit code and its JSON document."""

from __future__ import annotations

import contextlib
import io
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Done:
    """The end of a command."""

    code: int
    document: dict[str, Any] = field(default_factory=dict)

    @property
    def files(self) -> list[dict[str, Any]]:
        """The entries of the files in the document."""
        return list(self.document.get("files", ()))


def run(arguments: Sequence[str]) -> Done:
    """Run a command with --json. It prints its messages to standard error, as always."""
    from signer.cli.app import app

    printed = io.StringIO()
    code = 0
    with contextlib.redirect_stdout(printed):
        try:
            app([*arguments, "--json", "--quiet"], prog_name="drvsign")
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 1
    text = printed.getvalue()
    return Done(code, json.loads(text) if text.strip() else {})


@contextlib.contextmanager
def password_descriptor(password: str) -> Iterator[int]:
    """Give the descriptor of a pipe with a password, which is in no file and in no environment then."""
    reading, writing = os.pipe()
    try:
        os.write(writing, password.encode())
        os.close(writing)
        yield reading
    finally:
        with contextlib.suppress(OSError):
            os.close(reading)
