"""Rules about files: [SourceDisksNames], [SourceDisksFiles], [DestinationDirs], and the lists of file operations."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from catalogs.catalog import os_names
from catalogs.inf.rules.copies import FileCopy, destination
from catalogs.inf.rules.directives import COPY_FLAGS
from catalogs.inf.rules.exceptions import DIRIDS
from catalogs.inf.rules.finding import Finding, Subject, checks, found
from catalogs.inf.rules.numbers import (
    DEPRECATED_DIRIDS,
    DRIVER_STORE,
    dirid_of,
    flags,
    is_known_dirid,
    is_user_dirid,
    number,
)
from catalogs.inf.rules.rule import Mode
from catalogs.inf.sources import FILES
from catalogs.inf.sources import NAMES as DISKS
from catalogs.inf.syntax import Entry, Section
from catalogs.inf.targets import ARCHITECTURES
from catalogs.inf.uses import Role

_NON_SYSTEM_DIRIDS = {"24", "30", "16422", "16426", "16427", "16428", "-1", "01"}
"""Dirids outside %SystemRoot%: the root of the system drive, Program Files, absolute paths, the INF's folder."""
_INVALID_FOLDER = re.compile(r'[:*?"<>|]|(?:^|[\\/])\.\.(?:[\\/]|$)')
_COMPRESSED = re.compile(r"\.[^.]{0,2}_$")
"""Names of files that COMPRESS wrote: the last character of an extension of three is an underscore."""
_SEPARATORS = re.compile(r"[\\/]+")


def _source_lines(subject: Subject) -> Iterator[tuple[Section, Entry, str]]:
    """Yield the lines of the [SourceDisksFiles] sections, with the name of the file."""
    for name, section in subject.inf.sections.items():
        if name.partition(".")[0] == FILES.lower():
            for entry in section.entries:
                yield section, entry, entry.key if entry.key is not None else entry.value()


@checks("1008", "1213", "1016", "1231", "1273")
def sources(subject: Subject) -> Iterator[Finding]:
    """Find lines of [SourceDisksFiles] with a wrong name, disk or folder."""
    catalogs = {catalog.name.lower() for catalog in subject.driver.version.catalogs()}
    disks = _defined_disks(subject)
    for section, entry, file in _source_lines(subject):
        disk, folder = (entry.value(), entry.value(1)) if entry.key is not None else ("", "")
        if not disk:
            yield found("1008", entry.line, file, section.name)
        elif disk.lower() not in disks:
            yield found("1273", entry.line, file, disk, DISKS)
        if file.lower().endswith(".cat"):
            own = file.lower() in catalogs
            fix = None if own else "Remove the line, unless the file is to be a catalog member like any other."
            yield found("1213", entry.line, fix=fix, warning=not own)
        if _COMPRESSED.search(file):
            yield found("1231", entry.line, file, file[:-1] + "*")
        if _INVALID_FOLDER.search(folder):
            yield found("1016", entry.line, "source", "source", file)


def _defined_disks(subject: Subject) -> set[str]:
    """Return the disks that the [SourceDisksNames] sections of any architecture define, in lower case."""
    sections = (section for name, section in subject.inf.sections.items() if name.startswith(DISKS.lower()))
    return {(entry.key or entry.value()).lower() for section in sections for entry in section.entries}


def _listed(subject: Subject, *names: str) -> set[str]:
    """Return the files in sections, in lower case."""
    sections = filter(None, map(subject.inf.section, names))
    return {text.lower() for section in sections for entry in section.entries for text in entry.texts[:1]}


def _architectures(subject: Subject) -> Collection[str]:
    """Return the architectures that may install the INF."""
    if subject.driver.default_installs:
        return ARCHITECTURES
    return {models.target.architecture or "x86" for models in subject.driver.models}


@checks("1230")
def missing_sources(subject: Subject) -> Iterator[Finding]:
    """Find files to copy that [SourceDisksFiles] does not list."""
    copied = {copy.source.lower() for copy in subject.copies}
    if subject.driver.version.entry("LayoutFile") is not None:
        return  # it may list any file of Windows
    if all(copied <= _listed(subject, FILES, f"{FILES}.{each}") for each in _architectures(subject)):
        return  # the lookup of each release takes longer
    for machine in subject.driver.lookup.on_any(os_names.ALL):
        for file in machine.files:
            if file.source is None and not file.inbox:
                yield found("1230", file.copy.line, file.copy.source)


