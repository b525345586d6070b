"""A parsed driver INF: its models, target releases, architectures and source files."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from catalogs.catalog import os_names
from catalogs.catalog.os_names import OsName
from catalogs.inf.models import InvalidTarget, ModelsSection, models_sections
from catalogs.inf.sources import Sources
from catalogs.inf.strings import expand_strings
from catalogs.inf.syntax import Inf
from catalogs.inf.targets import ARCHITECTURES, TargetOS, parse, select
from catalogs.inf.version import VersionSection
from signer.storage.files import read

DEFAULT_INSTALL = "DefaultInstall"
_WINDOWS_10 = (10, 0, 0)
_ANY = (0, 0, 0)


@dataclass(frozen=True, eq=False)
class DriverInf:
    """A parsed INF."""

    path: Path
    text: Inf
    """The INF with its %strings% tokens as written."""
    inf: Inf
    """The INF with its %strings% tokens replaced."""
    models: tuple[ModelsSection, ...]
    """The Models sections that [Manufacturer] names."""
    invalid_targets: tuple[InvalidTarget, ...] = ()
    """Invalid TargetOS decorations in [Manufacturer]."""
    sources: Sources = field(repr=False, kw_only=True)
    version: VersionSection = field(repr=False, kw_only=True)

    @classmethod
    def parse(cls, data: bytes, path: Path) -> DriverInf:
        """Parse the bytes of an INF. Raises InfError."""
        text = Inf.parse(data, path)
        inf = expand_strings(text)
        models, bad = models_sections(inf)
        return cls(path, text, inf, tuple(models), tuple(bad), sources=Sources(inf), version=VersionSection(inf))

    @classmethod
    def read(cls, path: Path) -> DriverInf:
        """Read and parse the INF at `path`. Raises InfError and FileError."""
        return cls.parse(read(path), path)

    @cached_property
    def hardware_ids(self) -> tuple[str, ...]:
        """Hardware and compatible IDs of all models: lower case, without duplicates, in line order."""
        models = (model for section in self.models for model in section.models or ())
        ids = (id_.lower() for model in sorted(models, key=lambda model: model.line) for id_ in model.ids)
        return tuple(dict.fromkeys(ids))

    @cached_property
    def default_installs(self) -> tuple[TargetOS, ...]:
        """Decorations of the [DefaultInstall] sections, which a primitive driver has instead of models."""
        names = (name.partition(".") for name in self.inf.sections)
        targets = (parse(decoration) for base, _, decoration in names if base == DEFAULT_INSTALL.lower())
        return tuple(target for target in targets if target is not None)

    @cached_property
    def releases(self) -> tuple[OsName, ...]:
        """Windows releases that the decorations target; only those whose catalog token was seen in real catalogs.

        A decoration without a version targets every release since Windows 2000, which would result in a SHA-1 catalog.
        A release before Windows 10 is therefore included only if the decoration that it selects has a version, or if no
        other release remains.
        """
        selected = {name: self.selected_targets(name) for name in os_names.ALL if name.confirmed}
        matching = tuple(name for name, targets in selected.items() if targets)
        intended = (
            name
            for name in matching
            if name.release >= _WINDOWS_10 or all(target.release > _ANY for target in selected[name])
        )
        return tuple(intended) or matching

    def installs_on(self, os: OsName) -> bool:
        """Tell whether the INF installs on `os`: a selected section has models, or a [DefaultInstall] applies."""
        return bool(self.selected_targets(os))

    def selected_targets(self, os: OsName) -> tuple[TargetOS, ...]:
        """Return the decorations that Windows selects on `os`, one for each manufacturer whose section has models."""
        found = []
        for manufacturer in dict.fromkeys(section.manufacturer for section in self.models):
            sections = {section.target: section for section in self.models if section.manufacturer == manufacturer}
            # If the section for a decoration is missing, Windows selects another decoration.
            target = select((target for target, section in sections.items() if section.models is not None), os)
            if target is not None and sections[target].models:
                found.append(target)
        default = select(self.default_installs, os) if not self.models else None
        return (*found, default) if default is not None else tuple(found)

    @cached_property
    def architectures(self) -> tuple[str, ...]:
        """Architectures of the decorations; `x86` for sections without one."""
        targets = [section.target for section in self.models if section.models] or list(self.default_installs)
        named = {target.architecture or "x86" for target in targets}
        return tuple(architecture for architecture in ARCHITECTURES if architecture in named)
