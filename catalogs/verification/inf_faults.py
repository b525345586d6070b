"""Find the faults of an INF that stop its installation on one machine, and those that only InfVerif reports."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from catalogs.inf.driver import DriverInf
from catalogs.inf.lookup import DEFAULT_INSTALL, InstallSection, MachineInstall
from catalogs.inf.problems import Severity
from catalogs.inf.rules import PORTAL, SIGNATURES, check
from catalogs.inf.services import IncompleteService, incomplete_services, is_windows_class, lacks_services
from signer.policy.findings import Place
from signer.policy.inf_faults import FaultRule, InfFault
from signer.storage.files import shell_quote

_SHOWN = 5


def stopping_faults(driver: DriverInf, machine: MachineInstall) -> Iterator[InfFault]:
    """Yield the faults that stop the installation on a machine, and the remark on primitive drivers.

    Faults in sections that the machine does not use are left out. Only the first faults of each kind are named.
    """
    count: Counter[FaultRule] = Counter()
    for fault in _stopping(driver, machine):
        count[fault.rule] += 1
        if count[fault.rule] <= _SHOWN:
            yield fault
    for rule, number in count.items():
        if number > _SHOWN:
            message = f"{driver.path.name!r} has {number - _SHOWN:,} more faults of this kind"
            yield InfFault(rule, message, f"Run: drvsign inf lint {shell_quote(driver.path)}")


def _stopping(driver: DriverInf, machine: MachineInstall) -> Iterator[InfFault]:
    name, version = driver.path.name, _place(driver, driver.version.line)
    if driver.version.value("Signature").lower() not in SIGNATURES:
        message = f"{name!r} has no valid Signature in [Version]: SetupAPI does not accept it as an INF"
        yield InfFault("inf-signature", message, 'Add to [Version]: Signature = "$Windows NT$"', version)
    if driver.text.source.encoding == "utf-16-be":
        message = f"{name!r} is UTF-16 BE, which Windows can't read"
        yield InfFault("inf-encoding", message, "Save it as UTF-16 LE with a byte-order mark, or as ANSI text.")
        return
    for install in machine.installs:
        if install.section is None:
            yield _missing_install(driver, install, machine.architecture)
        yield from _service_faults(driver, machine, install)
    if machine.default is not None and machine.default.architecture is None:
        message = f"[{DEFAULT_INSTALL}] of {name!r} names no architecture: the INF is not a primitive driver"
        hint = f"Rename the section: [{DEFAULT_INSTALL}.NT{machine.architecture}], and its .Services section."
        line = next((one.line for one in machine.installs if one.model is None), None)
        yield InfFault("primitive-driver", message, hint, _place(driver, line))


def infverif_faults(driver: DriverInf) -> Iterator[InfFault]:
    """Yield one fault that counts the INF's InfVerif errors."""
    codes = list(dict.fromkeys(one.code for one in check(driver, PORTAL) if one.severity is Severity.ERROR))
    if codes:
        shown = ", ".join(codes[:_SHOWN]) + (", …" if len(codes) > _SHOWN else "")
        message = f"InfVerif reports errors in {driver.path.name!r} ({shown}), which Microsoft's portal does not accept"
        yield InfFault("infverif", message, f"Run: drvsign inf lint {shell_quote(driver.path)}")


def _place(driver: DriverInf, line: int | None) -> Place | None:
    return Place(driver.path, line) if line is not None else None


def _missing_install(driver: DriverInf, install: InstallSection, architecture: str) -> InfFault:
    where = f"{driver.path.name!r}, line {install.line}"
    device = f"model {install.model.ids[0]!r}" if install.model is not None and install.model.ids else "a model"
    return InfFault(
        "inf-install-section",
        f"{where}: {device} names install section [{install.name}], which does not exist",
        f"Add [{install.name}.NT{architecture}], [{install.name}.NT] or [{install.name}].",
        _place(driver, install.line),
    )


def _service_faults(driver: DriverInf, machine: MachineInstall, install: InstallSection) -> Iterator[InfFault]:
    """Yield the faults in the services of an install section."""
    if lacks_services(driver.version, machine, install) and is_windows_class(driver.version):
        found = install.section.name if install.section is not None else install.name
        message = f"{driver.path.name!r} has no section [{found}.Services]: the device gets no function driver"
        hint = f"Add [{found}.Services] with an AddService directive, or AddService = ,2 for a device without one."
        line = install.section.line if install.section is not None else install.line
        yield InfFault("inf-services", message, hint, _place(driver, line))
    for one in incomplete_services(driver.inf, machine, install):
        yield _incomplete(driver, one)


def _incomplete(driver: DriverInf, one: IncompleteService) -> InfFault:
    where, place = f"{driver.path.name!r}, line {one.entry.line}", _place(driver, one.entry.line)
    missing = " and ".join(filter(None, (", ".join(one.missing[:-1]), one.missing[-1])))
    if one.section is not None:
        message = f"{where}: service section [{one.section.name}] lacks {missing}"
        return InfFault("inf-service-section", message, f"Add to [{one.section.name}]: {missing}.", place)
    named = f"section [{one.named}], which does not exist" if one.named else "no section"
    message = f"{where}: AddService for {one.service!r} names {named}"
    return InfFault("inf-service-section", message, f"Add the section with {missing}.", place)
