"""Rules about AddReg, DelReg and BitReg."""

from __future__ import annotations

import re
from collections.abc import Iterator

from catalogs.inf.rules.exceptions import allows_key
from catalogs.inf.rules.finding import Finding, Subject, checks, found
from catalogs.inf.rules.numbers import number
from catalogs.inf.rules.registry_values import APPEND, BINARY, TYPE_DWORD, TYPE_MULTI_SZ, TYPE_QWORD, Value
from catalogs.inf.rules.rule import Mode
from catalogs.inf.uses import Role

ROOTS = ("HKCR", "HKCU", "HKLM", "HKU", "HKR")
_DELETE_STRING = 0x18002
_TYPE = 0xFFFF0001
_TEXT_TYPES = (0x0, 0x10000, 0x20000)
"""Types with the low bit unset: REG_SZ, REG_MULTI_SZ, REG_EXPAND_SZ (inf-addreg-directive.md)."""
_KNOWN_NUMBERS = (0x10000, 0x20000, 0x70000)
"""Registry types REG_SZ, REG_EXPAND_SZ and REG_MULTI_SZ as custom type numbers."""
_DOCUMENTED = (0x1, TYPE_DWORD, 0x20001, TYPE_QWORD)
_BYTE = re.compile(r"(?:0x)?[0-9a-f]{1,2}", re.IGNORECASE)
_FOLDERS = {"10": "%%SystemRoot%%", "11": r"%%SystemRoot%%\System32", "12": r"%%SystemRoot%%\System32\drivers"}
_DIRID = re.compile(r"%(1[012])%(\\?[^;,]*)")
_FILTERS = ("upperfilters", "lowerfilters")
_CLSID_SERVER = re.compile(
    r"(?:^|\\)clsid\\\{[^\\]*\}\\(localserver32|localserver|inprocserver|inprochandler32)$", re.I
)
_APO_KEY = re.compile(r"(?:^|\\)audioengine\\audioprocessingobjects(?:\\|$)", re.I)


@checks("1222", "1223", "1224", "1304", "1320", "1321", "1323", "2660")
def registry_roots(subject: Subject) -> Iterator[Finding]:
    """Find keys outside the driver's own registry."""
    for value in subject.added_values:
        line, key = value.entry.line, value.key.lower()
        if value.root not in ROOTS:
            yield found("1224", line, value.root)
            continue
        if value.root == "HKR":
            if value.use.parent is not None and value.use.parent.role is Role.SERVICE and not _in_parameters(key):
                yield found("1323", line, value.key or value.name)
            continue
        if value.root == "HKLM" and key.startswith("system") and not _is_under(key, r"system\currentcontrolset"):
            yield found("1222", line, "HKLM", value.key)
        elif value.root == "HKLM" and key and not key.startswith(("system", "software")):
            yield found("1223", line, "HKLM", value.key)
        if subject.mode is Mode.H and allows_key(value.root, value.key):
            continue
        if subject.mode in (Mode.K, Mode.U):
            yield found("1304", line, "AddReg", value.root, value.key, "")
            continue
        if value.root == "HKCR":
            yield found("2660", line, value.key)
        if value.writes_data:
            yield found("1321", line, value.root, value.key, value.name)
        else:
            yield found("1320", line, value.root, value.key)


def _is_under(key: str, parent: str) -> bool:
    return key == parent or key.startswith(parent + "\\")


def _in_parameters(key: str) -> bool:
    return _is_under(key, "parameters")


@checks("1260", "1263", "1264", "1265", "1267", "1268", "1305")
def value_types(subject: Subject) -> Iterator[Finding]:
    """Find flags and data that do not fit together."""
    for value in subject.added_values:
        line = value.entry.line
        if value.flags is None:
            yield found("1260", line, "AddReg", f"flags {value.entry.value(3)!r}")
            continue
        kind = value.flags & _TYPE
        if value.flags & APPEND:
            if kind == TYPE_MULTI_SZ:
                yield found("1305", line, "AddReg", value.path, value.name, "")
            else:
                yield found("1265", line, "AddReg")
        if not value.writes_data:
            continue
        if kind & BINARY and kind not in _DOCUMENTED and kind - BINARY in _KNOWN_NUMBERS:
            yield found("1263", line, "AddReg")
        elif not kind & BINARY and kind not in _TEXT_TYPES:
            yield found("1264", line, "AddReg")
        yield from _data(value, kind)


