"""TargetOS decorations: which Windows releases a Models section is for, and which section a release picks.

Source: "INF Manufacturer Section" (windows-driver-docs, install/inf-manufacturer-section.md) and "Combining Platform
Extensions with Operating System Versions".
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from catalogs.catalog.os_names import OsName

ARCHITECTURES = ("x86", "amd64", "ia64", "arm", "arm64")
"""What a decoration, a [SourceDisksFiles.x] and a CatalogFile.NTx may name."""

_DECORATION = re.compile(r"nt(x86|amd64|ia64|arm64|arm|)((?:\.[^.]*){0,5})", re.IGNORECASE)
_NUMBER = re.compile(r"0x[0-9a-f]{1,8}|[0-9]{1,9}", re.IGNORECASE)
_WORKSTATION, _DOMAIN_CONTROLLER, _SERVER = 1, 2, 3


@dataclass(frozen=True, slots=True)
class TargetOS:
    """`NT[architecture][.[major][.[minor][.[product type][.[suite mask][.[build]]]]]]`, or nothing."""

    text: str
    """As the INF spells it; empty for a section without a decoration."""
    architecture: str | None = None
    """`x86`, `amd64`, `ia64`, `arm` or `arm64`; None where the decoration names none."""
    major: int | None = None
    minor: int | None = None
    product_type: int | None = None
    """1 for a workstation, 2 for a domain controller, 3 for a server."""
    suite_mask: int | None = None
    build: int | None = None

    @property
    def release(self) -> tuple[int, int, int]:
        """The earliest release that it is for: kernel version and build."""
        return (self.major or 0, self.minor or 0, self.build or 0)

    def admits(self, os: OsName) -> bool:
        """Whether the release may use a section with this decoration.

        One that names no architecture is for x86 alone, since Windows Server 2003 SP1. A suite mask narrows a release
        further than its name tells, so that none is admitted by it.
        """
        if os.architecture != (self.architecture or "x86") or self.release > os.release or self.suite_mask:
            return False
        return self.product_type is None or (self.product_type != _WORKSTATION) == os.server

    def _rank(self) -> tuple[bool, tuple[int, int, int], bool, bool]:
        """How closely it describes a release that it admits; the highest is picked."""
        return (bool(self.text), self.release, self.product_type is not None, self.architecture is not None)


UNDECORATED = TargetOS("")
"""A Models section whose name has no decoration."""


def parse(text: str) -> TargetOS | None:
    """The decoration; None where the text is not one."""
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


def pick(targets: Iterable[TargetOS], os: OsName) -> TargetOS | None:
    """The decoration that Windows picks on this release; None where the release can't use any."""
    return max((target for target in targets if target.admits(os)), key=TargetOS._rank, default=None)


def _number(text: str) -> int | None:
    return int(text, 16 if text[:2].lower() == "0x" else 10) if text else None
