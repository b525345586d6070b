"""Rules about AddService and the sections that it names."""

from __future__ import annotations

from collections.abc import Iterator

from catalogs.inf.rules.directives import INBOX_BINARIES, SERVICE_FLAGS
from catalogs.inf.rules.finding import Finding, Subject, checks, found
from catalogs.inf.rules.numbers import dirid_of, flags, number
from catalogs.inf.syntax import Entry, Section
from catalogs.inf.uses import Role, Use

ASSOCIATED, UNIQUE = 0x2, 0x10000
MAX_NAME_LENGTH = 256
"""Maximum length of a service name (sdk-api, winsvc/nf-winsvc-createservicew.md)."""
_REQUIRED = ("ServiceType", "StartType", "ErrorControl", "ServiceBinary")
_VALUES = {
    "ServiceType": frozenset({0x1, 0x2, 0x8, 0x10, 0x20, 0x50, 0x60, 0x110, 0x120}),
    "StartType": frozenset(range(5)),
    "ErrorControl": frozenset(range(4)),
}
"""Numbers that a service section may have (inf-addservice-directive.md; sdk-api, winsvc: user services 0x50, 0x60)."""
_DRIVERS, _WIN32 = frozenset({0x1, 0x2, 0x8}), 0x30
_WIN32_ONLY = ("RequiredPrivileges", "ServiceSidType", "DelayedAutoStart", "AddTrigger", "FailureActions")
_DISABLED = 4
_LOGS = ("system", "application", "security")
_SAME = ("ServiceType", "StartType", "ErrorControl", "ServiceBinary", "LoadOrderGroup", "Dependencies", "StartName")


@checks("1021", "1022", "1211", "1250", "2006", "1383")
def added_services(subject: Subject) -> Iterator[Finding]:
    """Find AddService directives that contradict each other or are wrong by themselves."""
    unique: dict[str, bool] = {}
    for use in subject.of(Role.SERVICES):
        associated: str | None = None
        for entry in use.section.all("AddService"):
            name, bits = entry.value(), flags(entry.value(1)) or 0
            if not name:
                continue
            if bits & ASSOCIATED:
                if subject.is_extension:
                    yield found("1383", entry.line, "SPSVCINST_ASSOCSERVICE")
                if associated is not None and associated.lower() != name.lower():
                    yield found("1211", entry.line, use.section.name, associated, name)
                associated = associated or name
            if unique.setdefault(name.lower(), bool(bits & UNIQUE)) != bool(bits & UNIQUE):
                yield found("1022", entry.line, name)
            if bits & UNIQUE and len(name) > MAX_NAME_LENGTH:
                yield found("1021", entry.line, name[:40] + "…", str(MAX_NAME_LENGTH))
            if entry.value(4) and entry.value(4).lower() not in _LOGS:
                yield found("1250", entry.line, entry.value(4))
            named = entry.value(2)
            if named and subject.inf.section(named) is None and use.section.first("Include") is None:
                yield found("2006", entry.line, name, use.section.name, fix=f"Add [{named}], or correct its name.")


@checks("1083", "1260")
def flag_fields(subject: Subject) -> Iterator[Finding]:
    """Find flags that are not numbers, or that no page documents."""
    for role, directive, index, known in (
        (Role.SERVICES, "AddService", 1, SERVICE_FLAGS),
        (Role.FILTERS, "AddFilter", 1, 0),
        (Role.COMPONENTS, "AddComponent", 1, 0),
        (Role.SOFTWARE_LIST, "AddSoftware", 1, 1),
        (Role.COM, "AddComServer", 1, 0),
        (Role.INTERFACES, "AddInterface", 3, 0),
    ):
        for use in subject.of(role):
            for entry in use.section.all(directive):
                yield from _flags(entry, index, known, entry.value())


