"""Rules about interfaces, filters, components, software, event providers, COM servers and WMI classes."""

from __future__ import annotations

import re
from collections.abc import Iterator

from catalogs.inf.rules.directives import PROPERTY_NAMES
from catalogs.inf.rules.finding import Finding, Subject, checks, found
from catalogs.inf.rules.numbers import dirid_of, flags, number
from catalogs.inf.rules.version_section import is_guid
from catalogs.inf.syntax import Section
from catalogs.inf.uses import Role, Use

_REQUIRED = {
    Role.EVENT_PROVIDER: ("AddEventProvider", ("ProviderName", "ResourceFile")),
    Role.COM_SERVER: ("AddComServer", ("ServerType", "ServerBinary", "AddComClass")),
    Role.COMPONENT: ("AddComponent", ("ComponentIDs",)),
    Role.SOFTWARE: ("AddSoftware", ("SoftwareType",)),
    Role.TRIGGER: ("AddTrigger", ("TriggerType", "Action", "SubType")),
    Role.FAILURE_ACTIONS: ("FailureActions", ("Action",)),
}
"""Keys that a section must have (windows-driver-docs, install/, the page of each directive)."""
_NUMBERS = {
    Role.CHANNEL: (
        "AddChannel",
        {"Isolation": {1, 2, 3}, "Enabled": {0, 1}, "LoggingRetention": {1, 2}, "LoggingAutoBackup": {0, 1}},
    ),
    Role.COM_SERVER: ("AddComServer", {"ServerType": {1}}),
    Role.SOFTWARE: ("AddSoftware", {"SoftwareType": {1, 2}}),
    Role.TRIGGER: ("AddTrigger", {"TriggerType": {1}, "Action": {1, 2}}),
}
"""Numbers that keys of a section may have."""
_GUIDS = (
    (Role.INTERFACES, "AddInterface", "interface class"),
    (Role.EVENTS, "AddEventProvider", "provider"),
    (Role.COM_SERVER, "AddComClass", "class"),
    (Role.WMI_LIST, "WMIInterface", "WMI class"),
    (Role.TRIGGER, "SubType", "trigger subtype"),
)
_PATHS = {
    Role.EVENT_PROVIDER: ("AddEventProvider", ("ResourceFile", "MessageFile", "ParameterFile")),
    Role.COM_SERVER: ("AddComServer", ("ServerBinary", "ServerBinaryWow64")),
}
_ADMIN, _OPERATIONAL = 1, 2
_CHANNEL_TYPES = range(1, 5)
_SEQUENTIAL = 2
_THREADING = ("apartment", "free", "both", "neutral")
_SOFTWARE_KEYS = {1: ("SoftwareBinary", "SoftwareVersion"), 2: ("SoftwareID",)}
"""Keys that a type of software requires (inf-addsoftware-directive.md)."""
_ABSOLUTE = re.compile(r'"?(?:[a-z]:|\\|%)', re.IGNORECASE)


def _text(section: Section, key: str) -> str:
    entry = section.first(key)
    return entry.value() if entry is not None else ""


@checks("1013", "1014", "1006")
def required_keys(subject: Subject) -> Iterator[Finding]:
    """Find sections without a required key, or with a number that is not allowed."""
    for role, (directive, keys) in _REQUIRED.items():
        for use in subject.of(role):
            for key in keys:
                entry = use.section.first(key)
                if entry is None:
                    yield found("1013", use.section.line, directive, key, use.section.name)
                elif not entry.value():
                    yield found("1006", entry.line, key)
    for role, (directive, known) in _NUMBERS.items():
        for use in subject.of(role):
            for key, allowed in known.items():
                for entry in use.section.all(key):
                    if entry.value() and number(entry.value()) not in allowed:
                        yield found("1014", entry.line, directive, key, use.section.name)


@checks("1019")
def guids(subject: Subject) -> Iterator[Finding]:
    """Find invalid GUIDs."""
    for role, directive, kind in _GUIDS:
        for use in subject.of(role):
            for entry in use.section.all(directive):
                if entry.value() and not is_guid(entry.value()):
                    yield found("1019", entry.line, directive, kind, entry.value())


@checks("1015", "1326")
def paths(subject: Subject) -> Iterator[Finding]:
    """Find paths of binaries that are not under a dirid, and log files outside %DriverData%."""
    for role, (directive, keys) in _PATHS.items():
        for use in subject.of(role):
            for entry in use.entries(*map(str.lower, keys)):
                if entry.value() and dirid_of(entry.value()) is None:
                    yield found("1015", entry.line, directive, entry.value(), use.section.name)
    for use in subject.of(Role.AUTO_LOGGER):
        for entry in use.section.all("FileName"):
            if not entry.value().lower().startswith("%driverdata%\\"):
                yield found("1326", entry.line, entry.value(), "%DriverData%")


@checks("1087", "1006", "1081", "1082")
def filters(subject: Subject) -> Iterator[Finding]:
    """Find filter sections with both a level and a position, or with neither."""
    for use in subject.of(Role.FILTER):
        level, position = use.section.first("FilterLevel"), use.section.first("FilterPosition")
        if level is not None and position is not None:
            yield found("1087", position.line, "FilterLevel", "FilterPosition", "FilterPosition")
        if level is None and position is None:
            yield found("1082", use.by.line if use.by is not None else None, "AddFilter", "filter section")
        if level is not None and not level.value():
            yield found("1006", level.line, "FilterLevel")
        if position is not None and position.value().lower() not in ("upper", "lower"):
            yield found("1081", position.line, "FilterPosition", "position", position.value())


