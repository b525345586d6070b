"""Fix what needs no decision: encoding, newlines, PnpLockdown, DriverVer and architecture decorations.

Each fix changes lines of the text; everything else stays as it is. Nothing is written here.
"""

from __future__ import annotations

import codecs
import datetime
import difflib
import re
from pathlib import Path

from catalogs.inf.driver import DriverInf
from catalogs.inf.edit import insert, rename, replace
from catalogs.inf.rules import is_template
from catalogs.inf.syntax import Entry, Inf
from catalogs.inf.text import DEFAULT_CODE_PAGE, InfText
from catalogs.inf.version import VersionSection
from signer.records import dataclass

_DATE = re.compile(r"([0-9]{1,2})[-/]([0-9]{1,2})[-/]([0-9]{4})")
"""A date with the month first. Dots are left out: where dates have them, the day is first."""
_PARTS = re.compile(r"[0-9]{1,5}(?:\.[0-9]{1,5}){0,3}")
_MAX_PART = 65535
_FIRST_VERSION = ".".join(map(str, (1, 0, 0, 0)))


@dataclass(frozen=True)
class FixedInf:
    """The text of an INF before and after the fixes."""

    path: Path
    before: InfText
    after: InfText

    @property
    def changed(self) -> bool:
        """Tell whether the fixes change a byte."""
        return self.after != self.before

    def diff(self) -> str:
        """Return a unified diff. Changes of the encoding and the newlines are lines of their own before it."""
        lines = [f"encoding: {_encoding(self.before)} -> {_encoding(self.after)}\n"] if self._recoded else []
        if self.before.newlines != self.after.newlines:
            lines.append(f"newlines: {self.before.newlines} -> {self.after.newlines}\n")
        old, new = ([f"{line}\n" for line in each.text.splitlines()] for each in (self.before, self.after))
        return "".join(lines + list(difflib.unified_diff(old, new, str(self.path), str(self.path), n=1)))

    @property
    def _recoded(self) -> bool:
        return (self.before.encoding, self.before.bom) != (self.after.encoding, self.after.bom)


def fix(path: Path, data: bytes, today: datetime.date) -> FixedInf:
    """Return the fixed INF; `today` is the date of a DriverVer that is missing. Raises InfError."""
    driver = DriverInf.parse(data, path)
    lines = driver.text.source.text.split("\n")
    _fix_version(driver, lines, today)
    _fix_default_install(driver, lines)
    _fix_models(driver, lines)
    before = driver.text.source
    text = "\r\n".join(line.removesuffix("\r") for part in lines for line in part.split("\n"))
    return FixedInf(path, before, _recode(before, text))


def _recode(source: InfText, text: str) -> InfText:
    """Return the text in UTF-16 LE if Windows can't read its encoding; else in the same encoding."""
    readable = source.encoding == DEFAULT_CODE_PAGE or (source.encoding == "utf-16-le" and source.bom)
    if readable and (source.encoding != DEFAULT_CODE_PAGE or text.isascii() or not _is_utf8(source)):
        return InfText(text, source.encoding, source.bom)
    if source.encoding == DEFAULT_CODE_PAGE:
        text = InfText(text, DEFAULT_CODE_PAGE).to_bytes().decode("utf-8")
    return InfText(text, "utf-16-le", codecs.BOM_UTF16_LE)


def _is_utf8(source: InfText) -> bool:
    """Tell whether text that Windows reads in the ANSI code page is UTF-8."""
    try:
        source.to_bytes().decode("utf-8")
    except UnicodeError:
        return False
    return True


def _encoding(text: InfText) -> str:
    return text.encoding.upper() + (" with a byte-order mark" if text.bom else "")


def _fix_version(driver: DriverInf, lines: list[str], today: datetime.date) -> None:
    section = driver.text.section("Version")
    if section is None:
        return
    lockdown = section.first("PnpLockdown")
    if lockdown is None:
        insert(lines, section, "PnpLockdown = 1")
    elif driver.version.value("PnpLockdown") != "1":
        replace(lines, lockdown, "PnpLockdown = 1")
    if is_template(driver):
        return
    entry = section.first("DriverVer")
    if entry is None or not any(entry.values):
        value = f"DriverVer = {today:%m/%d/%Y},{_FIRST_VERSION}"
        insert(lines, section, value) if entry is None else replace(lines, entry, value)
        return
    fixed = _driver_version(entry, driver.version)
    if fixed is not None:
        replace(lines, entry, f"{entry.key} = {fixed}")


def _driver_version(entry: Entry, version: VersionSection) -> str | None:
    """Return DriverVer with its date as MM/DD/YYYY and four version numbers; None if it is right or can't be read."""
    date = _DATE.fullmatch(entry.value())
    text = entry.value(1) or _FIRST_VERSION
    if date is None or not _PARTS.fullmatch(text):
        return None
    parts = [int(part) for part in text.split(".")]
    if any(part > _MAX_PART for part in parts):
        return None
    month, day, year = map(int, date.groups())
    try:
        datetime.date(year, month, day)
    except ValueError:
        return None
    parsed = version.driver_version()
    if parsed is not None and len(parsed.version) == 4:
        return None
    numbers = ".".join(map(str, parts + [0] * (4 - len(parts))))
    return f"{month:02}/{day:02}/{year:04},{numbers}"


def _fix_default_install(driver: DriverInf, lines: list[str]) -> None:
    """Decorate [DefaultInstall] and the sections beside it, if the INF names exactly one architecture elsewhere."""
    architecture = _only_architecture(driver.text)
    if driver.text.section("Manufacturer") is not None or architecture is None:
        return
    for name, section in driver.text.sections.items():
        base, _, rest = name.partition(".")
        if base in ("defaultinstall", "defaultuninstall") and not rest.startswith("nt"):
            suffix = section.name[len(base) :]
            for line in section.lines:
                rename(lines, line, f"{section.name[: len(base)]}.NT{architecture}{suffix}")


def _only_architecture(inf: Inf) -> str | None:
    """Return the architecture that decorations of [SourceDisksFiles] and CatalogFile name, if it is one."""
    named = {name.partition(".")[2] for name in inf.sections if name.startswith("sourcedisksfiles.")}
    version = inf.section("Version")
    keys = (entry.key or "" for entry in version.entries) if version is not None else ()
    named |= {key.lower().partition(".nt")[2] for key in keys if key.lower().startswith("catalogfile.nt")}
    named.discard("")
    return named.pop() if len(named) == 1 else None


def _fix_models(driver: DriverInf, lines: list[str]) -> None:
    """Decorate Models sections without an architecture with NTx86: Windows uses them on x86 only."""
    manufacturer = driver.text.section("Manufacturer")
    for entry in manufacturer.entries if manufacturer is not None else ():
        name = entry.value()
        section = driver.text.section(name)
        decorated = any(value.lower().startswith("ntx86") for value in entry.values)
        if section is None or decorated or not section.entries or "%" in name or entry.key is None:
            continue
        line = lines[entry.line - 1]
        match = re.search(rf"(=\s*{re.escape(name)})(?=\s*(?:,|;|\r|$))", line)
        if match is not None and all(driver.text.section(f"{name}.{each}") for each in entry.values[1:]):
            lines[entry.line - 1] = f"{line[: match.end()]},NTx86{line[match.end() :]}"
            for header in section.lines:
                rename(lines, header, f"{section.name}.NTx86")