def _flags(entry: Entry, index: int, known: int, name: str) -> Iterator[Finding]:
    value = flags(entry.value(index))
    if value is None:
        yield found("1260", entry.line, entry.key or "", f"flags {entry.value(index)!r}")
    elif value & ~known:
        yield found("1083", entry.line, entry.key or "", f"flags 0x{value & ~known:X}", name)


@checks("1081", "1234", "1251", "1252")
def service_sections(subject: Subject) -> Iterator[Finding]:
    """Find service sections that lack a value, have an invalid one, or combine values that exclude each other."""
    for use in subject.of(Role.SERVICE):
        section, by = use.section, use.by
        if section.first("Include") is None and section.first("Needs") is None:
            for key in _REQUIRED:
                entry = section.first(key)
                if entry is None or not entry.value():
                    line = section.line if entry is None else entry.line
                    added = by.line if by is not None else section.line
                    fix = f"Set {key} in [{section.name}], which AddService in line {added} names."
                    yield found("1234", line, key, section.name, fix=fix)
        for key, known in _VALUES.items():
            entry = section.first(key)
            if entry is not None and entry.value() and number(entry.value()) not in known:
                yield found("1081", entry.line, key, "value", entry.value())
        if by is not None:
            yield from _combinations(section, by)


def _combinations(section: Section, by: Entry) -> Iterator[Finding]:
    kind, start = (_number(section, key) for key in ("ServiceType", "StartType"))
    name = by.value()
    entry = section.first("StartType")
    line = entry.line if entry is not None else section.line
    if start == _DISABLED and (flags(by.value(1)) or 0) & ASSOCIATED:
        yield found("1251", line, name)
    if kind is not None and start in (0, 1) and kind & _WIN32 and kind not in _DRIVERS:
        yield found("1252", line, name, "StartType", str(start), f"0x{kind:X}")
    if kind in _DRIVERS:
        for key in _WIN32_ONLY:
            for other in section.all(key):
                yield found("1252", other.line, name, key, other.value(), f"0x{kind:X}")


def _number(section: Section, key: str) -> int | None:
    entry = section.first(key)
    return number(entry.value()) if entry is not None else None


@checks("1254", "2084", "2085", "2650")
def service_binaries(subject: Subject) -> Iterator[Finding]:
    """Find service binaries that are not paths under a dirid, or not in the package."""
    copied = {copy.target.lower() for copy in subject.copies}
    for use in subject.of(Role.SERVICE):
        for entry in use.section.all("ServiceBinary"):
            path = entry.value()
            service = use.by.value() if use.by is not None else use.section.name
            if not path:
                continue
            if path.count('"') % 2 or path.strip('" ').endswith("\\"):
                yield found("1254", entry.line, service, path)
                continue
            if dirid_of(path) is None:
                yield found("2085", entry.line, path)
            file = _binary(path)
            if file in INBOX_BINARIES and dirid_of(path) != "13":
                yield found("2650", entry.line, path, INBOX_BINARIES[file], warning=True)
            elif file not in copied:
                yield found("2084", entry.line, path)


def _binary(path: str) -> str:
    """Return the lower-case name of the program in a command line such as `"%13%\\a b.exe" -k x`."""
    program = path[1:].partition('"')[0] if path[:1] == '"' else path.partition(" ")[0]
    return program.rpartition("\\")[2].lower()


@checks("1333")
def same_services(subject: Subject) -> Iterator[Finding]:
    """Find services that two sections of one machine configure differently."""
    first: dict[str, Use] = {}
    for use in subject.of(Role.SERVICE):
        name = use.by.value().lower() if use.by is not None else ""
        other = first.setdefault(name, use)
        if other is not use and subject.uses.together(other, use) and _settings(other) != _settings(use):
            yield found("1333", use.section.line, name, other.section.name, use.section.name)


def _settings(use: Use) -> list[str]:
    entries = (use.section.first(key) for key in _SAME)
    return [",".join(entry.values).lower() if entry is not None else "" for entry in entries]