@checks("1141", "1142", "1144")
def software(subject: Subject) -> Iterator[Finding]:
    """Find software sections without what their type requires."""
    for use in subject.of(Role.SOFTWARE):
        kind = number(_text(use.section, "SoftwareType"))
        for key in _SOFTWARE_KEYS.get(kind or 0, ()):
            if not _text(use.section, key):
                yield found("1142", use.section.line, use.section.name, str(kind), key)
        if kind == 1:
            entry = use.section.first("SoftwareType")
            yield found("1144", entry.line if entry is not None else None, "1")
        for entry in use.section.all("SoftwareBinary"):
            if _ABSOLUTE.match(entry.value()) and dirid_of(entry.value()) != "13":
                yield found("1141", entry.line, entry.value())


@checks("1150")
def component_ids(subject: Subject) -> Iterator[Finding]:
    """Find component IDs with characters that hardware IDs can't have."""
    for use in subject.of(Role.COMPONENT):
        for entry in use.section.all("ComponentIDs"):
            if any("\\" in value or "," in value for value in entry.values):
                yield found("1150", entry.line, "ComponentIDs", use.section.name)


@checks("1160")
def threading_models(subject: Subject) -> Iterator[Finding]:
    """Find unknown threading models."""
    for use in subject.of(Role.COM_CLASS):
        for entry in use.section.all("ThreadingModel"):
            if entry.value().lower() not in _THREADING:
                yield found("1160", entry.line, entry.value(), use.by.value() if use.by is not None else "")


@checks("1180", "1181", "1182", "1081")
def channels(subject: Subject) -> Iterator[Finding]:
    """Find event channels with values that exclude each other."""
    for provider in subject.of(Role.EVENT_PROVIDER):
        seen: set[int] = set()
        for entry in provider.section.all("AddChannel"):
            kind = number(entry.value(1))
            if entry.value(1) and kind not in _CHANNEL_TYPES:
                yield found("1081", entry.line, "AddChannel", "channel type", entry.value(1))
            section = subject.inf.section(entry.value(2))
            if section is None:
                continue
            value = number(_text(section, "Value"))
            if value is not None and value in seen:
                yield found("1180", section.line, section.name, str(value), provider.section.name)
            seen |= {value} if value is not None else set()
            yield from _logging(section, kind)


def _logging(section: Section, kind: int | None) -> Iterator[Finding]:
    """Find LoggingAutoBackup on a channel that does not back up its log."""
    entry = section.first("LoggingAutoBackup")
    if entry is None or number(entry.value()) != 1:
        return
    if kind not in (_ADMIN, _OPERATIONAL):
        yield found("1181", entry.line, "LoggingAutoBackup", "1", section.name, "channel type", str(kind))
    if number(_text(section, "LoggingRetention")) != _SEQUENTIAL:
        pair = ("LoggingRetention", str(_SEQUENTIAL), "LoggingAutoBackup", "1")
        yield found("1182", entry.line, "LoggingAutoBackup", "LoggingRetention", section.name, *pair)


@checks("1078")
def properties(subject: Subject) -> Iterator[Finding]:
    """Find properties with neither a documented name nor a GUID: a warning, because Windows knows more names."""
    for use in subject.of(Role.PROPERTY):
        for entry in use.section.entries:
            name = entry.texts[0]
            if name and not is_guid(name) and name.lower() not in PROPERTY_NAMES:
                yield found("1078", entry.line, "property", name, "AddProperty", warning=True)


@checks("1245")
def feature_scores(subject: Subject) -> Iterator[Finding]:
    """Find feature scores that are not one byte. The number is hexadecimal, with or without 0x."""
    for use in subject.of(Role.INSTALL):
        for entry in use.section.all("FeatureScore"):
            if not re.fullmatch(r"(?:0x)?[0-9a-f]{1,2}", entry.value(), re.IGNORECASE):
                yield found("1245", entry.line, entry.value())


@checks("1256")
def wmi_flags(subject: Subject) -> Iterator[Finding]:
    """Find flags of WMIInterface other than SCWMI_CLOBBER_SECURITY."""
    for use in subject.of(Role.WMI_LIST):
        for entry in use.section.all("WMIInterface"):
            if len(entry.values) > 2 and flags(entry.value(1)) not in (0, 1):
                yield found("1256", entry.line, entry.value(1))


@checks("1082")
def included_names(subject: Subject) -> Iterator[Finding]:
    """Find Include directives that name no INF."""
    for use in subject.directive_uses:
        for entry in use.section.all("Include"):
            if any(value and not value.lower().endswith(".inf") for value in entry.values):
                yield found("1082", entry.line, "Include", "file name")


def uses_microsoft_apo(use: Use, clsids: frozenset[str]) -> bool:
    """Tell whether an add-registry section names one of these classes."""
    return any(value.lower() in clsids for entry in use.section.entries for value in entry.values[4:])
