"""Rules about KMDF, UMDF and display drivers.

Sources: "Specifying WDF Directives in INF Files" (windows-driver-docs, wdf/specifying-wdf-directives-in-inf-files.md);
display/driver-services-start-type-directive.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from catalogs.inf.rules.finding import Finding, Subject, checks, found
from catalogs.inf.rules.numbers import DRIVER_STORE, dirid_of, number
from catalogs.inf.uses import Role, Use

_LIBRARY = ((Role.UMDF, "UmdfService", "UmdfLibraryVersion"), (Role.KMDF, "KmdfService", "KmdfLibraryVersion"))
_VERSION = re.compile(r"([0-9]{1,5})\.([0-9]{1,5})")
_DEMAND_START = 3


@checks("1084", "1401", "1402")
def library_versions(subject: Subject) -> Iterator[Finding]:
    """Find framework sections without a library version, or with directives of another version."""
    for role, directive, key in _LIBRARY:
        for use in subject.of(role):
            entry = use.section.first(key)
            service = use.by.value() if use.by is not None else ""
            if entry is None or not entry.value():
                yield found("1084", use.section.line, key, directive, "service name", service, use.section.name)
            elif role is Role.UMDF:
                yield from _umdf(use, entry.value(), entry.line)


def _umdf(use: Use, text: str, line: int) -> Iterator[Finding]:
    match = _VERSION.match(text)
    if match is None:
        return
    major, minor = match.groups()
    if int(major) == 1:
        yield found("1402", line, "UMDF", major, minor, "2", "UMDF")
    for entry in use.section.all("DriverCLSID") if int(major) > 1 else ():
        yield found("1401", entry.line, "DriverCLSID", "UMDF", major, minor)


@checks("1400")
def service_order(subject: Subject) -> Iterator[Finding]:
    """Find UMDF services that UmdfServiceOrder does not list."""
    for use in subject.of(Role.WDF):
        ordered = {value.lower() for entry in use.section.all("UmdfServiceOrder") for value in entry.values}
        for entry in use.section.all("UmdfService"):
            if entry.value() and entry.value().lower() not in ordered:
                yield found("1400", entry.line, entry.value())


@checks("2600", "2602")
def display_services(subject: Subject) -> Iterator[Finding]:
    """Find services of display drivers that do not run from the driver store on demand."""
    if subject.device_class != "display":
        return
    for use in subject.of(Role.SERVICE):
        name = use.by.value() if use.by is not None else use.section.name
        for entry in use.section.all("ServiceBinary"):
            if dirid_of(entry.value()) != DRIVER_STORE:
                yield found("2600", entry.line, "ServiceBinary", entry.value(), DRIVER_STORE)
        for entry in use.section.all("StartType"):
            if number(entry.value()) != _DEMAND_START:
                yield found("2602", entry.line, name, "StartType", str(_DEMAND_START))
