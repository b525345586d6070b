"""Inf2Cat's signability test: what is wrong with an INF and the folder that it stands in.

Where Inf2Cat's code and words are public they are used; other problems have names of this project. Sources: messages of
Inf2Cat in public build logs, and "Inf2Cat" (windows-driver-docs, devtest/inf2cat.md).
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from catalogs.catalog.os_names import OsName
from catalogs.inf.driver import DriverInf
from catalogs.inf.problems import Problem, Severity
from catalogs.inf.references import circular_needs
from catalogs.inf.version import CatalogDirective
from catalogs.package.copied_files import Contents, Item

_FILE_NAME = re.compile(r'[^\\/:*?"<>|\x00-\x1f]+')
_CATALOG_NAME = re.compile(r'[^\\/:*?"<>|\x00-\x1f]+\.cat', re.IGNORECASE)
_OF_WINDOWS = frozenset(
    (
        "advapi32.dll",
        "cfgmgr32.dll",
        "d3d8.dll",
        "d3d9.dll",
        "d3d10.dll",
        "d3d11.dll",
        "ddraw.dll",
        "dxgi.dll",
        "gdi32.dll",
        "hal.dll",
        "hidclass.sys",
        "hidparse.sys",
        "kernel32.dll",
        "kernelbase.dll",
        "ks.sys",
        "msvcrt.dll",
        "ndis.sys",
        "newdev.dll",
        "ntdll.dll",
        "ntoskrnl.exe",
        "ole32.dll",
        "oleaut32.dll",
        "opengl32.dll",
        "portcls.sys",
        "rpcrt4.dll",
        "scsiport.sys",
        "setupapi.dll",
        "shell32.dll",
        "storport.sys",
        "usbd.sys",
        "usbhub.sys",
        "user32.dll",
        "ws2_32.dll",
        "wudfrd.sys",
    )
)
"""Files that every Windows brings and that drivers are seen to ship. Inf2Cat's own list is not public."""
_FAMILIES = {
    (5, 1): "Windows XP/Windows Server 2003",
    (5, 2): "Windows XP/Windows Server 2003",
    (6, 0): "Windows Vista/Windows Server 2008",
    # The first two were seen in messages of Inf2Cat; these follow their pattern.
    (6, 1): "Windows 7/Windows Server 2008 R2",
    (6, 2): "Windows 8/Windows Server 2012",
    (6, 3): "Windows 8.1/Windows Server 2012 R2",
    (10, 0): "Windows 10/Windows Server 2016",
}
_WINDOWS_7 = (6, 1, 0)
_OLDEST_FOR_WINDOWS_7 = datetime.date(2009, 4, 21)


def check_version(driver: DriverInf, names: Sequence[OsName], today: datetime.date | None) -> Iterator[Problem]:
    """What is wrong with [Version], for these releases.

    `today` is what DriverVer must not be after; without it any date will do.
    """
    version = driver.version
    if version.section is None:
        yield Problem(
            "missing-version", "there is no [Version] section", driver.path, 1, 'Begin the INF with "[Version]".'
        )
        return
    entry = version.entry("DriverVer")
    found = version.driver_version()
    if found is None:
        yield Problem(
            "22.9.6",
            f"DriverVer missing or in incorrect format in \\{driver.path.name}",
            driver.path,
            entry.line if entry else version.line,
            "Write DriverVer = mm/dd/yyyy,w.x.y.z, with slashes and no number above 65535.",
        )
    elif today is not None and found.date > today:
        yield Problem(
            "22.9.7",
            f"DriverVer set to a date in the future (postdated DriverVer not allowed) in {_in_folder(driver)}.",
            driver.path,
            found.line,
            f"It is {today:%m/%d/%Y}, by the clock that the test goes by: give that date or an earlier one.",
        )
    elif found.date < _OLDEST_FOR_WINDOWS_7 and any(name.release >= _WINDOWS_7 for name in names):
        newest = max(name.release for name in names)
        yield Problem(
            "22.9.7",
            f"DriverVer set to incorrect date (must be postdated to 4/21/2009 for newest OS) in \\{driver.path.name}",
            driver.path,
            found.line,
            "Give the date of this build: the Inf2Cat of Windows 7 takes no older driver, later ones do.",
            # That Inf2Cat knows no newer release; one that does was seen to pass a driver of 2007.
            Severity.WARNING if newest[:2] > _WINDOWS_7[:2] else Severity.ERROR,
        )


