"""What a verdict is for: a Windows release on an architecture, as `<release>-<arch>` or `<release>-<arch>-smode`."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from functools import cache

from signer.errors import UsageError
from signer.policy.tables import rows, table

S_MODE = "-smode"


@dataclass(frozen=True, slots=True, order=True)
class Release:
    """One Windows release."""

    build: int
    """Its build number, which orders releases; a server shares it with the client of the same code."""
    name: str
    title: str
    """What a person calls it."""
    server: bool
    secure_boot: bool
    """Whether it knows Secure Boot: Windows 8 and Server 2012 were the first."""


@dataclass(frozen=True, slots=True, order=True)
class Target:
    """A release, an architecture, and whether it is in S mode."""

    release: Release
    architecture: str
    """x86, x64, arm64 or ia64."""
    s_mode: bool = False

    @property
    def name(self) -> str:
        """The name as the command line has it."""
        return f"{self.release.name}-{self.architecture}{S_MODE if self.s_mode else ''}"

    @property
    def title(self) -> str:
        """The name for a sentence."""
        return f"{self.release.title} {self.architecture}{' in S mode' if self.s_mode else ''}"

    @property
    def build(self) -> int:
        """The release's build number."""
        return self.release.build

    @property
    def server(self) -> bool:
        """Whether it is a server release."""
        return self.release.server

    def __str__(self) -> str:
        return self.name

    @classmethod
    def parse(cls, name: str) -> Target:
        """The target called `name`, in any case. Raises UsageError that names what is near."""
        wanted = name.strip().lower()
        found = _by_name().get(wanted)
        if found is None:
            raise UsageError(f"there is no target called {name!r}", hint=_hint(wanted), field="--target")
        return found


@cache
def release(name: str) -> Release:
    """The release called `name`. Raises UsageError."""
    row = table("releases.tsv", "release").get(name)
    if row is None:
        raise UsageError(f"there is no release called {name!r}", hint=f"Releases: {', '.join(release_names())}.")
    return Release(
        build=int(row["build"]),
        name=row["release"],
        title=row["title"],
        server=row["server"] == "yes",
        secure_boot=row["secure_boot"] == "yes",
    )


def release_names() -> tuple[str, ...]:
    """Every release, clients first, each from the oldest to the newest."""
    return tuple(row["release"] for row in rows("releases.tsv"))


@cache
def all_targets() -> tuple[Target, ...]:
    """Every release on every architecture it exists for, in the order of the matrix: clients, then servers, by age."""
    found: list[Target] = []
    for row in rows("releases.tsv"):
        here = release(row["release"])
        found += [Target(here, architecture) for architecture in row["architectures"].split()]
        found += [Target(here, architecture, s_mode=True) for architecture in row["s_mode"].split()]
    return tuple(found)


def targets_for(architecture: str | None) -> tuple[Target, ...]:
    """The rows of the matrix for an image of this architecture; all of them where it is not known."""
    fitting = tuple(target for target in all_targets() if target.architecture == architecture)
    return fitting or all_targets()


@cache
def _by_name() -> dict[str, Target]:
    return {target.name: target for target in all_targets()}


def _hint(wanted: str) -> str:
    """What to say about a name that is no target: that the combination does not exist, or what is spelled like it."""
    base = wanted.removesuffix(S_MODE)
    named, _, architecture = base.rpartition("-")
    row = table("releases.tsv", "release").get(named) or table("releases.tsv", "release").get(base)
    if row is not None:
        modes = row["s_mode"].split()
        if wanted.endswith(S_MODE) and architecture in row["architectures"].split():
            where = f"S mode exists on {', '.join(modes)}" if modes else "it has no S mode"
            return f"{row['title']} is no such target: {where}."
        names = ", ".join(f"{row['release']}-{known}" for known in row["architectures"].split())
        return f"{row['title']} exists as {names}."
    family = [name for name in release_names() if base and name.startswith((f"{named or base}-", f"{base}-"))]
    if family:
        return f"Name the release too, such as {family[-1]}-x64: {', '.join(family)}."
    near = difflib.get_close_matches(wanted, _by_name(), n=3, cutoff=0.85)
    if near:
        return f"Did you mean {' or '.join(near)}?"
    return f"Say <release>-<arch>, such as win11-24h2-x64; releases: {', '.join(release_names())}."
