"""Cases for InfVerif's rules: changes of the sample INF that break a rule, and near misses that do not.

`;!` marks the line that the problem must name.
"""

from __future__ import annotations

from dataclasses import dataclass

from catalogs.inf.rules import Mode

Change = tuple[str, str]
MARK = ";!"


@dataclass(frozen=True)
class Case:
    """A rule, an INF that breaks it, and an INF that almost does."""

    code: str
    fires: tuple[Change, ...]
    near: tuple[Change, ...]
    name: str = ""
    mode: Mode = Mode.W

    @property
    def id(self) -> str:
        return f"{self.code}-{self.name}" if self.name else self.code


def after(line: str, *new: str) -> tuple[Change, ...]:
    """Insert lines after a line of the sample INF."""
    return ((f"{line}\n", "\n".join((line, *new, ""))),)


def end(*lines: str) -> tuple[Change, ...]:
    """Append lines to the INF."""
    return after('Disk = "Sample Disk"', *lines)


def version(*lines: str) -> tuple[Change, ...]:
    """Add lines to [Version]."""
    return after("PnpLockdown = 1", *lines)


def install(*lines: str) -> tuple[Change, ...]:
    """Add lines to the install section."""
    return after("CopyFiles = Drivers", *lines)


def services(*lines: str) -> tuple[Change, ...]:
    """Add lines to the .Services section."""
    return after("AddService = Sample,2,Service", *lines)


def service(*lines: str) -> tuple[Change, ...]:
    """Add lines to the service section."""
    return after("ErrorControl = 1", *lines)


def added(*lines: str) -> tuple[Change, ...]:
    """Add a section with registry values."""
    return (*install("AddReg = Values"), *end("[Values]", *lines))


def in_class(name: str) -> tuple[Change, ...]:
    """Change the setup class to one that Windows does not define."""
    return (("Class = System\n", f"Class = {name}\n"), ("{4d36e97d-e325-11ce-bfc1-08002be10318}", OWN_GUID))


OWN_GUID = "{0b3c5ee4-8a3e-4c40-9df2-4d2f6f1f8a11}"
EXTENSION = (
    ("Class = System\n", "Class = Extension\n"),
    ("{4d36e97d-e325-11ce-bfc1-08002be10318}", "{e2f84ce7-8efa-411c-aa69-97454ca4cb57}"),
)
DISPLAY = (
    ("Class = System\n", "Class = Display\n"),
    ("{4d36e97d-e325-11ce-bfc1-08002be10318}", "{4d36e968-e325-11ce-bfc1-08002be10318}"),
)
