"""Run `drvsign` commands in this process."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from signer.cli.app import app

MakeOnce = Callable[[Callable[[], object]], None]
"""The fixture `make_once`: it fills the working folder by calling a function, once for all tests of a module."""


@dataclass(frozen=True)
class Ran:
    """Exit code and output of a command."""

    code: int
    stdout: str
    stderr: str

    @property
    def document(self) -> dict[str, Any]:
        """The JSON document on stdout."""
        document: dict[str, Any] = json.loads(self.stdout)
        return document

    @property
    def errors(self) -> list[str]:
        """The error lines on stderr."""
        return [line for line in self.stderr.splitlines() if line.startswith("error: ")]


def drvsign(*arguments: object, stdin: bytes | None = None) -> Ran:
    """Run drvsign with these arguments, and these bytes on standard input."""
    result = CliRunner().invoke(app, [str(argument) for argument in arguments], input=stdin)
    assert "Traceback" not in result.output
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return Ran(result.exit_code, result.stdout, result.stderr)


def state(folder: Path) -> dict[str, str]:
    """Return the digest of every file in a folder, to detect changes."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
