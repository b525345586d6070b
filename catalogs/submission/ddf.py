"""Read the directive files of makecab (.ddf): which files go into the cabinet, under which names.

What drvsign does with a directive or variable is one row of `DIRECTIVES` or `VARIABLES`: it is used, ignored because it
changes nothing in the portal's cabinet, or refused by name. Source: Microsoft MakeCAB User's Guide (1997), "Directive
File Format"; its tables are also in makecab's public copies. Paths are relative to the folder of the .ddf.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import field
from functools import cache
from pathlib import Path, PureWindowsPath

from signer.errors import FileError, MalformedInput, UsageError
from signer.limits import LIMITS, raising
from signer.records import dataclass
from signer.storage.files import hint_for

MAX_LINE = 4096
"""Maximum number of characters of a line, also after its variables were replaced."""

_NO_INF = "drvsign writes no INF for the cabinet"
_ONE_CABINET = "drvsign writes one cabinet"
_NO_DISKS = "drvsign writes no disks"
_MSZIP = "the portal requires MSZIP, and drvsign compresses with it"
_NOTHING_RESERVED = "a signature needs no reserved space"

DIRECTIVES = {
    "define": "",
    "delete": "",
    "dump": "drvsign prints no variables",
    "infbegin": _NO_INF,
    "infend": _NO_INF,
    "infwrite": _NO_INF,
    "infwritecabinet": _NO_INF,
    "infwritedisk": _NO_INF,
    "new": "",
    "option": "",
    "set": "",
}
"""The directives, each with the reason why it is ignored; empty for one that drvsign uses."""

VARIABLES = {
    "cabinet": "",
    "cabinetfilecountthreshold": _ONE_CABINET,
    "cabinetname#": "",
    "cabinetnametemplate": "",
    "checksumwidth": _NO_INF,
    "clustersize": _NO_DISKS,
    "compress": _MSZIP,
    "compressedfileextensionchar": "all files are in the cabinet",
    "compressionlevel": _MSZIP,
    "compressionmemory": _MSZIP,
    "compressiontype": _MSZIP,
    "destinationdir": "",
    "diskdirectory#": "",
    "diskdirectorytemplate": "",
    "disklabel#": _NO_DISKS,
    "disklabeltemplate": _NO_DISKS,
    "donotcopyfiles": "",
    "folderfilecountthreshold": "drvsign compresses the files of a folder together",
    "foldersizethreshold": "drvsign compresses the files of a folder together",
    "generateinf": "",
    "inf*": _NO_INF,
    "maxcabinetsize": _ONE_CABINET,
    "maxdiskfilecount": _ONE_CABINET,
    "maxdisksize#": _ONE_CABINET,
    "maxerrors": "the first error ends the call",
    "reservepercabinetsize": _NOTHING_RESERVED,
    "reserveperdatablocksize": _NOTHING_RESERVED,
    "reserveperfoldersize": _NOTHING_RESERVED,
    "rptfilename": "drvsign writes no report",
    "sourcedir": "",
    "uniquefiles": "two files of the same name are always an error",
}
"""The standard variables: `#` is a number or nothing, `*` any text. Empty for one that drvsign uses."""

_SWITCHES = ("cabinet", "compress", "donotcopyfiles", "generateinf", "uniquefiles")
_STARTED = ("folder", "cabinet", "disk")
_DEFAULTS = {"cabinet": "on", "cabinetnametemplate": "*.cab", "diskdirectorytemplate": "Disk*", "generateinf": "on"}
_VARIABLE = re.compile(r"%([^%]*)%")
_WORD = re.compile(r"""\s*(?:"([^"]*)"|'([^']*)'|([^\s"']+))""")
_COMMENT = re.compile(r"""^((?:[^;"']|"[^"]*"|'[^']*')*?);.*$""", re.DOTALL)
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True)
class DirectiveFile:
    """A file that a .ddf puts into the cabinet."""

    path: Path
    name: str
    """Its name in the cabinet: DestinationDir and the name; `\\` separates folders."""
    line: int


