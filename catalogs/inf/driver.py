"""A driver's INF as a whole: what its sections say together."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from catalogs.catalog import os_names
from catalogs.catalog.os_names import OsName
from catalogs.inf.models import BadTarget, ModelsSection, models_sections
from catalogs.inf.sources import Sources
from catalogs.inf.strings import expanded
from catalogs.inf.syntax import Inf
from catalogs.inf.targets import ARCHITECTURES, TargetOS, parse, pick
from catalogs.inf.version import VersionSection
from signer.storage.files import read

DEFAULT_INSTALL = "DefaultInstall"
_WINDOWS_10 = (10, 0, 0)
_ANY = (0, 0, 0)


@dataclass(frozen=True, eq=False)
class DriverInf:
    """An INF, read."""

    path: Path
    text: Inf
    """As it is written."""
    inf: Inf
    """With its %strings% replaced."""
    models: tuple[ModelsSection, ...]
    """The Models sections that [Manufacturer] names."""
    bad_targets: tuple[BadTarget, ...] = ()
    """What [Manufacturer] gives as decorations and isn't."""
    sources: Sources = field(repr=False, kw_only=True)
    version: VersionSection = field(repr=False, kw_only=True)

    @classmethod
    def parse(cls, data: bytes, path: Path) -> DriverInf:
        """The INF in `data`. Raises InfError."""
        text = Inf.parse(data, path)
        inf = expanded(text)
        models, bad = models_sections(inf)
        return cls(path, text, inf, tuple(models), tuple(bad), sources=Sources(inf), version=VersionSection(inf))

    @classmethod
    def read(cls, path: Path) -> DriverInf:
        """The INF at `path`. Raises InfError and FileError."""
        return cls.parse(read(path), path)

    @cached_property
    def hardware_ids(self) -> tuple[str, ...]:
        """The hardware and compatible IDs of all its models, each once, in lower case, in the order of their lines."""
        models = (model for section in self.models for model in section.models or ())
        ids = (id_.lower() for model in sorted(models, key=lambda model: model.line) for id_ in model.ids)
        return tuple(dict.fromkeys(ids))

    @cached_property
    def default_installs(self) -> tuple[TargetOS, ...]:
        """The decorations of its [DefaultInstall] sections: those of a driver without devices."""
        names = (name.partition(".") for name in self.inf.sections)
        targets = (parse(decoration) for base, _, decoration in names if base == DEFAULT_INSTALL.lower())
        return tuple(target for target in targets if target is not None)

    @cached_property
    def releases(self) -> tuple[OsName, ...]:
        """The releases that its decorations are for, as far as their tokens were seen in real catalogs.

        A decoration without a version admits everything since Windows 2000. Nobody means that today, and it would make
        for a SHA-1 catalog: releases before Windows 10 are among them if the decoration that they pick has a version,
        or if there would be none otherwise.
        """
        picked = {name: self.picked(name) for name in os_names.ALL if name.confirmed}
        admitted = tuple(name for name, targets in picked.items() if targets)
        meant = (
            name
            for name in admitted
            if name.release >= _WINDOWS_10 or all(target.release > _ANY for target in picked[name])
        )
        return tuple(meant) or admitted

    def installs_on(self, os: OsName) -> bool:
        """Whether a release finds anything to install: models in the sections that it picks, or a DefaultInstall."""
        return bool(self.picked(os))

    def picked(self, os: OsName) -> tuple[TargetOS, ...]:
        """The decorations that a release picks and finds something under, one for each manufacturer."""
        found = []
        for manufacturer in dict.fromkeys(section.manufacturer for section in self.models):
            sections = {section.target: section for section in self.models if section.manufacturer == manufacturer}
            # Sections that are named and missing don't keep Windows from picking another one.
            target = pick((target for target, section in sections.items() if section.models is not None), os)
            if target is not None and sections[target].models:
                found.append(target)
        default = pick(self.default_installs, os) if not self.models else None
        return (*found, default) if default is not None else tuple(found)

    @cached_property
    def architectures(self) -> tuple[str, ...]:
        """The architectures that its decorations name; `x86` for sections without any."""
        targets = [section.target for section in self.models if section.models] or list(self.default_installs)
        named = {target.architecture or "x86" for target in targets}
        return tuple(architecture for architecture in ARCHITECTURES if architecture in named)
