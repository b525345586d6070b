"""Which files of its folder an INF brings: what Inf2Cat puts into a catalog.

Which files count was measured on some 1,300 real catalogs of which the INF is known. With "the architectures" for
those of the releases that the catalog is for:

- All Models sections that [Manufacturer] names count, whatever their decorations. Their models' IDs become the HWIDs.
- A model's DDInstall section is looked up for each of the architectures: name.NTamd64, name.NT, name.
- One that is found with its architecture's decoration installs the files of this architecture, on its releases alone.
- Any other counts if a machine of the Models section's own architecture would use it too. It installs the files of
  that architecture, and counts for all releases: an INF with [X.NTarm64] models catalogued for ARM brings ARM64 files.
- [DefaultInstall] and [ClassInstall32] are looked up for each of the architectures, and bring its files.
  Sections such as [DefaultInstall.NTamd64.10.0...25952] count whatever release they begin with (not measured).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from catalogs.inf.driver import DEFAULT_INSTALL, DriverInf
from catalogs.inf.install import Copy, Installation, MissingSection
from catalogs.inf.models import Model, ModelsSection
from catalogs.inf.sources import Source


@dataclass(frozen=True, slots=True)
class Item:
    """A file that an INF copies."""

    copy: Copy
    source: Source | None
    """Where it is said to be; None where no [SourceDisksFiles] names it."""
    architecture: str
    """The architecture that its place was looked up for."""
    only_on: str | None
    """The architecture that alone installs it; None where all releases do."""
    inbox: bool
    """Whether it may come with Windows: the INF has a LayoutFile or includes another INF."""


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
    """The installations of one INF: one for each architecture, and whether it is for that one alone."""

    def __init__(self, driver: DriverInf, architectures: tuple[str, ...]) -> None:
        self._driver = driver
        self._architectures = architectures
        self._installations: dict[tuple[str, str | None], Installation] = {}
        self._missing: dict[str, MissingInstall] = {}

    def run(self) -> Contents:
        """All of it."""
        for section in self._driver.models:
            self._models(section)
        for architecture in self._architectures:
            self._default_install(architecture)
            self._for_architecture("ClassInstall32", architecture)
            self._installation(architecture, None).interface_installers()
        items = dict.fromkeys(self._items())
        missing = [section for each in self._installations.values() for section in each.missing]
        found = {(section.name.lower(), section.line): section for section in missing}
        return Contents(tuple(items), tuple(found.values()), tuple(self._missing.values()))

    def _models(self, section: ModelsSection) -> None:
        """The DDInstall sections of the models, each once."""
        own = self._own_architectures(section)
        first: dict[str, Model] = {}
        for model in section.models or ():
            first.setdefault(model.install.lower(), model)
        for name, model in first.items():
            found = [self._for_architecture(name, architecture, own) for architecture in self._architectures]
            # A machine that nobody asked for may be the only one to find the section.
            elsewhere = (self._installation(architecture, None).decorated(name) for architecture in own)
            if not any(found) and not any(elsewhere):
                self._missing.setdefault(name, MissingInstall(model.install, model.line))

    def _default_install(self, architecture: str) -> None:
        """All [DefaultInstall] sections of the architecture, whatever release they are for; or one that names none."""
        decorated = [target for target in self._driver.default_installs if target.architecture == architecture]
        for target in decorated:
            section = self._driver.inf.section(f"{DEFAULT_INSTALL}.{target.text}")
            if section is not None:
                self._installation(architecture, architecture).read(section)
        if not decorated:
            self._for_architecture(DEFAULT_INSTALL, architecture)

    def _own_architectures(self, section: ModelsSection) -> tuple[str, ...]:
        """What machines the section is for. Without a decoration, x86, unless that is all that the INF has."""
        if section.target.architecture is not None:
            return (section.target.architecture,)
        decorated = any(other.target.architecture for other in self._driver.models)
        return ("x86",) if decorated or "x86" in self._architectures else self._architectures

    def _for_architecture(self, name: str, architecture: str, own: tuple[str, ...] | None = None) -> bool:
        """Read the section that a machine of this architecture would use. False where there is none."""
        section = self._installation(architecture, None).decorated(name)
        if section is None:
            return False
        if section.name.lower() == f"{name}.nt{architecture}".lower():
            self._installation(architecture, architecture).read(section)
            return True
        for each in (architecture,) if own is None else own:
            installation = self._installation(each, None)
            if installation.decorated(name) is section:
                installation.read(section)
        return True

    def _installation(self, architecture: str, only_on: str | None) -> Installation:
        key = (architecture, only_on)
        if key not in self._installations:
            self._installations[key] = Installation(self._driver.inf, architecture)
        return self._installations[key]

    def _items(self) -> Iterator[Item]:
        layout = self._driver.version.entry("LayoutFile") is not None
        for (architecture, only_on), installation in self._installations.items():
            inbox = layout or installation.includes
            for copy in installation.copies:
                source = self._driver.sources.find(copy.source, architecture)
                yield Item(copy, source, architecture, only_on, inbox)
