"""Stamp an INF template as StampInf does: DriverVer, CatalogFile, $ARCH$ and the framework versions.

Nothing else in the text changes; encoding and newlines stay. Nothing is written here. Sources: "Stampinf Command
Options" and "Using INX Files to Create INF Files" (windows-driver-docs, devtest/stampinf-command-options.md,
wdf/using-inx-files-to-create-inf-files.md).
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from catalogs.inf.edit import END_OF_TEXT, insert
from catalogs.inf.edit import replace as replace_entry
from catalogs.inf.syntax import Inf, Section
from catalogs.inf.text import InfText
from catalogs.inf.version import SECTION, VersionSection
from signer.errors import InfError, UsageError
from signer.records import dataclass

ARCHITECTURES = {
    "x86": "x86",
    "win32": "x86",
    "x64": "amd64",
    "amd64": "amd64",
    "arm64": "arm64",
    "arm": "arm",
    "64": "ia64",
    "ia64": "ia64",
}
"""The names that StampInf and Visual Studio's variable Platform use, and those of INF decorations."""

ARCHITECTURE_VARIABLE = "$ARCH$"
_VERSION = re.compile(r"[0-9]{1,5}(?:\.[0-9]{1,5}){0,3}")
_FRAMEWORK = {"KMDF": re.compile(r"[0-9]{1,9}\.[0-9]{1,9}"), "UMDF": re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9}){2}")}
_FRAMEWORK_FORM = {"KMDF": "major.minor, such as 1.15", "UMDF": "major.minor.service, such as 2.15.0"}
_MAX_PART = 65535


@dataclass(frozen=True, slots=True)
class Stamp:
    """What to write into a template. The constructor raises UsageError for values that StampInf's page excludes."""

    date: datetime.date
    """The date of DriverVer."""
    version: str | None = None
    """The version of DriverVer; None to keep that of the template."""
    architecture: str | None = None
    """The value of $ARCH$, a key of ARCHITECTURES; empty to remove the variable; None if there is no value."""
    kmdf: str | None = None
    umdf: str | None = None
    catalog: str | None = None
    """The value of CatalogFile; None to leave it."""
    section: str = SECTION
    """The section with DriverVer."""

    def __post_init__(self) -> None:
        if self.version is not None and not _is_version(self.version):
            raise UsageError(
                f"not a version: {self.version!r}", hint="Write up to four numbers from 0 to 65535, such as 1.2.3.4."
            )
        if self.architecture and self.architecture.lower() not in ARCHITECTURES:
            raise UsageError(
                f"unknown architecture {self.architecture!r}", hint=f"Use one of {', '.join(ARCHITECTURES)}."
            )
        for name, value in (("KMDF", self.kmdf), ("UMDF", self.umdf)):
            if value is not None and not _FRAMEWORK[name].fullmatch(value):
                raise UsageError(f"not a version of {name}: {value!r}", hint=f"Write {_FRAMEWORK_FORM[name]}.")


@dataclass(frozen=True, slots=True)
class StampedInf:
    """A stamped INF."""

    text: InfText
    driver_ver: str
    """The value of DriverVer: date and version."""
    unresolved: tuple[int, ...] = ()
    """The lines with $ARCH$ outside section names and [Manufacturer], where StampInf does not replace it."""
    origins: tuple[int, ...] = ()
    """For each line of the INF, the line of the template that it comes from, or after which it was inserted."""


def version_of_time(time: datetime.datetime) -> str:
    """Return a time as a version: hours, minutes, seconds and milliseconds."""
    return f"{time.hour}.{time.minute}.{time.second}.{time.microsecond // 1000}"


def stamp(data: bytes, path: Path, values: Stamp) -> StampedInf:
    """Return the INF that a template becomes with these values.

    Raises InfError, with the line, for a template that is not an INF or has a variable without a value.
    """
    inf = Inf.parse(data, path)
    lines = inf.source.text.split("\n")
    driver_ver = _write_driver_ver(inf, lines, values, path)
    if values.catalog is not None:
        _write(inf, lines, _require_section(inf, SECTION, path), "CatalogFile", values.catalog)
    _replace_architecture(inf, lines, values.architecture, path)
    _replace_framework_versions(lines, values, path)
    text = "\n".join(lines)
    if inf.source.newlines == "crlf":
        text = text.replace("\r\n", "\n").replace("\n", "\r\n")
    origins = tuple(number for number, part in enumerate(lines, 1) for _ in part.split("\n"))
    return StampedInf(replace(inf.source, text=text), driver_ver, tuple(_unresolved(lines)), origins)