@dataclass(frozen=True, slots=True)
class Directives:
    """The content of a .ddf."""

    source: Path
    files: tuple[DirectiveFile, ...]
    cabinet: str
    """The path of the cabinet as makecab would write it: the disk directory and the name of the first cabinet."""
    ignored: tuple[str, ...] = ()
    """A sentence about each directive and variable that changes nothing."""

    @property
    def target(self) -> Path:
        """Path of the cabinet. Raises UsageError for a path on a Windows drive."""
        if PureWindowsPath(self.cabinet).drive:
            raise UsageError(
                f"the path of the cabinet is on a Windows drive: {self.cabinet}",
                path=self.source,
                hint="Give the path: --output driver.cab",
            )
        return self.source.parent / Path(*PureWindowsPath(self.cabinet).parts)


def parse(text: str, source: Path, defined: Mapping[str, str] | None = None) -> Directives:
    """Parse a .ddf; `defined` are the variables of the call, as makecab's /d.

    Raises MalformedInput and FileError with the line.
    """
    reader = _Reader(source, {name.lower(): value for name, value in (defined or {}).items()})
    lines = text.split("\n")
    if len(lines) > (limit := LIMITS["ddf-lines"]):
        message = f"the .ddf has more than {limit:,} lines"
        raise MalformedInput(message, path=source, line=limit + 1, hint=raising("ddf-lines"))
    for number, line in enumerate(lines, 1):
        reader.read(number, line.strip())
    return reader.result()


