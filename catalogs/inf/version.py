"""The [Version] section: the catalog for each architecture, the driver date and version, the class.

Source: "INF Version Section" and "INF DriverVer Directive" (windows-driver-docs, install/inf-version-section.md,
install/inf-driverver-directive.md).
"""

from __future__ import annotations

import datetime
import re

from catalogs.inf.syntax import Entry, Inf, Section
from signer.records import dataclass

SECTION = "Version"

_CATALOG = re.compile(r"CatalogFile(?:\.(nt(?:x86|amd64|ia64|arm64|arm)?))?", re.IGNORECASE)
_DATE = re.compile(r"([0-9]{1,2})[-/]([0-9]{1,2})[-/]([0-9]{4})")
_NUMBER = re.compile(r"[0-9]{1,5}")
_MAX_VERSION_PART = 65535


@dataclass(frozen=True, slots=True)
class CatalogDirective:
    """A CatalogFile directive."""

    architecture: str
    """`x86`, `amd64` …; `any` without an architecture."""
    name: str
    line: int


@dataclass(frozen=True, slots=True)
class DriverVersion:
    """The value of DriverVer."""

    date: datetime.date
    version: tuple[int, ...]
    """Four numbers, or as many as the INF gives; empty without a version."""
    line: int


class VersionSection:
    """The [Version] section of an INF with its %strings% replaced."""

    def __init__(self, inf: Inf) -> None:
        self.section: Section | None = inf.section(SECTION)

    @property
    def line(self) -> int | None:
        """Line number of the section; None without a section."""
        return self.section.line if self.section else None

    def entry(self, key: str) -> Entry | None:
        """Return a directive of the section, or None."""
        return self.section.first(key) if self.section else None

    def value(self, key: str) -> str:
        """Return the value of a directive, or an empty string if it is missing."""
        entry = self.entry(key)
        return "" if entry is None else entry.value()

    def catalog(self, architecture: str) -> CatalogDirective | None:
        """Return the first of CatalogFile.ntamd64, CatalogFile.nt and CatalogFile that exists for an architecture."""
        for key in (f"CatalogFile.nt{architecture}", "CatalogFile.nt", "CatalogFile"):
            entry = self.entry(key)
            if entry is not None and entry.value():
                decorated = key.endswith(architecture)
                return CatalogDirective(architecture if decorated else "any", entry.value(), entry.line)
        return None

    def catalogs(self) -> list[CatalogDirective]:
        """Return every CatalogFile directive that names a file."""
        found = []
        for entry in self.section.entries if self.section else ():
            match = _CATALOG.fullmatch(entry.key or "")
            if match and entry.value():
                architecture = (match.group(1) or "")[2:].lower() or "any"
                found.append(CatalogDirective(architecture, entry.value(), entry.line))
        return found

    def driver_version(self) -> DriverVersion | None:
        """Parse DriverVer. Returns None if it is missing or not mm/dd/yyyy[,w.x.y.z] with parts up to 65535."""
        entry = self.entry("DriverVer")
        match = _DATE.fullmatch(entry.value()) if entry else None
        if entry is None or match is None:
            return None
        month, day, year = map(int, match.groups())
        parts = entry.value(1).split(".") if entry.value(1) else []
        numbers = [int(part) if _NUMBER.fullmatch(part) else _MAX_VERSION_PART + 1 for part in parts]
        if len(numbers) > 4 or any(number > _MAX_VERSION_PART for number in numbers):
            return None
        try:
            return DriverVersion(datetime.date(year, month, day), tuple(numbers), entry.line)
        except ValueError:
            return None
