"""Which files of its folder an INF brings: what Inf2Cat puts into a catalog.

Which files count was measured on some 1,300 real catalogs of which the INF is known. With "the architectures" for
those of the releases that the catalog is for:

- All Models sections that [Manufacturer] names count, whatever their decorations. Their models' IDs become the HWIDs.
- A model's DDInstall section is looked up for each of the architectures: name.NTamd64, name.NT, name. So are, each by
  itself, its .CoInstallers and .Interfaces.
- One that is found with its architecture's decoration installs the files of this architecture.
- Any other counts if a machine of an architecture that the INF has models for would use it too. It installs the files
  of that architecture: an INF with [X.NTarm64] models catalogued for ARM brings ARM64 files, and a section that only
  [X.NTamd64] models name brings the x86 files as well, if the INF has [X.NTx86] models and they are there.
- The files are for the releases of the architecture that the section was looked up for.
- [DefaultInstall] and [ClassInstall32] are looked up for each of the architectures, and bring its files.
  Sections such as [DefaultInstall.NTamd64.10.0...25952] count whatever release they begin with (not measured).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from catalogs.inf.driver import DEFAULT_INSTALL, DriverInf
from catalogs.inf.install import Copy, Installation, MissingSection, section_for
from catalogs.inf.models import Model, ModelsSection
from catalogs.inf.sources import Source

_PARTS = ("", ".CoInstallers", ".Interfaces")
"""The install sections of a device: its own, and the ones beside it in which CopyFiles counts."""


@dataclass(frozen=True, slots=True)
class Item:
    """A file that an INF copies."""

    copy: Copy
    source: Source | None
    """Where it is said to be; None where no [SourceDisksFiles] names it."""
    architecture: str
    """The architecture that its place was looked up for."""
    on: str
    """The architecture whose releases install it."""
    inbox: bool
    """Whether it may come with Windows: the INF has a LayoutFile or includes another INF."""
    certain: bool = True
    """Whether a model of its architecture needs it. Others of the INF's architectures may do without."""


@dataclass(frozen=True, slots=True)
class MissingInstall:
    """A model whose DDInstall section does not exist for any of the architectures."""

    name: str
    line: int


@dataclass(frozen=True, slots=True)
class Contents:
    """What an INF brings."""

    items: tuple[Item, ...]
    """In the order in which the INF names them; one file may come more than once."""
    missing_sections: tuple[MissingSection, ...]
    missing_installs: tuple[MissingInstall, ...]


def contents(driver: DriverInf, architectures: Iterable[str]) -> Contents:
    """The files that the INF brings to a catalog for releases of these architectures."""
    return _Survey(driver, tuple(architectures)).run()


class _Survey:
    """The installations of one INF: for each architecture that is asked for, of the files of each."""

    def __init__(self, driver: DriverInf, architectures: tuple[str, ...]) -> None:
        self._driver = driver
        self._inf = driver.inf
        self._architectures = architectures
        self._machines = self._machines_of_models()
        self._installations: dict[tuple[str, str, bool], Installation] = {}
        self._missing: dict[str, MissingInstall] = {}

    def run(self) -> Contents:
        """All of it."""
        for section in self._driver.models:
            self._models(section)
        for architecture in self._architectures:
            self._default_install(architecture)
            self._device("ClassInstall32", architecture, (architecture,))
            self._installation(architecture, architecture).interface_installers()
        missing = [section for each in self._installations.values() for section in each.missing]
        found = {(section.name.lower(), section.line): section for section in missing}
        return Contents(tuple(dict.fromkeys(self._items())), tuple(found.values()), tuple(self._missing.values()))

    def _models(self, section: ModelsSection) -> None:
        """The DDInstall sections of the models, each once."""
        own = self._own_architectures(section)
        first: dict[str, Model] = {}
        for model in section.models or ():
            first.setdefault(model.install.lower(), model)
        for name, model in first.items():
            for architecture in self._architectures:
                self._device(name, architecture, own)
            # A machine that nobody asked for may be the only one to find the section.
            if not any(section_for(self._inf, name, each) for each in (*self._architectures, *own)):
                self._missing.setdefault(name, MissingInstall(model.install, model.line))

    def _default_install(self, architecture: str) -> None:
        """All [DefaultInstall] sections of the architecture, whatever release they are for; or one that names none."""
        decorated = [target for target in self._driver.default_installs if target.architecture == architecture]
        for target in decorated:
            section = self._inf.section(f"{DEFAULT_INSTALL}.{target.text}")
            if section is not None:
                self._installation(architecture, architecture).install(section)
        if not decorated:
            self._device(DEFAULT_INSTALL, architecture, (architecture,))

    def _device(self, name: str, on: str, own: tuple[str, ...]) -> None:
        """Read what a machine of the architecture `on` would install; `own` are the Models section's architectures.

        Files for others of the INF's architectures count where they are.
        """
        for suffix in _PARTS:
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
        """What machines the section is for. Without a decoration, x86, unless that is all that the INF has."""
        if section.target.architecture is not None:
            return (section.target.architecture,)
        decorated = any(other.target.architecture for other in self._driver.models)
        return ("x86",) if decorated or "x86" in self._architectures else self._architectures

    def _machines_of_models(self) -> tuple[str, ...]:
        """The architectures that the INF has models for."""
        sections = (section for section in self._driver.models if section.models)
        return tuple(dict.fromkeys(each for section in sections for each in self._own_architectures(section)))

    def _installation(self, architecture: str, on: str, certain: bool = True) -> Installation:
        """What a machine of the architecture `on` installs of the files of an architecture."""
        key = (architecture, on, certain)
        if key not in self._installations:
            self._installations[key] = Installation(self._inf, architecture)
        return self._installations[key]

    def _items(self) -> Iterator[Item]:
        layout = self._driver.version.entry("LayoutFile") is not None
        for (architecture, on, certain), installation in self._installations.items():
            inbox = layout or installation.includes
            for copy in installation.copies:
                sources = self._driver.sources.find(copy.source, architecture)
                if certain and not sources:
                    yield Item(copy, None, architecture, on, inbox)
                yield from (Item(copy, source, architecture, on, inbox, certain) for source in sources)
