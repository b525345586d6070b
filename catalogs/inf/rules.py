"""Check an INF against the rules of Microsoft's InfVerif, with InfVerif's codes.

Sources: "INF Validation Errors and Warnings" (windows-driver-docs, devtest/inf-validation-errors-and-warnings.md) and
InfVerif's messages in public build logs. The Hardware Dev Center rejects errors; it accepts warnings for some kinds of
drivers or for a limited time.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from catalogs.catalog import os_names
from catalogs.inf.classes import NAMES, guid_of
from catalogs.inf.driver import DriverInf
from catalogs.inf.garbled import garbled_text
from catalogs.inf.legacy import check_legacy
from catalogs.inf.lookup import DEFAULT_INSTALL
from catalogs.inf.problems import PackageProblem, Severity
from catalogs.inf.references import references
from catalogs.inf.services import incomplete_services, lacks_services
from catalogs.inf.sources import FILES
from catalogs.inf.sources import NAMES as DISKS
from catalogs.inf.strings import Strings
from catalogs.inf.targets import ARCHITECTURES

TEMPLATE_SUFFIX = ".inx"
_MAX_FIELD_LENGTH = 4096
SIGNATURES = ("$windows nt$", "$chicago$", "$windows 95$")
"""Values of Signature that SetupAPI accepts, in lower case (windows-driver-docs, install/inf-version-section.md)."""
_TEMPLATE = re.compile(r"\$(?:ARCH|KMDFVERSION|KMDFCOINSTALLERVERSION|UMDFVERSION|UMDFCOINSTALLERVERSION)\$", re.I)

_Rule = Callable[[DriverInf], Iterator[PackageProblem]]


def check(driver: DriverInf) -> list[PackageProblem]:
    """Return all problems, in line order."""
    found = [problem for rule in _RULES for problem in rule(driver)]
    return sorted(dict.fromkeys(found), key=lambda problem: problem.line or 0)


def _problem(driver: DriverInf, code: str, message: str, line: int | None, hint: str, **more: Any) -> PackageProblem:
    return PackageProblem(code, message, driver.path, line, hint, **more)


def _warning(driver: DriverInf, code: str, message: str, line: int | None, hint: str) -> PackageProblem:
    return PackageProblem(code, message, driver.path, line, hint, Severity.WARNING)


def _check_encoding(driver: DriverInf) -> Iterator[PackageProblem]:
    source = driver.text.source
    if source.encoding in ("utf-8", "utf-16-be") or (source.encoding == "utf-16-le" and not source.bom):
        kind = source.encoding.upper() + ("" if source.bom else " without a byte-order mark")
        yield _problem(
            driver,
            "1003",
            f"the encoding is {kind}",
            1,
            "Save it as UTF-16 LE with a byte-order mark, or as ANSI text.",
        )
    else:
        yield from garbled_text(driver)


def _check_version(driver: DriverInf) -> Iterator[PackageProblem]:
    version = driver.version
    signature = version.value("Signature").lower()
    if signature not in SIGNATURES:
        yield _problem(
            driver, "1001", "[Version] has no valid Signature", version.line, 'Add: Signature = "$Windows NT$"'
        )
    elif signature != SIGNATURES[0]:
        yield _warning(
            driver, "1001", f"the Signature {signature} is for Windows 95", version.line, 'Use "$Windows NT$".'
        )
    provider = version.value("Provider")
    entry = version.entry("Provider")
    if not provider:
        yield _problem(
            driver,
            "missing-provider",
            "[Version] has no Provider",
            version.line,
            "Add Provider with the name of your company.",
        )
    elif provider.lower() == "microsoft" and entry:
        yield _problem(driver, "1204", "Provider cannot be Microsoft", entry.line, "Use the name of your company.")
    if version.value("PnpLockdown") != "1":
        yield _warning(
            driver,
            "1324",
            "[Version] section should specify PnpLockdown=1 to prevent external apps from modifying installed driver"
            " files.",
            version.line,
            "Add PnpLockdown = 1.",
        )
    found = version.driver_version()
    if found is not None and len(found.version) != 4:
        yield _warning(
            driver, "1217", "DriverVer has no version w.x.y.z", found.line, "Add a version of four numbers up to 65535."
        )


def _check_class(driver: DriverInf) -> Iterator[PackageProblem]:
    version = driver.version
    name, guid = version.value("Class"), version.value("ClassGuid").lower()
    entry = version.entry("ClassGuid") or version.entry("Class")
    line = entry.line if entry else version.line
    known = guid_of(name)
    if known is not None and guid and guid != known:
        yield _problem(
            driver, "1280", f"the ClassGuid of class {name} is {known}, not {guid}", line, "Correct Class or ClassGuid."
        )
    elif guid in NAMES and name and name.lower() != NAMES[guid].lower():
        yield _problem(
            driver,
            "1281",
            f"this ClassGuid belongs to class {NAMES[guid]}, not {name}",
            line,
            "Correct Class or ClassGuid.",
        )
    elif not guid and not driver.default_installs:
        yield _problem(
            driver,
            "missing-class",
            "[Version] has no ClassGuid",
            version.line,
            "Add Class and ClassGuid of the device's setup class.",
        )
    install = next((s for n, s in driver.inf.sections.items() if n.startswith("classinstall32")), None)
    if install is not None and (known is not None or guid in NAMES):
        yield _problem(
            driver,
            "1285",
            "Cannot specify [ClassInstall32] section for Microsoft-defined class.",
            install.line,
            "Remove the section: Windows contains the class installer.",
        )


def _check_targets(driver: DriverInf) -> Iterator[PackageProblem]:
    for bad in driver.invalid_targets:
        if _TEMPLATE.search(bad.text):
            continue
        yield _problem(
            driver,
            "1287",
            f"{bad.text} is not a valid TargetOS decoration",
            bad.line,
            "Write NTarchitecture[.major[.minor[.type[.suite[.build]]]]], such as NTamd64.10.0...16299.",
        )
    for section in driver.models:
        if section.models is None and section.target.text:
            yield _problem(
                driver,
                "1203",
                f"Section [{section.name}] not found",
                section.line,
                f"Add [{section.name}]; it may be empty.",
            )
    if driver.inf.section("Manufacturer") and not driver.hardware_ids and not driver.invalid_targets:
        yield _problem(
            driver,
            "1297",
            "Device driver does not install on any devices, use primitive driver if this is intended.",
            driver.inf.sections["manufacturer"].line,
            "Add hardware IDs to the models.",
        )


def _check_default_install(driver: DriverInf) -> Iterator[PackageProblem]:
    default = driver.inf.section(DEFAULT_INSTALL)
    manufacturer = driver.inf.section("Manufacturer")
    names = {f"{DEFAULT_INSTALL.lower()}{suffix}" for suffix in ("", *(f".nt{a}" for a in ARCHITECTURES), ".nt")}
    present = [section for name, section in driver.inf.sections.items() if name in names]
    if present and manufacturer:
        yield _problem(
            driver,
            "1212",
            "Cannot have both [DefaultInstall] and [Manufacturer]",
            present[0].line,
            "Remove one of them.",
        )
        return
    if default is not None:
        yield _problem(
            driver,
            "1420",
            "[DefaultInstall]-based INF cannot be processed as Primitive.",
            None,
            "Add an architecture decoration: [DefaultInstall.NTamd64].",
        )
    for name in (DEFAULT_INSTALL, "DefaultUninstall"):
        section = driver.inf.section(name)
        if section is not None:
            yield _problem(
                driver,
                "1421",
                f"Section [{section.name}] should have an architecture decoration.",
                section.line,
                f"Write [{section.name}.NTamd64], and add a section for each other architecture.",
            )


def _check_services(driver: DriverInf) -> Iterator[PackageProblem]:
    """Find devices without a function driver, and service sections that lack an entry."""
    for machine in driver.lookup.on_any(os_names.ALL):
        for install in machine.installs:
            if lacks_services(driver.version, machine, install):
                section = install.section.name if install.section is not None else install.name
                device = install.model.ids[0] if install.model is not None and install.model.ids else install.name
                yield _problem(
                    driver,
                    "1296",
                    f"Hardware '{device}' does not have an associated service using install section '{section}'.",
                    install.line,
                    f"Add [{section}.Services] with an AddService directive.",
                )
            for one in incomplete_services(driver.inf, machine, install):
                if one.section is not None:
                    yield _problem(
                        driver,
                        "1234",
                        f"Required directive {one.missing[0]} missing, empty, or invalid in [{one.section.name}]"
                        " section",
                        one.section.line,
                        f"Add it: AddService in line {one.entry.line} names the section.",
                    )


def _check_references(driver: DriverInf) -> Iterator[PackageProblem]:
    """Find references to missing sections, and sections that two kinds of directives reference."""
    directives: dict[str, str] = {}
    reported: set[str] = set()
    for reference in references(driver.inf):
        section = driver.inf.section(reference.section)
        name = reference.section.lower()
        if section is not None:
            first = directives.setdefault(name, reference.directive)
            if first.lower() != reference.directive.lower() and name not in reported:
                reported.add(name)
                yield _warning(
                    driver,
                    "1205",
                    f"Section [{section.name}] referenced from {reference.directive} and {first} directive.",
                    section.line,
                    "Use a separate section for each directive, unless both read its lines in the same way.",
                )
        elif not reference.includes:
            yield _problem(
                driver,
                "1203",
                f"Section [{reference.section}] not found (referenced from {reference.directive})",
                reference.line,
                f"Add the section. To name a single file, write {reference.directive} = @{reference.section}."
                if reference.directive.lower() in ("copyfiles", "delfiles")
                else "Add the section, or correct its name.",
            )
        elif reference.directive.lower() != "needs":
            yield _warning(
                driver,
                "1220",
                f"Cannot directly reference a section defined in an included INF: [{reference.section}]",
                reference.line,
                "Use Needs with an install section of the included INF.",
            )


def _check_repeated(driver: DriverInf) -> Iterator[PackageProblem]:
    for section in driver.inf.sections.values():
        for line in section.lines[1:]:
            yield _warning(
                driver,
                "1209",
                f"Section [{section.name}] is already defined in line {section.line}",
                line,
                "Merge the two: Windows treats them as one section.",
            )


def _check_strings(driver: DriverInf) -> Iterator[PackageProblem]:
    strings = Strings(driver.text)
    for name, section in driver.text.sections.items():
        if name.split(".")[0] == "strings":
            continue
        for entry in section.entries:
            for text in (entry.key or "", *entry.values):
                for token in strings.unresolved(text):
                    yield _problem(
                        driver,
                        "1235",
                        f"String token %{token}% not defined in [Strings]",
                        entry.line,
                        f"Define it in [Strings], or write %%{token}%% for literal percent signs.",
                    )
                if len(text) >= _MAX_FIELD_LENGTH:
                    yield _warning(
                        driver,
                        "long-field",
                        f"a field has {len(text):,} characters; Windows reads only the first {_MAX_FIELD_LENGTH - 1:,}",
                        entry.line,
                        "Shorten it.",
                    )


def _check_sources(driver: DriverInf) -> Iterator[PackageProblem]:
    catalogs = {catalog.name.lower() for catalog in driver.version.catalogs()}
    disks = _defined_disks(driver)
    for name, section in driver.inf.sections.items():
        if name.partition(".")[0] != FILES.lower():
            continue
        for entry in section.entries:
            file = entry.key or entry.value()
            source = next(iter(driver.sources.find(file, name.partition(".")[2] or "x86")), None)
            if file.lower().endswith(".cat"):
                own = file.lower() in catalogs
                yield _problem(
                    driver,
                    "1213",
                    f"{file} is listed in [{section.name}]",
                    entry.line,
                    "Remove the line: a catalog can't list itself."
                    if own
                    else "Remove the line, unless the file is to be a catalog member like any other.",
                    severity=Severity.ERROR if own else Severity.WARNING,
                )
            if source is not None and not source.disk_known and source.disk.lower() not in disks:
                yield _problem(
                    driver,
                    "1273",
                    f"disk {source.disk!r} is not defined in [{DISKS}]",
                    entry.line,
                    f"Add the disk to [{DISKS}].",
                )


def _defined_disks(driver: DriverInf) -> set[str]:
    """Return the disks that the [SourceDisksNames] sections of any architecture define, in lower case."""
    sections = (section for name, section in driver.inf.sections.items() if name.startswith(DISKS.lower()))
    return {entry.key.lower() for section in sections for entry in section.entries if entry.key is not None}


def is_template(driver: DriverInf) -> bool:
    """Tell whether it is a template for StampInf: named .inx, or with variables such as $ARCH$."""
    return driver.path.suffix.lower() == TEMPLATE_SUFFIX or _TEMPLATE.search(driver.text.source.text) is not None


def _check_template(driver: DriverInf) -> Iterator[PackageProblem]:
    match = _TEMPLATE.search(driver.text.source.text)
    if match is not None and driver.path.suffix.lower() != TEMPLATE_SUFFIX:
        yield _problem(
            driver,
            "1274",
            f"the StampInf variable {match.group()} has not been replaced",
            driver.text.source.text.count("\n", 0, match.start()) + 1,
            "Run StampInf on the .inx, and package the .inf that it writes.",
        )


_RULES: tuple[_Rule, ...] = (
    _check_encoding,
    _check_version,
    _check_class,
    _check_targets,
    _check_default_install,
    _check_services,
    _check_references,
    _check_repeated,
    _check_strings,
    _check_sources,
    check_legacy,
    _check_template,
)