@checks("1241", "1242", "1243", "1306", "1340")
def directories(subject: Subject) -> Iterator[Finding]:
    """Find dirids in [DestinationDirs] that Windows can't resolve, or that are no longer allowed."""
    section = subject.inf.section("DestinationDirs")
    for entry in section.entries if section is not None else ():
        dirid, name = entry.value(), entry.key or ""
        if not dirid:
            continue
        listed = subject.inf.section(name)
        file = next((line.texts[0] for line in listed.entries if line.texts), name) if listed is not None else name
        value = number(dirid.removeprefix("-"))
        if value is None or (dirid.startswith("-") and value != 1):
            yield found("1243", entry.line, dirid, file, name)
        elif is_user_dirid(dirid):
            yield found("1241", entry.line, dirid, file, name)
        elif not is_known_dirid(dirid):
            yield found("1242", entry.line, dirid, file, name)
        if dirid in _NON_SYSTEM_DIRIDS and not (subject.mode is Mode.H and dirid in DIRIDS):
            yield found("1306", entry.line, "CopyFiles", f"dirid {dirid}", name, "")
        if dirid in DEPRECATED_DIRIDS:
            yield found("1340", entry.line, dirid)


@checks("1341")
def deprecated_paths(subject: Subject) -> Iterator[Finding]:
    """Find deprecated dirids in the paths of services and providers."""
    for use in subject.of(Role.SERVICE, Role.EVENT_PROVIDER, Role.COM_SERVER, Role.SOFTWARE, Role.UMDF):
        for entry in use.section.entries:
            for value in entry.values if "%" in ",".join(entry.values) else ():
                dirid = dirid_of(value)
                if dirid in DEPRECATED_DIRIDS:
                    yield found("1341", entry.line, dirid or "")


@checks("1101", "1102")
def driver_store_lists(subject: Subject) -> Iterator[Finding]:
    """Find operations that files in the driver store do not allow."""
    for use in subject.of(Role.COPY_FILES, Role.DEL_FILES, Role.REN_FILES):
        dirid, _, _ = destination(subject.inf, use.section.name)
        if dirid != DRIVER_STORE:
            continue
        security = subject.inf.section(f"{use.section.name}.security")
        if use.role is Role.COPY_FILES and security is not None:
            yield found("1101", security.line, dirid)
        elif use.role is not Role.COPY_FILES:
            yield found("1102", use.by.line if use.by is not None else None, use.role.value, dirid)


@checks("1083", "1229", "1275", "1322", "1100", "2601")
def copied_files(subject: Subject) -> Iterator[Finding]:
    """Find lines of CopyFiles lists with a wrong name, flag or destination."""
    reported: set[str] = set()
    for copy in subject.copies:
        bits = flags(copy.flags)
        if not copy.target:
            yield found("1229", copy.line, "destination", "CopyFiles")
        elif not copy.dirid:
            yield found("1275", copy.line, "file", copy.target)
        elif copy.dirid == DRIVER_STORE:
            yield from _in_driver_store(subject, copy)
        elif copy.list_name not in reported:
            reported.add(copy.list_name)
            if not (subject.mode is Mode.H and copy.dirid in DIRIDS):
                path = f"%{copy.dirid}%\\{copy.folder}".rstrip("\\")
                yield found("1322", copy.line, path, copy.target, DRIVER_STORE)
            if subject.device_class == "display":
                yield found("2601", copy.line, "file", copy.target, DRIVER_STORE)
        if bits is not None and bits & ~COPY_FLAGS:
            yield found("1083", copy.line, "CopyFiles", f"flags 0x{bits & ~COPY_FLAGS:X}", copy.target)


def _in_driver_store(subject: Subject, copy: FileCopy) -> Iterator[Finding]:
    """Find a file whose name or folder differs between package and driver store."""
    if copy.source.lower() != copy.target.lower():
        yield found("1100", copy.line, "name", copy.target, DRIVER_STORE)
        return
    sources = subject.driver.sources
    places = {source.folders for each in ARCHITECTURES for source in sources.find(copy.source, each)}
    folder = tuple(part for part in _SEPARATORS.split(copy.folder) if part)
    if places and all(tuple(part.lower() for part in place) != folder for place in places):
        yield found("1100", copy.line, "folder", copy.target, DRIVER_STORE)


@checks("1229")
def renamed_files(subject: Subject) -> Iterator[Finding]:
    """Find lines of RenFiles lists without the old name."""
    for use in subject.of(Role.REN_FILES):
        for entry in use.section.entries:
            if len(entry.texts) < 2 or not entry.texts[1]:
                yield found("1229", entry.line, "source", "RenFiles")


@checks("1110")
def copied_infs(subject: Subject) -> Iterator[Finding]:
    """Find files other than INFs in CopyINF."""
    for use in subject.of(Role.INSTALL):
        for entry in use.section.all("CopyINF"):
            for value in entry.values:
                if value and not value.lower().endswith(".inf"):
                    yield found("1110", entry.line, value)


@checks("1330")
def overwritten_files(subject: Subject) -> Iterator[Finding]:
    """Find two files that one machine may copy to the same place."""
    first: dict[tuple[str, str, str], FileCopy] = {}
    for copy in filter(lambda one: one.target, subject.copies):
        other = first.setdefault(copy.place, copy)
        if other.source.lower() != copy.source.lower() and subject.uses.together(other.use, copy.use):
            place = f"%{copy.dirid}%\\{copy.folder}\\{copy.target}".replace("\\\\", "\\")
            yield found("1330", copy.line, other.source, copy.source, place)
