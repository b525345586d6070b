"""The file operations of used sections: what is copied where."""

from __future__ import annotations

from collections.abc import Iterator

from catalogs.inf.syntax import Entry, Inf
from catalogs.inf.uses import Role, Use, Uses
from signer.records import dataclass

DEFAULT = "DefaultDestDir"


@dataclass(frozen=True, slots=True)
class FileCopy:
    """One file that a used section copies."""

    target: str
    source: str
    line: int
    list_name: str
    """The file-list section; `CopyFiles` for a file that the directive names (@file)."""
    dirid: str
    """Dirid of the destination; empty if [DestinationDirs] gives none."""
    folder: str
    """Folder under the dirid, in lower case."""
    use: Use
    flags: str = ""

    @property
    def place(self) -> tuple[str, str, str]:
        """Destination: dirid, folder and name, in lower case."""
        return (self.dirid, self.folder, self.target.lower())


def destination(inf: Inf, name: str) -> tuple[str, str, Entry | None]:
    """Return dirid, folder and line that [DestinationDirs] gives a file list."""
    directories = inf.section("DestinationDirs")
    entry = directories and (directories.first(name) or directories.first(DEFAULT))
    return (entry.value(), entry.value(1).strip("\\").lower(), entry) if entry else ("", "", None)


def file_copies(inf: Inf, uses: Uses) -> Iterator[FileCopy]:
    """Yield every file that a used section copies."""
    for use in uses.of(Role.COPY_FILES):
        dirid, folder, _ = destination(inf, use.section.name)
        for entry in use.section.entries:
            fields = entry.texts
            target = fields[0]
            source = (fields[1] if len(fields) > 1 else "") or target
            flags = fields[3] if len(fields) > 3 else ""
            yield FileCopy(target, source, entry.line, use.section.name, dirid, folder, use, flags)
    dirid, folder, _ = destination(inf, DEFAULT)
    for use in uses.of(*_COPYING):
        for entry in use.section.all("CopyFiles"):
            for value in entry.values:
                if value[:1] == "@":
                    yield FileCopy(value[1:], value[1:], entry.line, "CopyFiles", dirid, folder, use)


_COPYING = (Role.INSTALL, Role.CO_INSTALLERS, Role.INTERFACE, Role.INTERFACES, Role.CLASS_INSTALL, Role.UNINSTALL)
