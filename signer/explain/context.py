"""State that readers share while they read one input."""

from __future__ import annotations

from typing import TYPE_CHECKING

from signer.explain.budget import Budget

if TYPE_CHECKING:
    from signer.explain.readers.event_columns import Columns


class Context:
    """The file that the surrounding lines are about, and what was recognised so far."""

    def __init__(self) -> None:
        self.budget = Budget()
        """The work that the input may still take."""
        self.source: str | None = None
        """The name of the input, for errors."""
        self.subject: str | None = None
        """The file or service that lines without a name of their own are about."""
        self.time = ""
        """The start of the log section that the lines belong to."""
        self.columns: Columns | None = None
        """The header of the table that the lines are in."""
        self.device: str | None = None
        """The device that the lines are about, by its instance id."""
        self.sign: str | None = None
        """The sign of a notice whose following lines name the drivers, one in each."""
        self.forms: dict[str, int] = {}
        """Forms of input that were recognised, such as "event XML", and how often."""
        self.damages: dict[str, int] = {}
        """What could not be read, and how often."""

    def open(self, source: str) -> None:
        """Begin another input."""
        self.source, self.budget = source, Budget()
        self.begin()

    def begin(self) -> None:
        """Begin another input or section: its lines are about no file yet."""
        self.subject, self.device, self.time, self.columns, self.sign = None, None, "", None, None

    def seen(self, form: str) -> None:
        """Count one recognised piece of input."""
        self.forms[form] = self.forms.get(form, 0) + 1

    def damaged(self, problem: str) -> None:
        """Count one piece of input that could not be read."""
        self.damages[problem] = self.damages.get(problem, 0) + 1