def check_catalog_name(driver: DriverInf, directive: CatalogDirective) -> Iterator[Problem]:
    """What is wrong with the name of a catalog: it has to be that of a .cat file beside the INF."""
    if not _CATALOG_NAME.fullmatch(directive.name):
        yield Problem(
            "catalog-name",
            f"CatalogFile is {directive.name!r}, which is no name of a .cat file beside the INF",
            driver.path,
            directive.line,
            f"Write CatalogFile = {driver.path.stem}.cat. (InfVerif calls this 1214.)",
        )


def check_contents(driver: DriverInf, found: Contents) -> Iterator[Problem]:
    """What is wrong with the sections that install files, and with what they say of each file."""
    yield from _check_sections(driver, found)
    yield from _check_names(driver, found.items)
    yield from _check_destinations(driver, found.items)


def _check_sections(driver: DriverInf, found: Contents) -> Iterator[Problem]:
    """Sections that lead back to themselves, and sections that are not there."""
    for entry in circular_needs(driver.inf):
        yield Problem(
            "circular-needs",
            f"Needs = {', '.join(entry.values)} leads back to a section that it comes from",
            driver.path,
            entry.line,
            "Leave out one of the Needs directives of the circle.",
        )
    for section in found.missing_sections:
        yield Problem(
            "missing-section",
            f"{section.directive} names the section [{section.name}], which does not exist",
            driver.path,
            section.line,
            f"A single file is written {section.directive} = @{section.name}. (InfVerif calls this 1203.)",
            Severity.WARNING,
        )
    for install in found.missing_installs:
        yield Problem(
            "missing-section",
            f"a model is installed by the section [{install.name}], which does not exist",
            driver.path,
            install.line,
            "Write the section, with or without a decoration. (InfVerif calls this 1203.)",
            Severity.WARNING,
        )


def _check_names(driver: DriverInf, items: Iterable[Item]) -> Iterator[Problem]:
    """Files that have no name, and files that no section places."""
    for item in items:
        if not is_file_name(item.copy.target):
            yield Problem(
                "file-name",
                f"{item.copy.target!r} is no name that a file can be installed under",
                driver.path,
                item.copy.line,
                "Write the name alone: [DestinationDirs] says where the file goes.",
            )
        elif item.source is None and not item.inbox:
            yield Problem(
                "22.9.10",
                f"{item.copy.source} missing from [SourceDisksFiles]",
                driver.path,
                item.copy.line,
                f"Add it to [SourceDisksFiles] or [SourceDisksFiles.{item.architecture}]. (InfVerif calls this 1230.)",
            )


def _check_destinations(driver: DriverInf, items: Iterable[Item]) -> Iterator[Problem]:
    """Files that would overwrite each other, and files that go to two places."""
    sources: dict[tuple[str, str, tuple[str, str], str], Item] = {}
    targets: dict[tuple[str, str, str], Item] = {}
    for item in items:
        copy = item.copy
        if item.source is None:
            continue
        there = sources.setdefault((item.architecture, item.on, copy.destination, copy.target.lower()), item)
        if there.copy.source.lower() != copy.source.lower():
            yield Problem(
                "file-collision",
                f"{there.copy.source} and {copy.source} are both installed as {copy.target} in the same folder",
                driver.path,
                copy.line,
                f"The other is in line {there.copy.line}. Give them different names. (InfVerif calls this 1330.)",
                Severity.WARNING,
            )
        first = targets.setdefault((item.architecture, item.on, copy.source.lower()), item)
        if (first.copy.destination, first.copy.target.lower()) != (copy.destination, copy.target.lower()):
            yield Problem(
                "two-destinations",
                f"{copy.source} is installed in two places",
                driver.path,
                copy.line,
                f"The other is in line {first.copy.line}. Make sure that both are meant.",
                Severity.WARNING,
            )


