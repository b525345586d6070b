"""Run a command of drvsign for a front end, and return its exit code, its JSON document and its warnings."""

from __future__ import annotations

import contextlib
import io
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import field
from typing import Any

from signer.cli.front_ends.lines import complain, complain_of
from signer.errors import ForeignSignature, Interrupted, SignerError
from signer.records import dataclass

_WARNING = "warning: "
_NO_REPLACE = "Delete it first, or replace it with drvsign catalog build and --replace."
"""The hint about a catalog of another signer: the tools have no switch for it."""


@dataclass(frozen=True, slots=True)
class Done:
    """The end of a command."""

    code: int
    document: dict[str, Any] = field(default_factory=dict)
    warnings: Sequence[str] = ()

    @property
    def files(self) -> list[dict[str, Any]]:
        """The entries of the files in the document."""
        return list(self.document.get("files", ()))


def run(command: str, arguments: Sequence[str]) -> Done:
    """Run a command, such as `catalog build`, with --json. Raises SignerError for an error that is not that of a file.

    The command's own messages are not printed: the front end prints them as its tool does.
    """
    from signer.cli.app import app

    printed, said = io.StringIO(), io.StringIO()
    code = 0
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(said):
        try:
            app([*command.split(), "--json", "--quiet", *arguments], prog_name="drvsign")
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 1
    lines = said.getvalue().splitlines()
    try:
        document = json.loads(printed.getvalue() or "{}")
    except ValueError:
        document = {}
    if "error" in document:
        raise _restored(document["error"])
    if code and not document:
        complain(said.getvalue().rstrip("\n"))
    return Done(code, document, [line.removeprefix(_WARNING) for line in lines if line.startswith(_WARNING)])


def require_done(title: str, done: Done) -> bool:
    """Print the warnings and errors of `catalog build` as those of a tool; tell whether it succeeded."""
    for sentence in done.warnings:
        complain(f"{title} warning: {sentence}")
    for file in done.files:
        if file["error"]:
            error = _restored(file["error"])
            if error.code == ForeignSignature.code:
                error.hint = _NO_REPLACE
            complain_of(title, error)
    return done.code == 0


def _restored(error: dict[str, Any]) -> SignerError:
    """Return the error that a command reported in its document."""
    restored = SignerError(error["message"], hint=error["hint"])
    restored.code = error["code"]
    return restored if restored.code != Interrupted.code else Interrupted()


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
