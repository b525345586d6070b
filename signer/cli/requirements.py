"""Read what an installed distribution requires, and compare versions, by the metadata of PEP 566."""

from __future__ import annotations

import importlib
import re
from importlib import metadata

from signer.records import dataclass

_TEXT = re.compile(r"^(?P<name>[A-Za-z0-9._-]++)(?:\[[^\]]*\])?(?P<versions>[^;]*)(?:;(?P<marker>.*))?$")
_EXTRA = re.compile(r"extra\s*==\s*['\"](?P<extra>[\w.-]+)['\"]")
_BOUND = re.compile(r"(?P<operator>>=|<=|==|!=|~=|<|>)\s*(?P<version>[\d.]+)")


@dataclass(frozen=True, slots=True)
class Requirement:
    """One requirement of a distribution."""

    name: str
    bounds: tuple[tuple[str, tuple[int, ...]], ...]
    extra: str | None
    """The extra that brings it; None for a plain dependency."""

    @property
    def text(self) -> str:
        """The requirement as pip takes it."""
        bounds = ",".join(f"{operator}{'.'.join(map(str, version))}" for operator, version in self.bounds)
        return f"{self.name}{bounds}"

    def import_problem(self) -> str | None:
        """Return why its module can't be imported; None if it can."""
        try:
            importlib.import_module(self.name.replace("-", "_"))
        except (ImportError, OSError) as error:
            return str(error)
        return None


def installed(name: str) -> str | None:
    """Return the version of an installed distribution; None if it is not installed."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def requirements(name: str) -> list[Requirement]:
    """Return what a distribution requires; nothing if it is not installed."""
    try:
        texts = metadata.requires(name) or []
    except metadata.PackageNotFoundError:
        return []
    return [one for one in map(parse_requirement, texts) if one is not None]


def parse_requirement(text: str) -> Requirement | None:
    """Parse a line of Requires-Dist; None for a line of another form."""
    found = _TEXT.match(text.strip())
    if found is None:
        return None
    extra = _EXTRA.search(found["marker"] or "")
    bounds = tuple(
        (one["operator"], numbers(one["version"])) for one in _BOUND.finditer(found["versions"].strip("() "))
    )
    return Requirement(found["name"], bounds, extra["extra"] if extra is not None else None)


def is_new_enough(version: str, required: Requirement) -> bool:
    """Return whether a version is within the bounds >= and < of a requirement."""
    have = numbers(version)
    for operator, bound in required.bounds:
        if operator == ">=" and have < bound:
            return False
        if operator == "<" and have[: len(bound)] >= bound:
            return False
    return True


def numbers(version: str) -> tuple[int, ...]:
    """Return the release numbers of a version; "1.2rc1" is (1, 2)."""
    found = re.match(r"\d+(?:\.\d+)*", version)
    return tuple(map(int, found[0].split("."))) if found is not None else ()
