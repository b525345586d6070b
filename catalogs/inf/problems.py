"""What is wrong with an INF or a driver package: one type, so that all of it can be reported in one run."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from pathlib import PurePath
from typing import Any


class Severity(Enum):
    """How much a problem weighs."""

    ERROR = "error"
    """The package can't be catalogued as it is."""
    WARNING = "warning"
    """The package can be catalogued, and something about it deserves attention."""

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong, where it is, and what to do about it."""

    code: str
    """Inf2Cat's number where it is public (`22.9.1`), else a name of this project (`file-collision`)."""
    message: str
    """What Inf2Cat says where that is known word for word; else one sentence."""
    path: PurePath | None = None
    """The file that the problem is in: the INF, mostly."""
    line: int | None = None
    """The line in it, counted from 1."""
    hint: str | None = None
    """What to do about it."""
    severity: Severity = Severity.ERROR
    """Whether it forbids the catalog."""

    def __str__(self) -> str:
        place = "" if self.path is None else f"{self.path}:{self.line}: " if self.line else f"{self.path}: "
        return f"{place}{self.code}: {self.message}"

    def as_json(self) -> dict[str, Any]:
        """The problem as the command line's JSON has it."""
        return {
            "code": self.code,
            "severity": self.severity.value,
            "message": self.message,
            "path": None if self.path is None else str(self.path),
            "line": self.line,
            "hint": self.hint,
        }
