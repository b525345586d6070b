"""Build catalogs from MakeCat's catalog definition files (.cdf).

Source: "MakeCat" (Win32 documentation, SecCrypto), and MakeCat's output for two files.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import field, replace
from pathlib import Path, PureWindowsPath

from catalogs.build import CatalogOptions, assemble, hash_path
from catalogs.catalog.file import Catalog
from catalogs.catalog.members import HashedFile, content_algorithm, subjects, text_tag
from catalogs.catalog.trust_list import NameValue
from catalogs.package.folder import Folder, OutsideFolder
from signer.algorithms import DigestAlgorithm
from signer.errors import CatalogError, FileError, MalformedInput
from signer.limits import LIMITS, raising
from signer.numbers import decimal
from signer.records import dataclass
from signer.storage.files import convert_os_errors

_HASH = "<hash>"
_NAME_VALUE, _OID = 0x1, 0x2
_BASE64 = 0x00020000
_NOT_ON_SHA1 = 0x01000000
_DIGESTS = {1: ("", "sha1"), 2: ("sha256",)}
_FILE_HINT = "Write the path relative to the folder of the .cdf."
_TRUE = {"true": True, "1": True, "false": False, "0": False, "": False}


@dataclass(frozen=True, slots=True)
class CdfMember:
    """A file in [CatalogFiles]."""

    tag: str
    name: str
    """Its path as written."""
    folder: Path
    """The folder of the .cdf."""
    line: int
    attributes: tuple[NameValue, ...] = ()

    @property
    def path(self) -> Path:
        """Its path, relative to the folder of the .cdf. It is not kept: paths take more memory than the text."""
        return self.folder / _portable(self.name)

    @property
    def by_hash(self) -> bool:
        """True if the tag starts with <HASH>: the member's tag is its digest."""
        return self.tag.lower().startswith(_HASH)


@dataclass(frozen=True, slots=True)
class CatalogDefinition:
    """A .cdf file."""

    source: Path
    name: str
    result_dir: str
    version: int
    page_hashes: bool
    attributes: tuple[NameValue, ...]
    members: tuple[CdfMember, ...]

    @property
    def target(self) -> Path:
        """Path of the catalog: ResultDir and Name, relative to the folder of the .cdf.

        Raises CatalogError for a path with a Windows drive.
        """
        for path in (self.result_dir, self.name):
            if PureWindowsPath(path).drive:
                raise CatalogError(
                    f"the output path {path} is on a Windows drive, which does not exist here",
                    path=self.source,
                    hint="Give the output path with --output.",
                )
        return self.source.parent / _portable(self.result_dir) / _portable(self.name)


@dataclass(slots=True)
class _Lines:
    """Keys and values of both sections, with their line numbers."""

    header: dict[str, tuple[str, int]] = field(default_factory=dict)
    files: list[tuple[str, str, int]] = field(default_factory=list)


def parse(text: str, source: Path, version: int | None = None) -> CatalogDefinition:
    """Parse the text of a .cdf file; paths are relative to its folder. Raises CatalogError with the line number.

    `version` overrides the file's CatalogVersion and HashAlgorithms.
    """
    lines = _sections(text, source)
    version = version or _version(lines, source)
    name, _ = lines.header.get("name", ("", 0))
    if not name:
        raise CatalogError("[CatalogHeader] has no Name", path=source, hint="Add a line such as Name=driver.cat.")
    return CatalogDefinition(
        source=source,
        name=name,
        result_dir=lines.header.get("resultdir", (".", 0))[0],
        version=version,
        page_hashes=_boolean(lines, "pagehashes", source),
        attributes=tuple(_attribute(*item, source) for item in _numbered(lines.header, "catattr")),
        members=tuple(_members(lines, version, source)),
    )


def build(definition: CatalogDefinition, options: CatalogOptions) -> Catalog:
    """Build the unsigned catalog that a .cdf file defines. Raises FileError and MalformedInput with the line."""
    entries, folder, files = [], Folder(definition.source.parent), _HashedFiles()
    has_pages = definition.page_hashes or options.page_hashes
    paged = content_algorithm(definition.version) if has_pages else None
    for member in definition.members:
        try:
            hashed = files.hash(_found(member.path, folder), paged)
        except FileError as error:
            message = f"{member.path}: {error.message}"
            raise FileError(message, path=definition.source, line=member.line, hint=_FILE_HINT) from error
        tag = None if member.by_hash else text_tag(member.tag)
        both = subjects(hashed, member.attributes, definition.version, tag=tag)
        kept = [value for value in member.attributes if not value.flags & _NOT_ON_SHA1]
        if definition.version == 2 and len(kept) < len(member.attributes):
            both = [subjects(hashed, kept, 2)[0], both[1]]
        entries += both
    options = replace(options, version=definition.version)
    return assemble(entries, definition.attributes, options, definition.name)


