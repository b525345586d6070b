"""The services of an install section: whether a device needs one, and what a service section must contain.

Sources: "INF DDInstall.Services Section" and "INF AddService Directive" (windows-driver-docs, install/); InfVerif 1296.
"""

from __future__ import annotations

from collections.abc import Iterator

from catalogs.inf.classes import GUIDS, NAMES
from catalogs.inf.lookup import InstallSection, MachineInstall
from catalogs.inf.syntax import Entry, Inf, Section
from catalogs.inf.version import VersionSection
from signer.records import dataclass

_REQUIRED = ("ServiceType", "StartType", "ErrorControl", "ServiceBinary")
_FIRMWARE = "{f2e7dd72-6468-4e36-b6f1-6488f42c1b52}"
_OTHERS = (
    "Dot4Print",
    "Extension",
    "Modem",
    "Monitor",
    "NetClient",
    "NetService",
    "NetTrans",
    "PNPPrinters",
    "Printer",
    "SoftwareComponent",
)
_WITHOUT_FUNCTION_DRIVER = frozenset({_FIRMWARE, *(GUIDS[name] for name in _OTHERS)})
"""Setup classes whose devices need no function driver of their own: a class installer or another driver serves them."""


@dataclass(frozen=True, slots=True)
class IncompleteService:
    """An AddService directive whose section does not exist or lacks entries."""

    entry: Entry
    section: Section | None
    missing: tuple[str, ...]
    """The required entries that the section lacks."""

    @property
    def service(self) -> str:
        """The name of the service."""
        return self.entry.value()

    @property
    def named(self) -> str:
        """The section that the directive names, or an empty string."""
        return self.entry.value(2)


def lacks_services(version: VersionSection, machine: MachineInstall, install: InstallSection) -> bool:
    """Tell whether a device gets no function driver, because its install section has no .Services section.

    Some setup classes need none, and another INF that the section uses may bring the service.
    """
    section = install.section
    if section is None or install.model is None or machine.related(install, ".Services") is not None:
        return False
    return not uses_another_inf(section) and class_needs_function_driver(version)


def uses_another_inf(section: Section) -> bool:
    """Tell whether an install section uses another one, perhaps of another INF, which may bring the service."""
    return section.first("Include") is not None or section.first("Needs") is not None


def class_needs_function_driver(version: VersionSection) -> bool:
    """Tell whether the devices of the setup class need a function driver of the INF."""
    return version.value("ClassGuid").lower() not in _WITHOUT_FUNCTION_DRIVER


def is_windows_class(version: VersionSection) -> bool:
    """Tell whether Windows defines the INF's setup class. The class installer of another one is not known."""
    return version.value("ClassGuid").lower() in NAMES


def incomplete_services(inf: Inf, machine: MachineInstall, install: InstallSection) -> Iterator[IncompleteService]:
    """Yield the services of an install section that Windows can't create. An included INF may define sections."""
    services = machine.related(install, ".Services")
    if services is None or services.first("Include") is not None:
        return
    for entry in services.all("AddService"):
        name = entry.value(2)
        section = inf.section(name) if name else None
        missing = tuple(key for key in _REQUIRED if section is None or section.first(key) is None)
        if entry.value() and missing:
            yield IncompleteService(entry, section, missing)
