"""Determine the files that an INF copies, which are the files that Inf2Cat puts into a catalog.

The rules were measured on about 1,300 real catalogs with a known INF. In the rules, "the architectures" are those of
the releases that the catalog is for:

- All Models sections that [Manufacturer] names are used, whatever their decorations. The IDs of their models become the
  HWIDs.
- A model's DDInstall section is looked up for each of the architectures: name.NTamd64, name.NT, name. The same lookup
  applies separately to its .CoInstallers and .Interfaces sections.
- A section that has the decoration of the architecture installs the files of this architecture.
- Any other section is used if a machine of an architecture for which the INF has models would use it too. It installs
  the files of that architecture: an INF with [X.NTarm64] models catalogued for ARM contributes ARM64 files, and a
  section that only [X.NTamd64] models name contributes the x86 files as well, if the INF has [X.NTx86] models and the
  files exist.
- The files are for the releases of the architecture for which the section was looked up.
- Files that no machine of the catalog's releases would install (`catalogs.inf.lookup`) are listed if they exist.
- [DefaultInstall] and [ClassInstall32] are looked up for each of the architectures and contribute its files.
  Sections such as [DefaultInstall.NTamd64.10.0...25952] are used whatever their first release is (not measured).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from catalogs.catalog.os_names import OsName
from catalogs.inf.driver import DriverInf
from catalogs.inf.install import CopiedFile, Installation, MissingSection, location, section_for
from catalogs.inf.lookup import DEFAULT_INSTALL
from catalogs.inf.models import Model, ModelsSection
from signer.records import dataclass

_SUFFIXES = ("", ".CoInstallers", ".Interfaces")
"""Suffixes of a device's install sections in which CopyFiles is read."""


@dataclass(frozen=True, slots=True)
class MissingInstall:
    """A model whose DDInstall section does not exist for any of the architectures."""

    name: str
    line: int


@dataclass(frozen=True, slots=True)
class CopiedFiles:
    """The files that an INF copies."""

    items: tuple[CopiedFile, ...]
    """In INF order; a file may occur more than once."""
    missing_sections: tuple[MissingSection, ...]
    missing_installs: tuple[MissingInstall, ...]


def copied_files(driver: DriverInf, architectures: Iterable[str], names: Iterable[OsName] = ()) -> CopiedFiles:
    """Return the files that the INF contributes to a catalog for releases of these architectures.

    `names` are the releases: files that none of them installs are not required. Without releases, or for an INF that
    installs on none of them, every file is required that a model of its architecture needs.
    """
    return _Collector(driver, tuple(architectures), tuple(names)).run()


class _Collector:
    """Collects the copied files of one INF, by architecture of the release and architecture of the source."""

    def __init__(self, driver: DriverInf, architectures: tuple[str, ...], names: tuple[OsName, ...]) -> None:
        self._driver = driver
        self._inf = driver.inf
        self._architectures = architectures
        self._machines = self._model_architectures()
        installed = [machine.files for machine in driver.lookup.on_any(names) if machine.targets]
        self._installed = {file.location for files in installed for file in files} if installed else None
        self._installations: dict[tuple[str, str, bool], Installation] = {}
        self._missing: dict[str, MissingInstall] = {}

    def run(self) -> CopiedFiles:
        """Read all install sections."""
        for section in self._driver.models:
            self._models(section)
        for architecture in self._architectures:
            self._default_install(architecture)
            self._device("ClassInstall32", architecture, (architecture,))
            self._installation(architecture, architecture).interface_installers()
        missing = [section for each in self._installations.values() for section in each.missing]
        found = {(section.name.lower(), section.line): section for section in missing}
        return CopiedFiles(tuple(dict.fromkeys(self._items())), tuple(found.values()), tuple(self._missing.values()))

    def _models(self, section: ModelsSection) -> None:
        """Read the DDInstall sections of a Models section, each once."""
        own = self._own_architectures(section)
        first: dict[str, Model] = {}
        for model in section.models or ():
            first.setdefault(model.install.lower(), model)
        for name, model in first.items():
            for architecture in self._architectures:
                self._device(name, architecture, own)
            # Perhaps only an architecture that the catalog is not for finds the section.
            if not any(section_for(self._inf, name, each) for each in (*self._architectures, *own)):
                self._missing.setdefault(name, MissingInstall(model.install, model.line))

    def _default_install(self, architecture: str) -> None:
        """Read all [DefaultInstall] sections with the architecture's decoration, or the one without an architecture."""
        decorated = [target for target in self._driver.default_installs if target.architecture == architecture]
        for target in decorated:
            section = self._inf.section(f"{DEFAULT_INSTALL}.{target.text}")
            if section is not None:
                self._installation(architecture, architecture).install(section)
        if not decorated:
            self._device(DEFAULT_INSTALL, architecture, (architecture,))

    def _device(self, name: str, on: str, own: tuple[str, ...]) -> None:
        """Read the sections that a machine of architecture `on` uses; `own` are the Models section's architectures.

        Files for other architectures of the INF are optional.
        """
        for suffix in _SUFFIXES:
            section = section_for(self._inf, name, on, suffix)
            if section is None:
                continue
            if section.name.lower() == f"{name}.nt{on}{suffix}".lower():
                self._installation(on, on).install(section)
                continue
            for each in dict.fromkeys((*own, *self._machines)):
                if section_for(self._inf, name, each, suffix) is section:
                    self._installation(each, on, each in own).install(section)

    def _own_architectures(self, section: ModelsSection) -> tuple[str, ...]:
        """Return the architectures of a Models section: x86 without a decoration, unless the INF has no decorations."""
        if section.target.architecture is not None:
            return (section.target.architecture,)
        decorated = any(other.target.architecture for other in self._driver.models)
        return ("x86",) if decorated or "x86" in self._architectures else self._architectures

    def _model_architectures(self) -> tuple[str, ...]:
        """Return the architectures for which the INF has models."""
        sections = (section for section in self._driver.models if section.models)
        return tuple(dict.fromkeys(each for section in sections for each in self._own_architectures(section)))

    def _installation(self, architecture: str, on: str, required: bool = True) -> Installation:
        """Return the installation of files for `architecture` on machines of architecture `on`."""
        key = (architecture, on, required)
        if key not in self._installations:
            self._installations[key] = Installation(self._inf, architecture)
        return self._installations[key]

    def _items(self) -> Iterator[CopiedFile]:
        layout = self._driver.version.entry("LayoutFile") is not None
        for (architecture, on, required), installation in self._installations.items():
            inbox = layout or installation.includes
            for copy in installation.copies:
                sources = self._driver.sources.find(copy.source, architecture)
                for source in sources or (None,):
                    is_needed = required and self._is_installed(location(copy, source))
                    if is_needed or source is not None:
                        yield CopiedFile(copy, source, architecture, on, inbox, is_needed)

    def _is_installed(self, place: tuple[str, ...]) -> bool:
        """Tell whether a machine of the catalog's releases installs the file, or no such machine uses the INF."""
        return self._installed is None or place in self._installed
