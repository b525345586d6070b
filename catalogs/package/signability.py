"""Inf2Cat's signability test: check an INF and its folder.

Problems have Inf2Cat's code and text if these are public, and a drvsign name otherwise. Sources: messages of Inf2Cat in
public build logs, and "Inf2Cat" (windows-driver-docs, devtest/inf2cat.md).
"""

from __future__ import annotations

import datetime
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from catalogs.catalog.os_names import OsName
from catalogs.inf.driver import DriverInf
from catalogs.inf.garbled import is_garbled
from catalogs.inf.install import CopiedFile
from catalogs.inf.problems import PackageProblem, Severity
from catalogs.inf.references import circular_needs
from catalogs.inf.sources import TagFile
from catalogs.inf.version import CatalogDirective
from catalogs.package.copied_files import CopiedFiles
from catalogs.package.folder import Folder, OutsideFolder

_FILE_NAME = re.compile(r'[^\\/:*?"<>|\x00-\x1f]+')
_CATALOG_NAME = re.compile(r'[^\\/:*?"<>|\x00-\x1f]+\.cat', re.IGNORECASE)
_WINDOWS_FILES = frozenset(
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
"""Files that are part of Windows and that driver packages sometimes contain. Inf2Cat's list is not public."""
_OS_FAMILIES = {
    (5, 1): "Windows XP/Windows Server 2003",
    (5, 2): "Windows XP/Windows Server 2003",
    (6, 0): "Windows Vista/Windows Server 2008",
    # The names above were seen in messages of Inf2Cat; those below follow the same pattern.
    (6, 1): "Windows 7/Windows Server 2008 R2",
    (6, 2): "Windows 8/Windows Server 2012",
    (6, 3): "Windows 8.1/Windows Server 2012 R2",
    (10, 0): "Windows 10/Windows Server 2016",
}
_WINDOWS_7 = (6, 1, 0)
_MIN_DATE_FOR_WINDOWS_7 = datetime.date(2009, 4, 21)


def check_version(driver: DriverInf, names: Sequence[OsName], today: datetime.date | None) -> Iterator[PackageProblem]:
    """Check [Version] for these releases.

    `today` is the latest date that DriverVer may have; None to accept any date.
    """
    version = driver.version
    if version.section is None:
        yield PackageProblem(
            "missing-version", "the INF has no [Version] section", driver.path, 1, "Start the INF with [Version]."
        )
        return
    found = version.driver_version()
    if found is None:
        yield _driver_version_problem(driver)
    elif today is not None and found.date > today:
        yield PackageProblem(
            "22.9.7",
            f"DriverVer set to a date in the future (postdated DriverVer not allowed) in {_in_folder(driver)}.",
            driver.path,
            found.line,
            f"The build date is {today} (from --now, SOURCE_DATE_EPOCH or the clock). Set DriverVer to "
            f"{today:%m/%d/%Y} or an earlier date, or give a later build date: --now {found.date}",
        )
    elif found.date < _MIN_DATE_FOR_WINDOWS_7 and any(name.release >= _WINDOWS_7 for name in names):
        newest = max(name.release for name in names)
        yield PackageProblem(
            "22.9.7",
            f"DriverVer set to incorrect date (must be postdated to 4/21/2009 for newest OS) in \\{driver.path.name}",
            driver.path,
            found.line,
            "Set DriverVer to the build date: Windows 7's Inf2Cat rejects older dates, later versions accept them.",
            # Windows 7's Inf2Cat does not know newer releases; a later Inf2Cat accepted a driver of 2007.
            Severity.WARNING if newest[:2] > _WINDOWS_7[:2] else Severity.ERROR,
        )


def _driver_version_problem(driver: DriverInf) -> PackageProblem:
    """Report a missing or invalid DriverVer; name the characters that do not belong into it, even invisible ones."""
    entry = driver.version.entry("DriverVer")
    text = ",".join(entry.values) if entry else ""
    strange = dict.fromkeys(char for char in text if not " " <= char <= "~")
    message = f"DriverVer missing or in incorrect format in \\{driver.path.name}"
    hint = "Write DriverVer = mm/dd/yyyy,w.x.y.z, with slashes, and no version number above 65535."
    if strange:
        named = ", ".join(f"U+{ord(char):04X} {unicodedata.name(char, '')}".strip() for char in strange)
        shown = "".join("?" if char in strange else char for char in text)
        message += f": '{shown}' contains {named}"
        hint = f"Type the value again. {hint} Some locales put invisible marks into dates."
    return PackageProblem("22.9.6", message, driver.path, entry.line if entry else driver.version.line, hint)


def check_catalog_name(driver: DriverInf, directive: CatalogDirective) -> Iterator[PackageProblem]:
    """Check that CatalogFile names a .cat file in the INF's folder."""
    if not _CATALOG_NAME.fullmatch(directive.name):
        yield PackageProblem(
            "catalog-name",
            f"CatalogFile is {directive.name!r}, not the name of a .cat file in the folder of the INF",
            driver.path,
            directive.line,
            f"Write CatalogFile = {driver.path.stem}.cat. (InfVerif: 1214)",
        )


def check_copied_files(driver: DriverInf, found: CopiedFiles, names: Iterable[OsName]) -> Iterator[PackageProblem]:
    """Check the install sections, the name of each file, and its destination on machines with these releases."""
    yield from _check_sections(driver, found)
    yield from filter(None, (name_problem(driver, item) for item in found.items))
    for machine in driver.lookup.on_any(names):
        yield from _check_destinations(driver, machine.files)


def _check_sections(driver: DriverInf, found: CopiedFiles) -> Iterator[PackageProblem]:
    """Find cycles of Needs directives, and missing sections."""
    for entry in circular_needs(driver.inf):
        yield PackageProblem(
            "circular-needs",
            f"circular reference: Needs = {', '.join(entry.values)} leads back to its own section",
            driver.path,
            entry.line,
            "Remove one of the Needs directives of the cycle.",
        )
    for section in found.missing_sections:
        yield PackageProblem(
            "missing-section",
            f"{section.directive} names section [{section.name}], which does not exist",
            driver.path,
            section.line,
            f"Add the section. To name a single file, write {section.directive} = @{section.name}. (InfVerif: 1203)",
            Severity.WARNING,
        )
    for install in found.missing_installs:
        yield PackageProblem(
            "missing-section",
            f"a model names install section [{install.name}], which does not exist",
            driver.path,
            install.line,
            "Add the section, with or without a decoration. (InfVerif: 1203)",
            Severity.WARNING,
        )


def check_tag_files(driver: DriverInf, folder: Folder, names: Iterable[OsName]) -> Iterator[PackageProblem]:
    """Find tag files that do not exist, of disks whose files machines with these releases install. Raises FileError.

    A tag file may be the catalog, which need not exist yet.
    """
    catalogs = {catalog.name.lower() for catalog in driver.version.catalogs()}
    files = (file for machine in driver.lookup.on_any(names) for file in machine.files)
    for tag in dict.fromkeys(file.source.tag for file in files if file.source is not None):
        if tag is not None and tag.name.lower() not in catalogs and not _exists(folder, tag):
            yield PackageProblem(
                "tag-file-missing",
                f"[SourceDisksNames] names the tag file {tag.name}, which does not exist",
                driver.path,
                tag.line,
                "Add the file beside the INF, or remove its name. Windows may ask for the disk, or stop with 0x800F0233"
                " (SPAPI_E_INVALID_TARGET).",
                Severity.WARNING,
            )


def _exists(folder: Folder, tag: TagFile) -> bool:
    """Tell whether a tag file is beside the INF or in the folder of its disk."""
    try:
        return any(folder.find(parts) is not None for parts in ((tag.name,), (*tag.folders, tag.name)))
    except OutsideFolder:
        return False


def name_problem(driver: DriverInf, item: CopiedFile) -> PackageProblem | None:
    """Report an invalid file name, or a file that [SourceDisksFiles] does not list."""
    if not is_file_name(item.copy.target):
        return PackageProblem(
            "file-name",
            f"{item.copy.target!r} is not a valid file name",
            driver.path,
            item.copy.line,
            "Write the name without a folder: [DestinationDirs] gives the destination folder.",
        )
    if item.source is None and not item.inbox:
        return PackageProblem(
            "22.9.10",
            f"{item.copy.source} missing from [SourceDisksFiles]",
            driver.path,
            item.copy.line,
            f"Add it to [SourceDisksFiles] or [SourceDisksFiles.{item.architecture}]. (InfVerif: 1230)",
        )
    return None


def _check_destinations(driver: DriverInf, items: Iterable[CopiedFile]) -> Iterator[PackageProblem]:
    """Find files that overwrite each other on one machine, and files that are installed twice."""
    sources: dict[tuple[tuple[str, str], str], CopiedFile] = {}
    targets: dict[str, CopiedFile] = {}
    for item in items:
        copy = item.copy
        if item.source is None:
            continue
        other = sources.setdefault((copy.destination, copy.target.lower()), item)
        if other.copy.source.lower() != copy.source.lower():
            yield PackageProblem(
                "file-collision",
                f"{other.copy.source} and {copy.source} are both installed as {copy.target} in the same folder",
                driver.path,
                copy.line,
                f"Give them different names; the other is in line {other.copy.line}. (InfVerif: 1330)",
                Severity.WARNING,
            )
        first = targets.setdefault(copy.source.lower(), item)
        if (first.copy.destination, first.copy.target.lower()) != (copy.destination, copy.target.lower()):
            yield PackageProblem(
                "two-destinations",
                f"{copy.source} is installed twice: in two folders or under two names",
                driver.path,
                copy.line,
                f"Remove one of the two if it is not intended; the other is in line {first.copy.line}.",
                Severity.WARNING,
            )


def is_file_name(name: str) -> bool:
    """Tell whether `name` is a valid Windows file name without a folder or drive."""
    return _FILE_NAME.fullmatch(name) is not None and bool(name.strip(". "))


def missing_catalog_file(driver: DriverInf, architecture: str) -> PackageProblem:
    """Report that an architecture has no CatalogFile directive."""
    return PackageProblem(
        "22.9.4",
        f"Missing {architecture.upper()} CatalogFile entry (CatalogFile.nt{architecture}, CatalogFile.nt, CatalogFile)"
        f" from [Version] section in \\{driver.path.name}",
        driver.path,
        driver.version.line,
        f"Add CatalogFile = {driver.path.stem}.cat to [Version]. (InfVerif: 1233)",
    )


def missing_file(driver: DriverInf, item: CopiedFile) -> PackageProblem:
    """Report a missing file. Inf2Cat ignores a missing file on an undefined disk, so that is only a warning."""
    assert item.source is not None
    if not item.source.disk_known:
        return PackageProblem(
            "unknown-disk",
            f"{item.copy.source} is missing and is not catalogued: its disk {item.source.disk!r} is not defined in"
            f" [SourceDisksNames] for {item.architecture}",
            driver.path,
            item.source.line,
            "Add the disk, or change the disk of the file in [SourceDisksFiles]. (InfVerif: 1273)",
            Severity.WARNING,
        )
    return PackageProblem(
        "22.9.1",
        f"{item.copy.source} in [{item.copy.section}] of {_in_folder(driver)} is missing or cannot be decompressed from"
        " source media.  Please verify all path values specified in SourceDisksNames, SouceDisksFiles, and CopyFiles"
        " sections resolve to the actual location of the file, and are expressed in terms relative to the location of"
        " the inf.",
        driver.path,
        item.copy.line,
        f"Copy the file to {_location(item)}, its path for {item.architecture} according to line {item.source.line} in"
        f" [{item.source.section}]."
        + (" The name is garbled: save the INF as UTF-16 LE." if is_garbled(driver, item.copy.source) else "")
        + (f" Files in cabinets are not supported: unpack {cabinet}." if (cabinet := item.source.cabinet) else ""),
    )


def outside_folder(driver: DriverInf, item: CopiedFile) -> PackageProblem:
    """Report a source path that leads outside the package."""
    return PackageProblem(
        "outside-package",
        f"{_location(item)} is outside the package folder",
        driver.path,
        item.source.line if item.source else item.copy.line,
        "Use a path relative to the INF, without a drive, '..' or a link to another folder.",
    )


def ambiguous_name(driver: DriverInf, item: CopiedFile, path: Path, case_variants: Sequence[str]) -> PackageProblem:
    """Report file names that differ only in case."""
    return PackageProblem(
        "ambiguous-name",
        f"{path.name} and {', '.join(case_variants)} differ only in case: they are the same file on Windows",
        driver.path,
        item.copy.line,
        "Delete all but one of them.",
    )


def no_releases(driver: DriverInf) -> PackageProblem:
    """Report that no Windows release would install anything from the INF."""
    return PackageProblem(
        "no-releases",
        "the INF has no models and no [DefaultInstall] section for any Windows release",
        driver.path,
        driver.version.line,
        "Add a TargetOS decoration. Commands that build catalogs take the target releases with --os.",
    )


def is_of_windows(name: str) -> bool:
    """Tell whether a file name is that of a file of Windows that drivers must not bring."""
    return name.lower() in _WINDOWS_FILES


def redistributed(path: Path, root: Path, names: Sequence[OsName]) -> Iterator[PackageProblem]:
    """Report a file of Windows that is in the package although no INF copies it."""
    place = "\\".join(("", *path.relative_to(root).parts))
    families = dict.fromkeys(_OS_FAMILIES[name.release[:2]] for name in names if name.release[:2] in _OS_FAMILIES)
    for family in families:
        yield PackageProblem(
            "22.9.8",
            f"Possible {family} file redistribution violation ({place} --> {path.name.lower()}). "
            "File not copied by installation inf so this is a warning only.",
            path,
            None,
            "Remove it from the package: the file is part of Windows.",
            Severity.WARNING,
        )


def _location(item: CopiedFile) -> str:
    """Return the source path of a file, with backslashes."""
    folders = item.source.folders if item.source else ()
    return "\\".join((*folders, item.copy.source))


def _in_folder(driver: DriverInf) -> str:
    """Return the name of the INF with its folder, as in newer messages of Inf2Cat."""
    return f"{driver.path.parent.name}\\{driver.path.name}"
