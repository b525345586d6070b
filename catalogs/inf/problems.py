"""`PackageProblem`: an error or warning about an INF or driver package, one type for all of them in a report."""

from __future__ import annotations

from enum import Enum
from pathlib import PurePath
from typing import Any

from signer.records import dataclass


class Severity(Enum):
    """Severity of a problem."""

    ERROR = "error"
    """Inf2Cat or InfVerif reports an error. Errors that `catalogs.package` finds prevent building the catalog."""
    WARNING = "warning"
    """A catalog can be built and lint succeeds, but the package should be fixed."""

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True)
class PackageProblem:
    """An error or warning with its location and a hint."""

    code: str
    """Inf2Cat's or InfVerif's number if it is public (`22.9.1`, `1324`), else a drvsign name (`file-collision`)."""
    message: str
    """Inf2Cat's or InfVerif's exact text if it is known, otherwise one sentence."""
    path: PurePath | None = None
    """The affected file, usually the INF."""
    line: int | None = None
    """Line number in `path`, counted from 1."""
    hint: str | None = None
    """How to fix it."""
    severity: Severity = Severity.ERROR
    """ERROR unless the package can be used as it is."""

    def __str__(self) -> str:
        place = "" if self.path is None else f"{self.path}:{self.line}: " if self.line else f"{self.path}: "
        return f"{place}{self.code}: {self.message}"

    def as_json(self) -> dict[str, Any]:
        """Return the JSON object that the command line prints."""
        return {
            "code": self.code,
            "severity": self.severity.value,
            "message": self.message,
            "path": None if self.path is None else str(self.path),
            "line": self.line,
            "hint": self.hint,
        }
