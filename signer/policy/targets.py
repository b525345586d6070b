"""Targets of a verdict: a Windows release and an architecture, `<release>-<arch>` or `<release>-<arch>-smode`."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from signer.errors import UsageError
from signer.policy.tables import rows, table

S_MODE = "-smode"
_DEFAULT_TARGETS = {
    "x64": "win11-25h2-x64",
    "x86": "win10-22h2-x86",
    "arm64": "win11-25h2-arm64",
    "ia64": "server2008r2-ia64",
}
"""The newest release that most machines of an architecture run; Windows 11 26H1 comes with new hardware only."""


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
    server: bool
    secure_boot: bool
    """Whether it supports Secure Boot, as Windows 8 and Server 2012 and later do."""


@dataclass(frozen=True, slots=True, order=True)
class Target:
    """A release, an architecture, and whether it is in S mode."""

    release: Release
    architecture: str
    """x86, x64, arm64 or ia64."""
    s_mode: bool = False

    @property
    def name(self) -> str:
        """The name on the command line."""
        return f"{self.release.name}-{self.architecture}{S_MODE if self.s_mode else ''}"

    @property
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
        return self.release.server

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
        server=row["server"] == "yes",
        secure_boot=row["secure_boot"] == "yes",
    )


def release_names() -> tuple[str, ...]:
    """Return every release: clients, then servers, each from the oldest to the newest."""
    return tuple(row["release"] for row in rows("releases.tsv"))


@cache
def all_targets() -> tuple[Target, ...]:
    """Return every release on each of its architectures: clients, then servers, each from the oldest to the newest."""
    found: list[Target] = []
    for row in rows("releases.tsv"):
        here = release(row["release"])
        found += [Target(here, architecture) for architecture in row["architectures"].split()]
        found += [Target(here, architecture, s_mode=True) for architecture in row["s_mode"].split()]
    return tuple(found)


def targets_for(architecture: str | None) -> tuple[Target, ...]:
    """Return the targets of this architecture, or all targets if it is unknown."""
    fitting = tuple(target for target in all_targets() if target.architecture == architecture)
    return fitting or all_targets()


def default_target(architecture: str | None) -> Target:
    """The target to check a file for when none is named; the x64 one where the file has no known architecture."""
    return Target.parse(_DEFAULT_TARGETS.get(architecture or "", _DEFAULT_TARGETS["x64"]))


def parse_targets(names: Iterable[str]) -> tuple[Target, ...]:
    """The targets with these names, each once; a name may be a list with commas. Raises UsageError."""
    given = tuple(names)
    found = tuple(dict.fromkeys(Target.parse(part) for name in given for part in name.split(",") if part.strip()))
    if given and not found:
        raise UsageError("--target names no target", hint="Use RELEASE-ARCHITECTURE, such as win11-25h2-x64.")
    return found


@dataclass(frozen=True, slots=True)
class Releases:
    """The targets that a rule applies to."""

    since: str | None = None
    before: str | None = None
    clients: bool = True
    servers: bool = True
    architectures: tuple[str, ...] = ()
    s_mode: bool = False
    """Whether the rule applies only to targets in S mode."""

    def __contains__(self, target: Target) -> bool:
        """Return whether the rule applies to the target."""
        return (
            (self.since is None or target.build >= release(self.since).build)
            and (self.before is None or target.build < release(self.before).build)
            and (self.servers if target.server else self.clients)
            and (not self.architectures or target.architecture in self.architectures)
            and (target.s_mode or not self.s_mode)
        )

    def __str__(self) -> str:
        parts = ["all releases" if not (self.since or self.before) else ""]
        if self.since:
            parts.append(f"{release(self.since).title} and later")
        if self.before:
            parts.append(f"before {release(self.before).title}")
        if not self.servers:
            parts.append("clients")
        if not self.clients:
            parts.append("servers")
        if self.architectures:
            parts.append(", ".join(self.architectures))
        if self.s_mode:
            parts.append("S mode")
        return "; ".join(part for part in parts if part)


EVERYWHERE = Releases()


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
        return f"Add the release, such as {family[-1]}-x64. Releases: {', '.join(family)}."
    near = difflib.get_close_matches(wanted, _by_name(), n=3, cutoff=0.85)
    if near:
        return f"Did you mean {' or '.join(near)}?"
    return f"Give <release>-<arch>, such as win11-24h2-x64. Releases: {', '.join(release_names())}."
