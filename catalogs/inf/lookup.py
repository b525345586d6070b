"""Windows' lookup: the sections and files of an INF that a machine of one architecture and release uses.

Catalogs list the files for all architectures of the INF, as Inf2Cat does (`catalogs.package.copied_files`). Questions
about one machine are answered here:

- Of the Models sections of each manufacturer, Windows uses the one whose TargetOS decoration matches most closely.
- The install section that a model names is looked up as name.NTamd64, name.NT, name. The names of its other sections
  are the name of the section that was found and a suffix: [name.NTamd64.Services] for [name.NTamd64], not
  [name.Services].
- [DefaultInstall] and [ClassInstall32] are looked up in the same way. Unlike a Models section, [DefaultInstall] and
  [DefaultInstall.NT] apply to every architecture.
- A file's location is looked up in [SourceDisksFiles.amd64], then in [SourceDisksFiles]; the disk likewise.

Sources (windows-driver-docs, install/): inf-manufacturer-section.md, inf-models-section.md, inf-ddinstall-section.md,
creating-inf-files-for-multiple-platforms-and-operating-systems.md, inf-sourcedisksfiles-section.md; sdk-api,
setupapi/nf-setupapi-setupdigetactualsectiontoinstallw.md.
"""

from __future__ import annotations

from bisect import bisect
from collections.abc import Iterable, Iterator
from dataclasses import field
from functools import cached_property, partial

from catalogs.catalog.os_names import OsName
from catalogs.inf.install import CopiedFile, Installation, MissingSection, section_for
from catalogs.inf.models import Model, ModelsSection
from catalogs.inf.sources import Sources
from catalogs.inf.syntax import Inf, Section
from catalogs.inf.targets import BUILDS_SINCE, TargetOS, parse, select
from signer.records import dataclass

DEFAULT_INSTALL = "DefaultInstall"
_COPYING_SUFFIXES = (".CoInstallers", ".Interfaces")
"""Suffixes of the sections beside an install section that may copy files."""


@dataclass(frozen=True, slots=True)
class InstallSection:
    """An install section that a machine uses."""

    name: str
    """The name in the Models section, or `DefaultInstall`."""
    section: Section | None
    """The section, perhaps with a decoration; None if the INF does not define it."""
    model: Model | None
    """The first model that names it; None for [DefaultInstall]."""

    @property
    def line(self) -> int | None:
        """Line of the model, or of the section if no model names it."""
        return self.model.line if self.model is not None else self.section.line if self.section is not None else None


@dataclass(frozen=True, eq=False)
class MachineInstall:
    """The sections and files that a machine uses."""

    architecture: str
    models: tuple[ModelsSection, ...]
    """The selected Models section of each manufacturer; sections without models are left out."""
    default: TargetOS | None
    """Decoration of the [DefaultInstall] section, if the INF has no models."""
    inf: Inf = field(repr=False)
    sources: Sources = field(repr=False)
    layout: bool = False
    """True if the INF names a LayoutFile, which may define the location of files."""

    @cached_property
    def targets(self) -> tuple[TargetOS, ...]:
        """The selected decorations; empty if the machine installs nothing."""
        default = () if self.default is None else (self.default,)
        return (*(section.target for section in self.models), *default)

    @cached_property
    def installs(self) -> tuple[InstallSection, ...]:
        """The install sections, each once."""
        first: dict[str, Model] = {}
        for section in {section.name.lower(): section for section in self.models}.values():
            for model in section.models or ():
                first.setdefault(model.install.lower(), model)
        found = [InstallSection(one.install, self._section(one.install), one) for one in first.values()]
        if self.default is not None:
            name = f"{DEFAULT_INSTALL}.{self.default.text}" if self.default.text else DEFAULT_INSTALL
            found.append(InstallSection(DEFAULT_INSTALL, self.inf.section(name), None))
        return tuple(found)

    def related(self, install: InstallSection, suffix: str) -> Section | None:
        """Return the section of an install section with a suffix, such as `.Services`; None if it does not exist."""
        return None if install.section is None else self.inf.section(f"{install.section.name}{suffix}")

    @property
    def files(self) -> tuple[CopiedFile, ...]:
        """The files that the install sections copy, in INF order, each with the first source that the INF lists."""
        return tuple(self._files)

    @property
    def missing_sections(self) -> tuple[MissingSection, ...]:
        """The sections that a directive names and the INF does not define."""
        return tuple(self._installation.missing)

    @cached_property
    def _files(self) -> dict[CopiedFile, None]:
        inbox = self.layout or self._installation.includes
        found: dict[CopiedFile, None] = {}
        for copy in self._installation.copies:
            source = next(iter(self.sources.find(copy.source, self.architecture)), None)
            found[CopiedFile(copy, source, self.architecture, self.architecture, inbox)] = None
        return found

    @cached_property
    def _installation(self) -> Installation:
        installation = Installation(self.inf, self.architecture)
        for section in self._copying_sections():
            installation.install(section)
        if self.installs:
            installation.interface_installers()
        return installation

    def _copying_sections(self) -> Iterator[Section]:
        """Yield the sections with CopyFiles directives that exist."""
        found: list[Section | None] = []
        for install in self.installs:
            found += [install.section, *(self.related(install, suffix) for suffix in _COPYING_SUFFIXES)]
        if self.installs:
            found.append(self._section("ClassInstall32"))
        yield from (section for section in found if section is not None)

    def _section(self, name: str) -> Section | None:
        return section_for(self.inf, name, self.architecture)


