"""TargetOS decorations: the Windows releases that a Models section targets, and the section that Windows selects.

Source: "INF Manufacturer Section" (windows-driver-docs, install/inf-manufacturer-section.md) and "Combining Platform
Extensions with Operating System Versions".
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from catalogs.catalog.os_names import OsName
from signer.records import dataclass

ARCHITECTURES = ("x86", "amd64", "ia64", "arm", "arm64")
"""Architectures in decorations, [SourceDisksFiles.x] and CatalogFile.NTx."""

_DECORATION = re.compile(r"nt(x86|amd64|ia64|arm64|arm|)((?:\.[^.]*){0,5})", re.IGNORECASE)
_NUMBER = re.compile(r"0x[0-9a-f]{1,8}|[0-9]{1,9}", re.IGNORECASE)
_WORKSTATION, _DOMAIN_CONTROLLER, _SERVER = 1, 2, 3
_COMMON_SUITES = 0x110
"""VER_SUITE_TERMINAL and VER_SUITE_SINGLEUSERTS, which a machine has unless it is a Remote Desktop application server
(sdk-api, winnt/ns-winnt-osversioninfoexw.md). The other suites depend on the edition."""
BUILDS_SINCE = (10, 0, 14310)
"""First release that parses a decoration with a build number."""


@dataclass(frozen=True, slots=True)
class TargetOS:
    """`NT[architecture][.[major][.[minor][.[product type][.[suite mask][.[build]]]]]]`, or an empty decoration."""

    text: str
    """Spelled as in the INF; empty for a section without a decoration."""
    architecture: str | None = None
    """`x86`, `amd64`, `ia64`, `arm` or `arm64`; None if the decoration has no architecture."""
    major: int | None = None
    minor: int | None = None
    product_type: int | None = None
    """1 for a workstation, 2 for a domain controller, 3 for a server."""
    suite_mask: int | None = None
    build: int | None = None

    @property
    def release(self) -> tuple[int, int, int]:
        """Earliest target release: major version, minor version, build."""
        return (self.major or 0, self.minor or 0, self.build or 0)

    def applies_to(self, os: OsName, *, any_architecture: bool = False, domain_controller: bool = False) -> bool:
        """Tell whether a section with this decoration applies to `os`, of servers to a member server.

        Since Windows Server 2003 SP1, a Models section without an architecture applies to x86 only; with
        `any_architecture`, as for [DefaultInstall], it applies to all. A decoration with a suite mask applies if every
        machine has the suite: the name of a release does not identify its edition. With `domain_controller`, the server
        is a domain controller.
        """
        own = self.architecture or (os.architecture if any_architecture else "x86")
        if os.architecture != own or self.release > os.release or (self.suite_mask or 0) & ~_COMMON_SUITES:
            return False
        if self.build is not None and os.release < BUILDS_SINCE:
            return False
        server = _DOMAIN_CONTROLLER if domain_controller else _SERVER
        return self.product_type in (None, server if os.server else _WORKSTATION)

    def rank(self) -> tuple[bool, tuple[int, int, int], bool, bool, bool]:
        """Sort key: Windows selects the applicable decoration with the highest rank.

        A version takes precedence over the product type and the suite.
        """
        narrow = (self.product_type is not None, bool(self.suite_mask), self.architecture is not None)
        return (bool(self.text), self.release, *narrow)


UNDECORATED = TargetOS("")
"""The empty decoration."""


def parse(text: str) -> TargetOS | None:
    """Parse a decoration. Returns None if `text` is not a valid one."""
    if not text:
        return UNDECORATED
    match = _DECORATION.fullmatch(text)
    if match is None:
        return None
    numbers = [part.strip() for part in match.group(2).split(".")[1:]]
    if any(part and not _NUMBER.fullmatch(part) for part in numbers):
        return None
    values = [_number(part) for part in numbers] + [None] * (5 - len(numbers))
    product_type = values[2]
    if product_type not in (None, _WORKSTATION, _DOMAIN_CONTROLLER, _SERVER):
        return None
    return TargetOS(text, match.group(1).lower() or None, *values)


def select(
    targets: Iterable[TargetOS], os: OsName, *, any_architecture: bool = False, domain_controller: bool = False
) -> TargetOS | None:
    """Return the decoration that Windows selects on `os`, or None if none applies."""
    applicable = (
        target
        for target in targets
        if target.applies_to(os, any_architecture=any_architecture, domain_controller=domain_controller)
    )
    return max(applicable, key=TargetOS.rank, default=None)


def _number(text: str) -> int | None:
    return int(text, 16 if text[:2].lower() == "0x" else 10) if text else None
