"""A parsed driver INF: its models, target releases, architectures and source files."""

from __future__ import annotations

from dataclasses import field
from functools import cached_property, lru_cache
from pathlib import Path

from catalogs.catalog import os_names
from catalogs.catalog.os_names import OsName
from catalogs.inf.lookup import Lookup, default_installs
from catalogs.inf.models import InvalidTarget, ModelsSection, models_sections
from catalogs.inf.sources import Sources
from catalogs.inf.strings import expand_strings
from catalogs.inf.syntax import Inf
from catalogs.inf.targets import ARCHITECTURES, TargetOS
from catalogs.inf.version import VersionSection
from signer.records import dataclass
from signer.storage.files import read

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
        return _parsed(data, path)

    @classmethod
    def read(cls, path: Path) -> DriverInf:
        """Read and parse the INF at `path`. Raises InfError and FileError."""
        return cls.parse(read(path), path)

    @cached_property
    def hardware_ids(self) -> tuple[str, ...]:
        """Hardware and compatible IDs of all models: lower case, without duplicates, in line order."""
        sections = {section.name.lower(): section for section in self.models}
        models = (model for section in sections.values() for model in section.models or ())
        ids = (id_.lower() for model in sorted(models, key=lambda model: model.line) for id_ in model.ids)
        return tuple(dict.fromkeys(ids))

    @cached_property
    def default_installs(self) -> tuple[TargetOS, ...]:
        """Decorations of the [DefaultInstall] sections, which a primitive driver has instead of models."""
        return default_installs(self.inf)

    @cached_property
    def lookup(self) -> Lookup:
        """The lookup of what machines use of the INF."""
        layout = self.version.entry("LayoutFile") is not None
        return Lookup(self.inf, self.models, self.sources, layout=layout)

    @cached_property
    def all_releases(self) -> tuple[OsName, ...]:
        """Every Windows release with an /os name on which the INF installs."""
        return tuple(name for name in os_names.ALL if self.installs_on(name))

    @cached_property
    def releases(self) -> tuple[OsName, ...]:
        """Windows releases that the decorations target; only those whose catalog token was seen in real catalogs.

        A decoration without a version targets every release since Windows 2000, which would result in a SHA-1 catalog.
        A release before Windows 10 is therefore included only if the decoration that it selects has a version, or if no
        other release remains.
        """
        matching = tuple(name for name in self.all_releases if name.confirmed)
        intended = (
            name
            for name in matching
            if name.release >= _WINDOWS_10 or all(target.release > _ANY for target in self.lookup.on(name).targets)
        )
        return tuple(intended) or matching

    def installs_on(self, os: OsName) -> bool:
        """Tell whether the INF installs on `os`: a selected section has models, or a [DefaultInstall] applies."""
        return bool(self.lookup.on(os).targets)

    @cached_property
    def architectures(self) -> tuple[str, ...]:
        """Architectures of the decorations; `x86` for sections without one."""
        targets = [section.target for section in self.models if section.models] or list(self.default_installs)
        named = {target.architecture or "x86" for target in targets}
        return tuple(architecture for architecture in ARCHITECTURES if architecture in named)


@lru_cache(maxsize=2)  # several checks of one command read the same INF
def _parsed(data: bytes, path: Path) -> DriverInf:
    text = Inf.parse(data, path)
    inf = expand_strings(text)
    models, bad = models_sections(inf)
    return DriverInf(path, text, inf, tuple(models), tuple(bad), sources=Sources(inf), version=VersionSection(inf))
