"""Convert a verification target to the terms of INFs and catalogs: decoration and kernel version."""

from __future__ import annotations

from collections.abc import Iterator

from catalogs.catalog.os_names import OsName
from signer.numbers import decimal
from signer.policy.targets import Target

_DECORATIONS = {"x64": "amd64"}


def decoration(target: Target) -> str:
    """Return the name of a target's architecture in INF decorations."""
    return _DECORATIONS.get(target.architecture, target.architecture)


def os_of(target: Target) -> OsName:
    """Return a target as an OsName, for comparison with INF decorations."""
    version = target.kernel
    release = (*version, target.build)
    names = (f"{version[0]}.{version[1]}",)
    return OsName(target.name, "", names, decoration(target), release, target.server)


def versions_in(text: str) -> Iterator[tuple[int, int]]:
    """Yield the kernel versions in an OSAttr such as `2:6.1,2:10.0`; 6.4 (Windows 10 previews) becomes 10.0."""
    for part in text.split(","):
        platform, _, version = part.strip().partition(":")
        major, _, minor = version.partition(".")
        numbers = decimal(major), decimal(minor)
        if platform == "2" and numbers[0] is not None and numbers[1] is not None:
            yield (10, 0) if numbers == (6, 4) else (numbers[0], numbers[1])