def _data(value: Value, kind: int) -> Iterator[Finding]:
    """Find numbers that are not valid. A number may also be given as its bytes."""
    data = [text for text in value.data if text]
    size = {TYPE_DWORD: 32, TYPE_QWORD: 64}.get(kind)
    if size is not None and len(data) == 1:
        parsed = number(data[0].removeprefix("-"))
        if parsed is None or parsed >= 1 << size:
            yield found("1268", value.entry.line, "AddReg", str(size))
    elif kind & BINARY and not all(_BYTE.fullmatch(text) for text in data):
        yield found("1267", value.entry.line, "AddReg")


@checks("1257", "1258")
def stored_paths(subject: Subject) -> Iterator[Finding]:
    """Find dirids of the Windows folder in values: they are resolved when the INF is read, not when the driver runs."""
    for value in subject.added_values:
        for text in value.data:
            match = _DIRID.search(text) if "%1" in text else None
            if match is None:
                continue
            dirid, rest = match.groups()
            if dirid == "10" and not rest.strip("\\"):
                yield found("1257", value.entry.line, _FOLDERS[dirid])
            else:
                yield found("1258", value.entry.line, match.group(), "AddReg", _FOLDERS[dirid])


@checks("1226")
def secured_values(subject: Subject) -> Iterator[Finding]:
    """Find security descriptors on values directly under HKR."""
    for value in subject.added_values:
        secured = f"{value.use.section.name}.security".lower() in subject.inf.sections
        if secured and value.root == "HKR" and not value.key and value.name:
            yield found("1226", value.entry.line, value.name, "HKR")


@checks("1266", "1305")
def deletions(subject: Subject) -> Iterator[Finding]:
    """Find deletions of a string of REG_MULTI_SZ values."""
    for value in subject.deleted_values:
        if value.flags is not None and value.flags & _DELETE_STRING == _DELETE_STRING:
            yield found("1305", value.entry.line, "DelReg", value.path, value.name, "")
            if not any(value.data):
                yield found("1266", value.entry.line, "DelReg")


@checks("1262")
def bit_masks(subject: Subject) -> Iterator[Finding]:
    """Find BitReg masks of more than a byte: `reg-root,subkey,name,flags,byte-mask,byte-to-modify`."""
    for use in subject.of(Role.BIT_REG):
        for entry in use.section.entries:
            mask = number(entry.value(4))
            if mask is not None and mask > 0xFF:
                yield found("1262", entry.line, "BitReg", f"{mask:X}'")


@checks("1303", "1329", "1384")
def installers_and_filters(subject: Subject) -> Iterator[Finding]:
    """Find co-installers, class installers and filters in the registry."""
    for value in subject.added_values:
        name, line = value.name.lower(), value.entry.line
        if name in ("coinstallers32", "installer32"):
            kind = "co-installer" if name[0] == "c" else "class installer"
            yield found("1303", line, "AddReg", kind, ",".join(value.data), "")
        if name in _FILTERS and not value.key:
            yield found("1329", line)
            if subject.is_extension:
                yield found("1384", line)


@checks("1325", "2661")
def com_and_audio(subject: Subject) -> Iterator[Finding]:
    """Find COM servers that are not in-process, and audio processing objects of another class."""
    for value in subject.added_values:
        match = _CLSID_SERVER.search(value.key)
        if match is not None:
            yield found("1325", value.entry.line, match.group(1))
        if _APO_KEY.search(value.key) and subject.device_class != "audioprocessingobject":
            yield found("2661", value.entry.line, value.key)


@checks("1331", "1332")
def conflicts(subject: Subject) -> Iterator[Finding]:
    """Find values that two sections of one machine set differently."""
    first: dict[tuple[str, str, str, str], Value] = {}
    for value in subject.added_values:
        parent = value.use.parent
        service = parent.by.value() if parent is not None and parent.role is Role.SERVICE and parent.by else ""
        if (
            not value.writes_data
            or value.flags is None
            or value.flags & APPEND
            or (value.root == "HKR" and not service)
        ):
            continue
        place = (service.lower(), value.root, value.key.lower(), value.name.lower())
        other = first.setdefault(place, value)
        if other.use is value.use or (other.flags, other.data) == (value.flags, value.data):
            continue
        if subject.uses.together(other.use, value.use):
            names = (value.root, value.key, value.name, other.use.section.name, value.use.section.name)
            if value.root == "HKR":
                yield found("1332", value.entry.line, *names, service)
            else:
                yield found("1331", value.entry.line, *names)