@dataclass(slots=True)
class _Reader:
    """State of the lines that were read."""

    source: Path
    variables: dict[str, str]
    explicit: bool = False
    in_inf: bool = False
    """Between .InfBegin and .InfEnd."""
    relational: bool = False
    """File lines were read with GenerateInf=OFF: with ON, lines refer to these files."""
    line: int = 0
    files: list[DirectiveFile] = field(default_factory=list)
    known: dict[str, Path] = field(default_factory=dict)
    """Files that lines named, by the path as written: a .ddf can name one in each line."""
    spellings: dict[Path, dict[str, str]] = field(default_factory=dict)
    """The names of the entries of folders by their lower-case form."""
    ignored: dict[str, None] = field(default_factory=dict)

    def read(self, number: int, raw: str) -> None:
        """Read one line."""
        self.line = number
        if len(raw) > MAX_LINE and not raw.startswith(";"):
            raise self._error(f"the line is longer than {MAX_LINE:,} characters", "Shorten it.")
        text = _COMMENT.sub(r"\1", raw).strip()
        if not text:
            return
        if self.in_inf and not text.lower().startswith(".infend"):
            return
        text = self._replaced(text)
        if text.startswith("."):
            self._directive(text[1:])
        else:
            self._file(text)

    def result(self) -> Directives:
        """Return what was read. Raises MalformedInput for a file without files or an open .InfBegin."""
        if self.in_inf:
            raise self._error(".InfBegin has no .InfEnd", "Add .InfEnd.")
        if not self.files:
            raise MalformedInput(
                "the .ddf names no files",
                path=self.source,
                hint="Add a line with the path of each file of the package.",
            )
        folder = self._value("diskdirectory1") or self._value("diskdirectorytemplate").replace("*", "1")
        name = self._value("cabinetname1") or self._value("cabinetnametemplate").replace("*", "1")
        whole = str(PureWindowsPath(folder or ".") / name)
        return Directives(self.source, tuple(self.files), whole, tuple(self.ignored))

    def _directive(self, text: str) -> None:
        name, _, rest = text.partition(" ") if " " in text else text.partition("\t")
        name, rest = name.lower(), rest.strip()
        if name not in DIRECTIVES:
            raise self._error(f"unknown directive .{name}", f"Use one of {', '.join(f'.{one}' for one in DIRECTIVES)}.")
        if DIRECTIVES[name]:
            self.ignored[f".{name}: {DIRECTIVES[name]}"] = None
            self.in_inf = name == "infbegin" or (self.in_inf and name != "infend")
            return
        actions: dict[str, Callable[[str], None]] = {
            "set": self._set,
            "define": self._define,
            "delete": self._delete,
            "new": self._new,
            "option": self._option,
        }
        actions[name](rest)

    def _set(self, text: str) -> None:
        name, value = self._assignment(text)
        kind = known_variable(name)
        if kind is None:
            if self.explicit and name not in self.variables:
                raise self._error(
                    f"the variable {name} is not defined", f"Add .Define {name}= before, as .Option Explicit requires."
                )
        elif VARIABLES[kind]:
            self.ignored[f"{name}: {VARIABLES[kind]}"] = None
        self._check(name, value)
        self.variables[name] = value

    def _define(self, text: str) -> None:
        name, value = self._assignment(text)
        if known_variable(name) is not None:
            raise self._error(f"{name} is a variable of makecab", f"Write .Set {name}={value}")
        self.variables.setdefault(name, value)  # one of the call stays

    def _delete(self, text: str) -> None:
        name = text.lower()
        if known_variable(name) is not None or name not in self.variables:
            raise self._error(f"there is no variable {text} to delete", "Remove the line.")
        del self.variables[name]

    def _new(self, text: str) -> None:
        what = text.lower()
        if what not in _STARTED:
            raise self._error(f".New {text} is not a directive", "Write .New Folder, .New Cabinet or .New Disk.")
        if what != "folder" and self.files:
            raise self._error(
                f".New {text} starts another cabinet, and a submission is one cabinet",
                "Write a .ddf for each cabinet.",
            )
        self.ignored[f".new {what}: {_ONE_CABINET}"] = None

    def _option(self, text: str) -> None:
        if text.lower() != "explicit":
            raise self._error(f".Option {text} is not a directive", "Write .Option Explicit.")
        self.explicit = True

    def _check(self, name: str, value: str) -> None:
        """Raise MalformedInput for a value with which makecab writes no cabinet."""
        switch = value.lower()
        if name in _SWITCHES and switch not in ("on", "off"):
            raise self._error(f"{name} is {value!r}, not ON or OFF", f"Write .Set {name}=ON or .Set {name}=OFF.")
        if (name, switch) == ("donotcopyfiles", "on"):
            raise self._error("with DoNotCopyFiles=ON, makecab writes no cabinet", "Remove the line.")
        if (name, switch) == ("generateinf", "off") and self.files and not self.relational:
            raise self._error("GenerateInf=OFF follows the first file", "Move the line before the first file.")

    def _file(self, text: str) -> None:
        if self.relational and not self._is_off("generateinf"):
            self.ignored["file references: " + _NO_INF] = None
            return
        self.relational = self._is_off("generateinf")
        if self._is_off("cabinet"):
            raise self._error(
                "with Cabinet=OFF, the file is not in the cabinet",
                "Write .Set Cabinet=ON before it, or remove the line.",
            )
        words = list(self._words(text))
        names = [word for word, quoted in words if quoted or not word.startswith("/")]
        if not names or len(names) > 2 or any(not name or name[-1] in "\\/" for name in names):
            raise self._error(
                f"not a file: {text}", 'Write SOURCE, or SOURCE and NAME, with quotes around spaces: "a b.sys"'
            )
        options = [word for word, quoted in words if not quoted and word.startswith("/")]
        for option in options:
            self.ignored[f"{option.partition('=')[0].lower()}: {_NO_INF}"] = None
        source = PureWindowsPath(self._value("sourcedir")) / names[0]
        name = names[1] if len(names) == 2 else PureWindowsPath(names[0]).name
        folder = self._value("destinationdir").strip("\\/")
        self.files.append(DirectiveFile(self._found(source), f"{folder}\\{name}".lstrip("\\"), self.line))

    def _found(self, path: PureWindowsPath) -> Path:
        """Return the existing file, found without regard to case. Raises FileError."""
        known = self.known.get(str(path))
        if known is None:
            known = self.known[str(path)] = self._existing(path)
        return known

    def _existing(self, path: PureWindowsPath) -> Path:
        relative = "Write the path relative to the folder of the .ddf."
        try:
            found = self._searched(path)
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            hint = hint_for(error) or relative
            raise FileError(f"{path}: {reason}", path=self.source, line=self.line, hint=hint) from error
        if not found.is_file():
            raise FileError(f"{path}: file not found", path=self.source, line=self.line, hint=relative)
        return found

    def _searched(self, path: PureWindowsPath) -> Path:
        """Return the path in the spelling of the disk. Raises OSError, and FileError for a path on a Windows drive."""
        own = Path(str(path))
        if own.is_absolute() and own.is_file():
            return own
        if path.drive and not own.is_absolute():
            raise FileError(
                f"{path} is on a Windows drive",
                path=self.source,
                line=self.line,
                hint="Write the path relative to the folder of the .ddf, or set SourceDir: --define SourceDir=FOLDER",
            )
        base = Path(path.root) if path.root else self.source.parent
        parts = _without_detours(path.parts[1 if path.anchor else 0 :])
        up = parts.count("..")
        found = base.joinpath(*parts[:up])
        for part in parts[up:]:
            found = self._child(found, part)
        return found

    def _child(self, folder: Path, part: str) -> Path:
        """Return the path of an entry of a folder, in the spelling of the disk."""
        exact = folder / part
        if exact.exists() or not folder.is_dir():
            return exact
        if folder not in self.spellings:
            names = sorted((one.name for one in folder.iterdir()), reverse=True)
            self.spellings[folder] = {name.lower(): name for name in names}
        return folder / self.spellings[folder].get(part.lower(), part)

    def _words(self, text: str) -> Iterator[tuple[str, bool]]:
        """Split a line into words, each with whether it is in quotes. Raises MalformedInput for an open quote."""
        place = 0
        while place < len(text):
            match = _WORD.match(text, place)
            if match is None:
                raise self._error("missing closing quote", "Add the closing quote.")
            quoted = next((group for group in match.groups()[:2] if group is not None), None)
            yield (quoted, True) if quoted is not None else (match[3], False)
            place = match.end()

    def _assignment(self, text: str) -> tuple[str, str]:
        name, equals, value = text.partition("=")
        name, value = name.strip(), value.strip()
        if not equals or not _NAME.fullmatch(name):
            raise self._error(f"not NAME=VALUE: {text!r}", "Write .Set NAME=VALUE.")
        if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
            value = value[1:-1]
        return name.lower(), value

    def _replaced(self, text: str) -> str:
        """Replace %variables%; %% is a percent sign. Raises MalformedInput for an unknown variable."""

        def value(match: re.Match[str]) -> str:
            name = match[1].strip().lower()
            if not name:
                return "%"
            if name not in self.variables and name not in _DEFAULTS:
                raise self._error(f"the variable {match[1]} is not defined", f"Add .Define {match[1]}=VALUE before.")
            return self._value(name)

        found = _VARIABLE.sub(value, text)
        if len(found) > MAX_LINE:
            raise self._error(f"the line is longer than {MAX_LINE:,} characters", "Shorten it.")
        return found

    def _value(self, name: str) -> str:
        return self.variables.get(name, _DEFAULTS.get(name, ""))

    def _is_off(self, name: str) -> bool:
        return self._value(name).lower() == "off"

    def _error(self, message: str, hint: str) -> MalformedInput:
        return MalformedInput(message, path=self.source, line=self.line, hint=hint)


def known_variable(name: str) -> str | None:
    """Return the row of VARIABLES for a variable, or None for one of the user."""
    if name in VARIABLES:
        return name
    return next((known for known, pattern in _patterns() if pattern.fullmatch(name)), None)


@cache
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """Return the rows of VARIABLES that match several names, each with its pattern."""
    families = [known for known in VARIABLES if known[-1] in "#*"]
    return tuple((known, re.compile(known[:-1] + {"#": "[0-9]*", "*": ".+"}[known[-1]])) for known in families)


def _without_detours(parts: Sequence[str]) -> list[str]:
    r"""Return parts without `X\..`, which Windows removes by name; the `..` that are left come first."""
    kept: list[str] = []
    for part in parts:
        if part == ".." and kept and kept[-1] != "..":
            kept.pop()
        else:
            kept.append(part)
    return kept