class Lookup:
    """Look up what machines use of one INF with its %strings% replaced. Equal answers are computed once."""

    def __init__(self, inf: Inf, models: Iterable[ModelsSection], sources: Sources, *, layout: bool) -> None:
        self._inf = inf
        self._models = tuple(models)
        self._sources = sources
        self._layout = layout
        self._defaults = default_installs(inf)
        self._entries = _by_entry(self._models)
        self._choices = tuple(dict.fromkeys(tuple(sections) for sections in self._entries))
        self._known: dict[tuple[str, tuple[TargetOS | None, ...], TargetOS | None], MachineInstall] = {}
        targets = (*self._defaults, *(section.target for section in self._models))
        self._boundaries = sorted({BUILDS_SINCE, *(target.release for target in targets)})
        self._answers: dict[tuple[str, int, bool], MachineInstall] = {}

    def on(self, os: OsName) -> MachineInstall:
        """Return what a machine with this release and architecture uses.

        A server is a member server. Sections for domain controllers count only if nothing else in the INF applies: the
        INF is for domain controllers then.
        """
        # Decorations only say since which release they apply: between two of those, all releases use the same.
        machine = (os.architecture, bisect(self._boundaries, os.release), os.server)
        if machine not in self._answers:
            self._answers[machine] = self._look_up(os)
        return self._answers[machine]

    def _look_up(self, os: OsName) -> MachineInstall:
        chosen, default = self._choose(os)
        if os.server and default is None and not any(chosen):
            chosen, default = self._choose(os, domain_controller=True)
        key = (os.architecture, chosen, default)
        if key not in self._known:
            models = tuple(section for section in self._sections(chosen) if section.models)
            self._known[key] = MachineInstall(os.architecture, models, default, self._inf, self._sources, self._layout)
        return self._known[key]

    def on_any(self, names: Iterable[OsName]) -> tuple[MachineInstall, ...]:
        """Return the different answers for several releases."""
        return tuple(dict.fromkeys(map(self.on, names)))

    def _choose(
        self, os: OsName, *, domain_controller: bool = False
    ) -> tuple[tuple[TargetOS | None, ...], TargetOS | None]:
        """Return the selected decoration of each choice, and that of [DefaultInstall]."""
        choose = partial(select, os=os, domain_controller=domain_controller)
        default = None if self._models else choose(self._defaults, any_architecture=True)
        return tuple(map(choose, self._choices)), default

    def _sections(self, chosen: tuple[TargetOS | None, ...]) -> Iterator[ModelsSection]:
        """Yield the section of each entry with the decoration that is chosen among those of the entry."""
        decorations = dict(zip(self._choices, chosen, strict=True))
        for sections in self._entries:
            target = decorations[tuple(sections)]
            if target is not None:
                yield sections[target]


def _by_entry(models: tuple[ModelsSection, ...]) -> tuple[dict[TargetOS, ModelsSection], ...]:
    """Return the Models sections of each entry in [Manufacturer] by their decorations.

    If the section for a decoration is missing, Windows selects another decoration.
    """
    entries: dict[int, dict[TargetOS, ModelsSection]] = {}
    for section in models:
        if section.models is not None:
            entries.setdefault(section.line, {}).setdefault(section.target, section)
    return tuple(entries.values())


def default_installs(inf: Inf) -> tuple[TargetOS, ...]:
    """Return the decorations of the [DefaultInstall] sections, which a primitive driver has instead of models."""
    names = (name.partition(".") for name in inf.sections)
    targets = (parse(decoration) for base, _, decoration in names if base == DEFAULT_INSTALL.lower())
    return tuple(target for target in targets if target is not None)