def is_file_name(name: str) -> bool:
    """Whether Windows can have a file of this name; one with a folder or a drive is none."""
    return _FILE_NAME.fullmatch(name) is not None and bool(name.strip(". "))


def missing_catalog_file(driver: DriverInf, architecture: str) -> Problem:
    """There is no CatalogFile directive for an architecture."""
    return Problem(
        "22.9.4",
        f"Missing {architecture.upper()} CatalogFile entry (CatalogFile.nt{architecture}, CatalogFile.nt, CatalogFile)"
        f" from [Version] section in \\{driver.path.name}",
        driver.path,
        driver.version.line,
        f"Add CatalogFile = {driver.path.stem}.cat to [Version]. (InfVerif calls this 1233.)",
    )


def missing_file(driver: DriverInf, item: Item) -> Problem:
    """A file is not where the INF says. Inf2Cat says nothing of one on a disk that the INF does not describe."""
    assert item.source is not None
    if not item.source.disk_known:
        return Problem(
            "unknown-disk",
            f"{item.copy.source} is on disk {item.source.disk!r}, which no [SourceDisksNames] section describes for"
            f" {item.architecture}: it is not catalogued",
            driver.path,
            item.source.line,
            "Add the disk, or place the file on one that there is. (InfVerif calls this 1273.)",
            Severity.WARNING,
        )
    return Problem(
        "22.9.1",
        f"{item.copy.source} in [{item.copy.section}] of {_in_folder(driver)} is missing or cannot be decompressed from"
        " source media.  Please verify all path values specified in SourceDisksNames, SouceDisksFiles, and CopyFiles"
        " sections resolve to the actual location of the file, and are expressed in terms relative to the location of"
        " the inf.",
        driver.path,
        item.copy.line,
        f"For {item.architecture}, line {item.source.line} in [{item.source.section}] puts it at {_place(item)}."
        + (f" Files in a cabinet are not looked for: unpack {cabinet}." if (cabinet := item.source.cabinet) else ""),
    )


def outside_folder(driver: DriverInf, item: Item) -> Problem:
    """The INF sends the reader out of the package."""
    return Problem(
        "outside-package",
        f"{_place(item)} does not lie in the package",
        driver.path,
        item.source.line if item.source else item.copy.line,
        "Paths are relative to the INF: no drive, no .., and no link that leads elsewhere.",
    )


def ambiguous_name(driver: DriverInf, item: Item, path: Path, twins: Sequence[str]) -> Problem:
    """Names that are one name to Windows."""
    return Problem(
        "ambiguous-name",
        f"{path.name} and {', '.join(twins)} differ by case only, and are one file to Windows",
        driver.path,
        item.copy.line,
        "Keep one of them.",
    )


def no_releases(driver: DriverInf) -> Problem:
    """No Windows release would install anything from the INF."""
    return Problem(
        "no-releases",
        "no Windows release finds a device or a [DefaultInstall] section for itself in this INF",
        driver.path,
        driver.version.line,
        "Say with --os what the catalog is for.",
    )


def redistributed(path: Path, root: Path, names: Sequence[OsName]) -> Iterator[Problem]:
    """A file of Windows lies in the package, and no INF copies it."""
    if path.name.lower() in _OF_WINDOWS:
        place = "\\".join(("", *path.relative_to(root).parts))
        families = dict.fromkeys(_FAMILIES[name.release[:2]] for name in names if name.release[:2] in _FAMILIES)
        for family in families:
            yield Problem(
                "22.9.8",
                f"Possible {family} file redistribution violation ({place} --> {path.name.lower()}). "
                "File not copied by installation inf so this is a warning only.",
                path,
                None,
                "Windows brings this file itself: leave it out of the package.",
                Severity.WARNING,
            )


def _place(item: Item) -> str:
    """Where a file is said to be, as Windows writes it."""
    folders = item.source.folders if item.source else ()
    return "\\".join((*folders, item.copy.source))


def _in_folder(driver: DriverInf) -> str:
    """The INF as newer messages name it: with its folder."""
    return f"{driver.path.parent.name}\\{driver.path.name}"
