"""INF operations that a universal driver must not use: InfVerif codes 1300 and above.

Source: "INF Validation Errors and Warnings" (windows-driver-docs, devtest/inf-validation-errors-and-warnings.md).
"""

from __future__ import annotations

from collections.abc import Iterator

from catalogs.inf.driver import DriverInf
from catalogs.inf.problems import PackageProblem, Severity
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
_NON_SYSTEM_DIRIDS = {"24", "30", "16422", "16426", "16427", "16428", "-1", "01"}
"""Dirids outside %SystemRoot%: the root of the system drive, Program Files, absolute paths, the INF's folder."""


_NO_COINSTALLERS = "Remove it: co-installers are no longer supported."


def check_legacy(driver: DriverInf) -> Iterator[PackageProblem]:
    """Yield what InfVerif calls legacy: warnings here, errors when a universal driver is required."""
    registry = {r.section.lower() for r in references(driver.inf) if r.directive.lower() in ("addreg", "delreg")}
    for name, section in driver.inf.sections.items():
        if name.endswith(".coinstallers"):
            yield _warning(driver, "1300", f"Found legacy section [{section.name}]", section.line, _NO_COINSTALLERS)
        for directive in _LEGACY_DIRECTIVES:
            for entry in section.all(directive) if not name.startswith("strings") else ():
                yield _warning(
                    driver, "1300", f"Found legacy directive {directive}", entry.line, f"Remove {directive}."
                )
        if name in registry:
            yield from _check_registry(driver, name)
    directories = driver.inf.section("DestinationDirs")
    for entry in directories.entries if directories else ():
        if entry.value() in _NON_SYSTEM_DIRIDS:
            yield _warning(
                driver,
                "1306",
                f"Found legacy operation with non-system target path: dirid {entry.value()}",
                entry.line,
                "Install the files in the driver store: use dirid 13.",
            )


def _check_registry(driver: DriverInf, name: str) -> Iterator[PackageProblem]:
    for entry in driver.inf.sections[name].entries:
        root = entry.value().upper()
        if entry.value(2).lower() == "coinstallers32":
            yield _warning(
                driver,
                "1303",
                "Found legacy operation defining co-installers",
                entry.line,
                _NO_COINSTALLERS,
            )
        elif entry.key is None and root in ("HKCR", "HKCU", "HKLM", "HKU"):
            yield _warning(
                driver,
                "1304",
                f"Found legacy operation using non-relative key {root}",
                entry.line,
                "Use HKR, the device's or driver's own registry key.",
            )


def _warning(driver: DriverInf, code: str, message: str, line: int | None, hint: str) -> PackageProblem:
    return PackageProblem(code, message, driver.path, line, hint, Severity.WARNING)
