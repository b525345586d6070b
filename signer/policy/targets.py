"""Targets of a verdict: a Windows release and an architecture, `<release>-<arch>` or `<release>-<arch>-smode`."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from functools import cache, cached_property
from typing import Literal, cast

from signer.errors import UsageError
from signer.policy.tables import rows, table
from signer.records import dataclass

S_MODE = "-smode"
Edition = Literal["client", "server", "iot"]


@dataclass(frozen=True, slots=True, order=True)
class Release:
    """One Windows release."""

    build: int
    """The build number, which orders releases. A server has the build number of its client release."""
    name: str
    title: str
    """The product name in messages."""
    kernel: tuple[int, int]
    """The kernel version, such as (10, 0)."""
    edition: Edition
    """client, server, or iot for IoT Enterprise, which has a row of its own in the dashboard's table."""
    secure_boot: bool
    """Whether it supports Secure Boot, as Windows 8 and Server 2012 and later do."""
    available: str
    """The date of general availability, YYYY-MM-DD; empty before it."""


@dataclass(frozen=True, order=True)
class Target:
    """A release, an architecture, and whether it is in S mode."""

    release: Release
    architecture: str
    """x86, x64, arm64 or ia64."""
    s_mode: bool = False

    def __hash__(self) -> int:
        return hash(self.name)

    @cached_property
    def name(self) -> str:
        """The name on the command line."""
        return f"{self.release.name}-{self.architecture}{S_MODE if self.s_mode else ''}"

    @cached_property
    def title(self) -> str:
        """The name in messages."""
        return f"{self.release.title} {self.architecture}{' in S mode' if self.s_mode else ''}"

    @property
    def build(self) -> int:
        """The release's build number."""
        return self.release.build

    @property
    def kernel(self) -> tuple[int, int]:
        """The version of the release's kernel, such as (10, 0)."""
        return self.release.kernel

    @property
    def server(self) -> bool:
        """Whether it is a server release."""
        return self.release.edition == "server"

    def __str__(self) -> str:
        return self.name

    @classmethod
    def parse(cls, name: str) -> Target:
        """Return the target called `name`, ignoring case. Raises UsageError with similar names in its hint."""
        wanted = name.strip().lower()
        found = _by_name().get(wanted)
        if found is None:
            raise UsageError(f"unknown target {name!r}", hint=_hint(wanted), field="--target")
        return found


@cache
def release(name: str) -> Release:
    """Return the release called `name`. Raises UsageError for an unknown name."""
    row = table("releases.tsv", "release").get(name)
    if row is None:
        raise UsageError(f"unknown release {name!r}", hint=f"Use one of: {', '.join(release_names())}.")
    major, minor = row["kernel"].split(".")
    return Release(
        build=int(row["build"]),
        name=row["release"],
        title=row["title"],
        kernel=(int(major), int(minor)),
        edition=cast(Edition, row["edition"]),
        secure_boot=row["secure_boot"] == "yes",
        available=row["available"],
    )


def release_names() -> tuple[str, ...]:
    """Return every release: clients by product, then servers, from the oldest to the newest."""
    return tuple(row["release"] for row in rows("releases.tsv"))


@cache
def all_targets() -> tuple[Target, ...]:
    """Return every release on each of its architectures, in the order of `release_names`."""
    found: list[Target] = []
    for row in rows("releases.tsv"):
        here = release(row["release"])
        found += [Target(here, architecture) for architecture in row["architectures"].split()]
        found += [Target(here, architecture, s_mode=True) for architecture in row["s_mode"].split()]
    return tuple(found)


@cache
def targets_for(architecture: str | None) -> tuple[Target, ...]:
    """Return the targets of this architecture, or all targets if it is unknown."""
    fitting = tuple(target for target in all_targets() if target.architecture == architecture)
    return fitting or all_targets()


@cache
def default_target(architecture: str | None) -> Target:
    """Return the target for a file if none is named: the newest generally available release of its architecture.

    Servers count only for an architecture without a client; a file of any other or unknown architecture gets the x64
    target. `data/releases.tsv` has the dates.
    """
    fitting = [target for target in all_targets() if target.architecture == architecture and not target.s_mode]
    if not fitting:
        return default_target("x64")
    return _newest([target for target in fitting if target.release.edition == "client"] or fitting)


def _newest(targets: list[Target]) -> Target:
    return max(targets, key=lambda target: target.release.available)


def parse_targets(names: Iterable[str]) -> tuple[Target, ...]:
    """The targets with these names, each once; a name may be a list with commas. Raises UsageError."""
    given = tuple(names)
    found = tuple(dict.fromkeys(Target.parse(part) for name in given for part in name.split(",") if part.strip()))
    if given and not found:
        raise UsageError("no target is named", hint=f"Use RELEASE-ARCHITECTURE, such as {default_target('x64')}.")
    return found


@dataclass(frozen=True, slots=True, eq=False)
class Releases:
    """The targets that a rule applies to, or that have a feature. Equal only to itself."""

    since: str | None = None
    before: str | None = None
    editions: tuple[Edition, ...] = ()
    """Empty for every edition."""
    architectures: tuple[str, ...] = ()
    s_mode: bool = False
    """Whether the rule applies only to targets in S mode."""

    def __contains__(self, target: Target) -> bool:
        """Return whether the rule applies to the target."""
        return (
            (self.since is None or target.build >= release(self.since).build)
            and (self.before is None or target.build < release(self.before).build)
            and (not self.editions or target.release.edition in self.editions)
            and (not self.architectures or target.architecture in self.architectures)
            and (target.s_mode or not self.s_mode)
        )

    def __str__(self) -> str:
        parts = ["all releases" if not (self.since or self.before) else ""]
        if self.since:
            parts.append(f"{release(self.since).title} and later")
        if self.before:
            parts.append(f"before {release(self.before).title}")
        if self.editions:
            parts.append(", ".join(_EDITION_NAMES[edition] for edition in self.editions))
        if self.architectures:
            parts.append(", ".join(self.architectures))
        if self.s_mode:
            parts.append("S mode")
        return "; ".join(part for part in parts if part)


EVERYWHERE = Releases()
_EDITION_NAMES: dict[Edition, str] = {"client": "clients", "server": "servers", "iot": "IoT Enterprise"}


@cache
def _by_name() -> dict[str, Target]:
    return {target.name: target for target in all_targets()}


def _hint(wanted: str) -> str:
    """Return the hint about an unknown target: the targets of its release, or similar names."""
    base = wanted.removesuffix(S_MODE)
    named, _, architecture = base.rpartition("-")
    row = table("releases.tsv", "release").get(named) or table("releases.tsv", "release").get(base)
    if row is not None:
        modes = row["s_mode"].split()
        if wanted.endswith(S_MODE) and architecture in row["architectures"].split():
            if not modes:
                return f"{row['title']} has no S mode."
            return f"{row['title']} has S mode only on {', '.join(modes)}."
        names = ", ".join(f"{row['release']}-{known}" for known in row["architectures"].split())
        return f"Targets of {row['title']}: {names}."
    family = [name for name in release_names() if base and name.startswith((f"{named or base}-", f"{base}-"))]
    if family:
        example = _newest([target for target in all_targets() if target.release.name in family]).release.name
        return f"Add the release, such as {example}-x64. Releases: {', '.join(family)}."
    near = difflib.get_close_matches(wanted, _by_name(), n=3, cutoff=0.85)
    if near:
        return f"Did you mean {' or '.join(near)}?"
    return f"Give <release>-<arch>, such as {default_target('x64')}. Releases: {', '.join(release_names())}."
