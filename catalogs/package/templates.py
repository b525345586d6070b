"""Stamp the templates (.inx) of a folder in memory: the INFs of a package whose signing writes them.

A template becomes an INF of the same name in the same folder, as in a WDK project. The template stays unchanged.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import field, replace
from pathlib import Path

from catalogs.inf.problems import PackageProblem
from catalogs.inf.stamp import ARCHITECTURE_VARIABLE, Stamp, StampedInf, stamp
from catalogs.package.folder import Folder
from catalogs.package.images import driver_architecture
from signer.errors import FileError
from signer.records import dataclass
from signer.storage.files import read

SUFFIX = ".inx"


@dataclass(frozen=True, slots=True)
class NewInf:
    """An INF that does not exist yet, or that replaces one."""

    path: Path
    """Where signing writes it."""
    template: Path
    stamped: StampedInf = field(repr=False)

    @property
    def data(self) -> bytes:
        """Its bytes."""
        return self.stamped.text.to_bytes()

    def located(self, problem: PackageProblem) -> PackageProblem:
        """Return a problem of the INF as one of the template, with the template's line."""
        origins, line = self.stamped.origins, problem.line
        known = line is not None and line <= len(origins)
        return replace(problem, path=self.template, line=origins[line - 1] if known and line else line)


@dataclass(frozen=True, slots=True)
class StampedTemplates:
    """The templates of a folder."""

    new: tuple[NewInf, ...] = ()
    unused: tuple[tuple[Path, Path], ...] = ()
    """The templates that are not stamped because their INF exists, each with this INF."""


def templates_in(folder: Path) -> Iterator[Path]:
    """Yield the templates in a folder and its subfolders. Raises FileError."""
    return (path for path in Folder(folder).files() if path.suffix.lower() == SUFFIX)


def stamp_templates(folder: Path, values: Stamp, *, again: bool = False) -> StampedTemplates:
    """Stamp the templates in a folder whose INF does not exist; with `again`, all of them.

    Without an architecture in `values`, $ARCH$ is that of the folder's drivers if all of them are for the same one.
    Raises InfError with the line of a template, FileError.
    """
    listed = Folder(folder)
    new: dict[str, NewInf] = {}
    unused: list[tuple[Path, Path]] = []
    for template in templates_in(folder):
        target = template.with_suffix(".inf")
        existing = listed.find(target.relative_to(folder).parts)
        if existing is not None and not again:
            unused.append((template, existing))
            continue
        made = _stamped(template, existing or target, values, folder)
        if new.setdefault(str(target).lower(), made) is not made:
            raise FileError(
                f"{made.template.name} and {new[str(target).lower()].template.name} are templates of the same INF",
                path=template.parent,
                hint="Rename one of them.",
            )
    return StampedTemplates(tuple(new.values()), tuple(unused))


def _stamped(template: Path, target: Path, values: Stamp, folder: Path) -> NewInf:
    data = read(template)
    if values.architecture is None and _has_architecture(data):
        values = replace(values, architecture=driver_architecture(folder))
    return NewInf(target, template, stamp(data, template, values))


def _has_architecture(data: bytes) -> bool:
    """Tell whether a template has $ARCH$, in any encoding of an INF."""
    return any(ARCHITECTURE_VARIABLE.encode(name) in data for name in ("ascii", "utf-16-le", "utf-16-be"))
