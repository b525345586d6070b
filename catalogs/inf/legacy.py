"""Operations of an INF that a universal driver must not use: InfVerif's numbers from 1300 on.

Source: "INF Validation Errors and Warnings" (windows-driver-docs, devtest/inf-validation-errors-and-warnings.md).
"""

from __future__ import annotations

from collections.abc import Iterator

from catalogs.inf.driver import DriverInf
from catalogs.inf.problems import Problem, Severity
from catalogs.inf.references import references

_LEGACY_DIRECTIVES = (
    "BitReg",
    "Ini2Reg",
    "LogConfig",
    "RegisterDlls",
    "UnregisterDlls",
    "UpdateIniFields",
    "UpdateInis",
)
_NOT_OF_WINDOWS = {"24", "30", "16422", "16426", "16427", "16428", "-1", "01"}
"""Dirids outside of %SystemRoot%: the system drive's root, Program Files, absolute paths and the INF's own folder."""


def check_legacy(driver: DriverInf) -> Iterator[Problem]:
    """What InfVerif calls legacy: warnings, and errors for a driver that is to be universal."""
    registry = {r.section.lower() for r in references(driver.inf) if r.directive.lower() in ("addreg", "delreg")}
    for name, section in driver.inf.sections.items():
        if name.endswith(".coinstallers"):
            yield _warning(
                driver, "1300", f"Found legacy section [{section.name}]", section.line, "Co-installers are no more."
            )
        for directive in _LEGACY_DIRECTIVES:
            for entry in section.all(directive) if not name.startswith("strings") else ():
                yield _warning(driver, "1300", f"Found legacy directive {directive}", entry.line, "Do without it.")
        if name in registry:
            yield from _check_registry(driver, name)
    directories = driver.inf.section("DestinationDirs")
    for entry in directories.entries if directories else ():
        if entry.value() in _NOT_OF_WINDOWS:
            yield _warning(
                driver,
                "1306",
                f"Found legacy operation with non-system target path: dirid {entry.value()}",
                entry.line,
                "Leave files in the driver store: dirid 13.",
            )


def _check_registry(driver: DriverInf, name: str) -> Iterator[Problem]:
    for entry in driver.inf.sections[name].entries:
        root = entry.value().upper()
        if entry.value(2).lower() == "coinstallers32":
            yield _warning(
                driver,
                "1303",
                "Found legacy operation defining co-installers",
                entry.line,
                "Co-installers are no more.",
            )
        elif entry.key is None and root in ("HKCR", "HKCU", "HKLM", "HKU"):
            yield _warning(
                driver,
                "1304",
                f"Found legacy operation using non-relative key {root}",
                entry.line,
                "Write below HKR.",
            )


def _warning(driver: DriverInf, code: str, message: str, line: int | None, hint: str) -> Problem:
    return Problem(code, message, driver.path, line, hint, Severity.WARNING)