class _HashedFiles:
    """Hashes each file once: a .cdf can name a large file in each of its lines."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, int] | Path, HashedFile] = {}

    def hash(self, path: Path, page_hashes: DigestAlgorithm | None) -> HashedFile:
        """Hash a file. Raises FileError and MalformedInput."""
        with convert_os_errors(path, "read the file"):
            status = path.stat()
        # 0 identifies no file: some network folders of Windows have no numbers.
        key = (status.st_dev, status.st_ino) if status.st_ino else path
        if key not in self._known:
            self._known[key] = hash_path(path, page_hashes=page_hashes)
        return self._known[key]


def _found(path: Path, folder: Folder) -> Path:
    """Find a file ignoring case, like Windows."""
    if path.is_file() or not path.is_relative_to(folder.root):
        return path
    try:
        return folder.find(path.relative_to(folder.root).parts) or path
    except OutsideFolder:
        return path


def _sections(text: str, source: Path) -> _Lines:
    found, section = _Lines(), ""
    for number, raw in enumerate(text.splitlines(), 1):
        if len(found.header) + len(found.files) > (limit := LIMITS["cdf-lines"]):
            message = f"the .cdf has more than {limit:,} lines of definitions"
            raise CatalogError(message, path=source, line=number, hint=raising("cdf-lines"))
        line = raw.strip()
        if not line or line.startswith(";"):
            continue
        if line.startswith("["):
            section = line.strip("[] \t").lower()
            continue
        if section not in ("catalogheader", "catalogfiles"):
            continue  # MakeCat ignores other sections
        key, equals, value = line.partition("=")
        if not equals:
            message = f"neither a section header nor KEY=VALUE: {line!r}"
            raise CatalogError(
                message,
                path=source,
                line=number,
                hint="Write [SECTION] or KEY=VALUE, or start a comment with a semicolon.",
            )
        if section == "catalogheader":
            found.header[key.strip().lower()] = (value.strip(), number)
        else:
            found.files.append((key.strip(), value.strip(), number))
    return found


def _version(lines: _Lines, source: Path) -> int:
    """Return CatalogVersion, which must match HashAlgorithms; MakeCat rejects other combinations."""
    text, line = lines.header.get("catalogversion", ("", 0))
    if text not in ("", "1", "2"):
        message = f"CatalogVersion is {text!r}, not 1 or 2"
        raise CatalogError(
            message, path=source, line=line, hint="Write CatalogVersion=1 (SHA1) or CatalogVersion=2 (SHA256)."
        )
    version = int(text or "1")
    digest, line = lines.header.get("hashalgorithms", ("" if version == 1 else "SHA256", line))
    if digest.lower() not in _DIGESTS[version]:
        expected = _DIGESTS[version][-1].upper()
        message = f"HashAlgorithms is {digest!r}, but CatalogVersion {version} requires {expected}"
        raise CatalogError(
            message, path=source, line=line, hint=f"Write HashAlgorithms={expected}, or remove the line."
        )
    return version


def _boolean(lines: _Lines, key: str, source: Path) -> bool:
    text, line = lines.header.get(key, ("", 0))
    if text.lower() not in _TRUE:
        message = f"{key} is {text!r}, not true or false"
        raise CatalogError(message, path=source, line=line, hint="Write true or false.")
    return _TRUE[text.lower()]


def _members(lines: _Lines, version: int, source: Path) -> Iterator[CdfMember]:
    """Yield the files, each with the attributes whose keys start with its tag."""
    tags = {key.lower(): key for key, _, _ in lines.files}
    attributes: dict[str, list[tuple[str, int]]] = {}
    files = []
    for key, value, line in lines.files:
        owner, _, number = key.lower().rpartition("attr")
        if owner in tags and decimal(number) is not None:
            attributes.setdefault(owner, []).append((value, line))
        elif key.lower().endswith("altsipid") and key.lower().removesuffix("altsipid") in tags:
            message = "ALTSIPID is not supported: it names a hash provider (SIP) of Windows"
            raise CatalogError(
                message, path=source, line=line, hint="Remove it: the file is hashed according to its format."
            )
        else:
            files.append((key, value, line))
    first: dict[str, int] = {}
    folder = source.parent
    for key, value, line in files:
        if (earlier := first.setdefault(key.lower(), line)) != line:
            hint = "Give each file a different tag."
            raise CatalogError(f"the tag {key!r} is already used in line {earlier}", path=source, line=line, hint=hint)
        if version == 2 and not key.lower().startswith(_HASH):
            hint = f"Write <HASH>{key}=PATH: in a version 2 catalog, tags are digests."
            raise CatalogError(f"the tag {key!r} does not start with <HASH>", path=source, line=line, hint=hint)
        own = tuple(_attribute(*item, source) for item in attributes.get(key.lower(), ()))
        yield CdfMember(key, value, folder, line, own)


def _attribute(text: str, line: int, source: Path) -> NameValue:
    """Parse `type:name:value`, such as 0x10010001:OSAttr:2:10.0."""
    kind, _, rest = text.partition(":")
    name, colon, value = rest.partition(":")
    try:
        flags = int(kind, 16)
    except ValueError:
        flags = 0
    if not colon or not flags & (_NAME_VALUE | _OID):
        raise CatalogError(
            f"not an attribute: {text!r}",
            path=source,
            line=line,
            hint="Write TYPE:NAME:VALUE, such as 0x10010001:OSAttr:2:10.0.",
        )
    if flags & _OID:
        message = "attributes identified by an OID are not supported"
        raise CatalogError(message, path=source, line=line, hint="Use a text name: 0x10010001:NAME:VALUE.")
    if flags & _BASE64:
        try:
            value = base64.b64decode(value, validate=True).decode("utf-16-le")
        except ValueError as error:  # not ASCII, not Base64 or not UTF-16
            message = "the attribute's value is not Base64-encoded UTF-16-LE text"
            raise MalformedInput(
                message, path=source, line=line, hint="Encode the text as UTF-16-LE, then as Base64."
            ) from error
    return NameValue(name, flags, value)


def _numbered(header: dict[str, tuple[str, int]], prefix: str) -> list[tuple[str, int]]:
    """Return the values of prefix1, prefix2, … in numeric order."""
    named = ((decimal(key[len(prefix) :]), value) for key, value in header.items() if key.startswith(prefix))
    numbered = [(number, value) for number, value in named if number is not None]
    return [value for _, value in sorted(numbered, key=lambda pair: pair[0])]


def _portable(path: str) -> Path:
    """Convert a Windows path to a path of this system."""
    windows = PureWindowsPath(path)
    return Path(path) if not windows.drive and "\\" not in path else Path(*windows.parts)