def _write_driver_ver(inf: Inf, lines: list[str], values: Stamp, path: Path) -> str:
    section = _require_section(inf, values.section, path)
    version = values.version or _present_version(inf, section)
    if version is None:
        raise InfError(
            "DriverVer has no version to keep",
            path=path,
            line=section.line,
            hint="Give one, such as --driver-version 1.0.0.0.",
        )
    driver_ver = f"{values.date:%m/%d/%Y},{version}"
    _write(inf, lines, section, "DriverVer", driver_ver)
    return driver_ver


def _present_version(inf: Inf, section: Section) -> str | None:
    """Return the version of the DriverVer in a section, else of that in [Version]; None if there is none."""
    for entry in (section.first("DriverVer"), VersionSection(inf).entry("DriverVer")):
        if entry is not None and _is_version(entry.value(1)):
            return entry.value(1)
    return None


def _write(inf: Inf, lines: list[str], section: Section, key: str, value: str) -> None:
    """Replace the value of a directive, or add the directive."""
    entry = section.first(key)
    if entry is None:
        insert(lines, section, f"{key} = {value}")
    else:
        written = re.match(r"\s*\S+?\s*=\s*", lines[entry.line - 1])
        replace_entry(lines, entry, (written.group().rstrip("\r\n") if written else f"{key} = ") + value)


def _replace_architecture(inf: Inf, lines: list[str], architecture: str | None, path: Path) -> None:
    """Replace $ARCH$ in section names and in the lines of [Manufacturer]."""
    headers = sorted(number for section in inf.sections.values() for number in section.lines)
    manufacturer = inf.section("Manufacturer")
    numbers = set(headers)
    for start in manufacturer.lines if manufacturer is not None else ():
        end = next((number for number in headers if number > start), _end(lines) + 1)
        numbers |= {number for number in range(start, end) if not lines[number - 1].lstrip().startswith(";")}
    for number in sorted(numbers):
        if ARCHITECTURE_VARIABLE in lines[number - 1]:
            if architecture is None:
                raise _no_value(ARCHITECTURE_VARIABLE, path, number, "--arch amd64")
            value = ARCHITECTURES.get(architecture.lower(), "")
            lines[number - 1] = lines[number - 1].replace(ARCHITECTURE_VARIABLE, value)


def _replace_framework_versions(lines: list[str], values: Stamp, path: Path) -> None:
    """Replace $KMDFVERSION$, $UMDFVERSION$, and the five digits that are part of the co-installers' names."""
    for name, value in (("KMDF", values.kmdf), ("UMDF", values.umdf)):
        variables = (f"${name}VERSION$", f"${name}COINSTALLERVERSION$")
        for index, line in enumerate(lines[: _end(lines)]):
            variable = next((one for one in variables if one in line), None)
            if variable is None:
                continue
            if value is None:
                if line.partition(";")[0].find(variable) < 0:
                    continue
                example = _FRAMEWORK_FORM[name].rsplit(" ", 1)[-1]
                raise _no_value(variable, path, index + 1, f"--{name.lower()} {example}")
            major, minor = map(int, value.split(".")[:2])
            lines[index] = line.replace(variables[0], value).replace(variables[1], f"{major:02}{minor:03}")


def _unresolved(lines: list[str]) -> Iterator[int]:
    number = 0
    for part in lines[: _end(lines)]:
        for line in part.split("\n"):
            number += 1
            if ARCHITECTURE_VARIABLE in line.partition(END_OF_TEXT)[0].partition(";")[0]:
                yield number


def _end(lines: list[str]) -> int:
    """Return the number of lines that are read: those up to the character that ends the text."""
    return next((number for number, line in enumerate(lines, 1) if END_OF_TEXT in line), len(lines))


def _require_section(inf: Inf, name: str, path: Path) -> Section:
    section = inf.section(name)
    if section is None:
        raise InfError(f"there is no section [{name}]", path=path, hint="Add the section, or name another one.")
    return section


def _no_value(variable: str, path: Path, line: int, option: str) -> InfError:
    return InfError(f"{variable} has no value", path=path, line=line, hint=f"Give it: {option}")


def _is_version(text: str) -> bool:
    return _VERSION.fullmatch(text) is not None and all(int(part) <= _MAX_PART for part in text.split("."))
