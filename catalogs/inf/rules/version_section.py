"""Rules about the [Version] section: signature, class, provider, catalog, driver version, extension ID."""

from __future__ import annotations

import re
from collections.abc import Iterator

from catalogs.inf.classes import NAMES, RESERVED, guid_of
from catalogs.inf.rules.finding import Finding, Subject, checks, found
from catalogs.inf.rules.text import is_template, stampinf_variable
from catalogs.inf.syntax import Entry
from catalogs.inf.uses import Role

SIGNATURES = ("$windows nt$", "$chicago$", "$windows 95$")
"""Values of Signature that SetupAPI accepts, in lower case (windows-driver-docs, install/inf-version-section.md)."""
MAX_CLASS_LENGTH = 31
"""Maximum length of a class name (InfVerif 1286)."""
_GUID = re.compile(r"\{[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\}", re.IGNORECASE)
_DATE = re.compile(r"(0?[1-9]|1[0-2])[/-](0?[1-9]|[12][0-9]|3[01])[/-][0-9]{4}")
_VERSION = re.compile(r"[0-9]{1,5}(?:\.[0-9]{1,5}){3}")
_MAX_VERSION_PART = 65535
_CATALOG_KEY = re.compile(r"CatalogFile(?:\.nt(?:x86|amd64|ia64|arm64|arm)?)?", re.IGNORECASE)
_ONCE = ("Signature", "Class", "ClassGuid", "Provider", "DriverVer", "CatalogFile", "PnpLockdown", "ExtensionId")
_IGNORED = ("DriverPackageDisplayName", "DriverPackageType", "LayoutFile")
"""Directives of [Version] that Windows no longer reads (install/inf-version-section.md)."""


def is_guid(text: str) -> bool:
    """Tell whether a text is a GUID in braces."""
    return _GUID.fullmatch(text) is not None


def _line(subject: Subject, entry: Entry | None) -> int | None:
    return entry.line if entry is not None else subject.driver.version.line


@checks("1001")
def signature(subject: Subject) -> Iterator[Finding]:
    """Find a missing or outdated signature."""
    version = subject.driver.version
    value = version.value("Signature").lower()
    if value != SIGNATURES[0]:
        yield found("1001", version.line, subject.driver.path.name, warning=value in SIGNATURES)


@checks("1289", "1233")
def required(subject: Subject) -> Iterator[Finding]:
    """Find missing directives of [Version]."""
    version = subject.driver.version
    for key in ("Provider",) if is_template(subject.driver) else ("Provider", "DriverVer"):
        if version.section is not None and not version.value(key):
            yield found("1289", version.line, key, "Version", fix=f"Add {key} to [Version].")
    if not version.value("ClassGuid") and not subject.driver.default_installs:
        yield found("1289", version.line, "ClassGuid", "Version", fix="Add Class and ClassGuid of the setup class.")
    if version.section is not None and not version.catalogs():
        yield found("1233", version.line, "CatalogFile")


@checks("1088")
def repeated(subject: Subject) -> Iterator[Finding]:
    """Find directives that [Version] and service sections contain more than once."""
    section = subject.driver.version.section
    for key in _ONCE if section is not None else ():
        for entry in list(section.all(key))[1:] if section is not None else ():
            yield found("1088", entry.line, key)
    for use in subject.of(Role.SERVICE):
        for key in ("DisplayName", "ServiceType", "StartType", "ErrorControl", "ServiceBinary"):
            for entry in list(use.section.all(key))[1:]:
                yield found("1088", entry.line, key)


@checks("2009", "1292")
def ignored(subject: Subject) -> Iterator[Finding]:
    """Find directives of [Version] that Windows ignores."""
    section = subject.driver.text.section("Version")
    for key in _IGNORED if section is not None else ():
        for entry in section.all(key) if section is not None else ():
            yield found("2009", entry.line, key)
            if key == "DriverPackageDisplayName" and not re.fullmatch(r"%[^%]+%", entry.value()):
                yield found("1292", entry.line, key, "%token%")


@checks("1204", "1210")
def provider(subject: Subject) -> Iterator[Finding]:
    """Find a Provider that is not the author."""
    value, entry = subject.driver.version.value("Provider"), subject.driver.version.entry("Provider")
    if entry is None or not value:
        return
    if value.lower().startswith("microsoft"):
        yield found("1204", entry.line)
    if subject.provider is not None and value != subject.provider:
        yield found("1210", entry.line, value, subject.provider)


@checks("1324")
def lockdown(subject: Subject) -> Iterator[Finding]:
    """Find an INF without PnpLockdown."""
    if subject.driver.version.value("PnpLockdown") != "1":
        yield found("1324", _line(subject, subject.driver.version.entry("PnpLockdown")))


@checks("1217", "1218")
def driver_version(subject: Subject) -> Iterator[Finding]:
    """Find an invalid DriverVer."""
    entry = subject.driver.version.entry("DriverVer")
    if entry is None or not entry.value() or stampinf_variable(",".join(entry.values)):
        return
    if not _DATE.fullmatch(entry.value()):
        yield found("1218", entry.line, entry.value(), "DriverVer")
    version = entry.value(1)
    if not _VERSION.fullmatch(version) or any(int(part) > _MAX_VERSION_PART for part in version.split(".")):
        yield found("1217", entry.line, version, "DriverVer")


@checks("1214")
def catalog_names(subject: Subject) -> Iterator[Finding]:
    """Find CatalogFile values that are not names of catalogs."""
    section = subject.driver.version.section
    for entry in section.entries if section is not None else ():
        name = entry.value()
        if entry.key is None or not _CATALOG_KEY.fullmatch(entry.key) or not name:
            continue
        if not name.lower().endswith(".cat") or len(name) == len(".cat") or re.search(r'[\\/:*?"<>|]', name):
            yield found("1214", entry.line, name)


@checks("1010", "1280", "1281", "1284", "1286")
def setup_class(subject: Subject) -> Iterator[Finding]:
    """Find an invalid Class or ClassGuid."""
    version = subject.driver.version
    name, guid = version.value("Class"), version.value("ClassGuid").lower()
    line = _line(subject, version.entry("ClassGuid") or version.entry("Class"))
    known = guid_of(name)
    if guid and not is_guid(guid):
        yield found("1010", line, version.value("ClassGuid"))
    elif known is not None and guid and guid != known:
        yield found("1281", line, known, name)
    elif guid in NAMES and name and name.lower() != NAMES[guid].lower():
        yield found("1280", line, NAMES[guid], guid)
    if name.lower() in RESERVED or guid in RESERVED.values():
        yield found("1284", line, name or guid)
    if len(name) > MAX_CLASS_LENGTH:
        yield found("1286", _line(subject, version.entry("Class")), "Class", name, str(MAX_CLASS_LENGTH))


@checks("1285")
def class_installer(subject: Subject) -> Iterator[Finding]:
    """Find a class installer for a class that Windows defines."""
    version = subject.driver.version
    if guid_of(version.value("Class")) is not None or version.value("ClassGuid").lower() in NAMES:
        for use in subject.of(Role.CLASS_INSTALL):
            yield found("1285", use.section.line)
            return


@checks("1380", "1381")
def extension_id(subject: Subject) -> Iterator[Finding]:
    """Find an extension INF without a valid ExtensionId."""
    entry = subject.driver.version.entry("ExtensionId")
    if entry is not None and not is_guid(entry.value()):
        yield found("1380", entry.line, entry.value())
    elif entry is None and subject.is_extension:
        yield found("1381", subject.driver.version.line)
