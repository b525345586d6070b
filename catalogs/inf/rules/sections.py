"""Rules about references between sections: missing, repeated, unused and mixed ones, and directives without values."""

from __future__ import annotations

from collections.abc import Iterator

from catalogs.inf.references import references
from catalogs.inf.rules.directives import MAX_VALUES, REQUIRED_NAME, REQUIRED_SECTION, SECTIONS_OF, SPECIAL_SECTIONS
from catalogs.inf.rules.finding import Finding, Subject, checks, found
from catalogs.inf.rules.numbers import flags
from catalogs.inf.syntax import Entry
from catalogs.inf.uses import LISTS, Role, Use

_ASSOCIATED = 2
_FILE_LISTS = frozenset({"copyfiles", "delfiles", "renfiles"})
_REGISTRY_LISTS = frozenset({"addreg", "delreg"})
_PROPERTY_LISTS = frozenset({"addproperty", "delproperty"})
_UNIQUE = ("AddComponent", "AddSoftware", "AddComServer", "AddFilter", "AddEventProvider")


def _directives(subject: Subject) -> Iterator[tuple[Use, Entry, str]]:
    """Yield every directive of a used section, with its name in lower case."""
    for use in subject.directive_uses:
        for entry in use.section.entries:
            if entry.key is not None:
                yield use, entry, entry.key.lower()


@checks("1005", "1080", "1085", "1201", "1290", "2402")
def directives(subject: Subject) -> Iterator[Finding]:
    """Find directives without a required value, with too many values, and in a section that does not allow them."""
    for use, entry, key in _directives(subject):
        name = entry.key or ""
        allowed = SECTIONS_OF.get(key)
        if allowed is not None and use.role not in allowed:
            yield found("1290", entry.line, name, use.section.name)
            continue
        if use.role is Role.NET_DRIVERS and key not in ("addnetfilter", "addnetprotocol", "include", "needs"):
            yield found("2402", entry.line, use.section.name, name)
        if key in REQUIRED_NAME and not entry.value():
            yield found("1080", entry.line, name, REQUIRED_NAME[key])
        elif _lacks_section(key, entry):
            yield found("1005", entry.line, name)
        elif key in ("kmdfservice", "umdfservice", "wmiinterface", "addchannel") and _is_incomplete(key, entry):
            yield found("1085", entry.line, name)
        limit = MAX_VALUES.get(key)
        if limit is not None and len(entry.values) > limit and entry.value(limit):
            yield found("1201", entry.line, name, entry.value(limit))


def _lacks_section(key: str, entry: Entry) -> bool:
    if key in LISTS:
        return not any(entry.values)
    if key == "addservice":
        return bool(entry.value()) and not entry.value(2)
    return key in REQUIRED_SECTION and not entry.value(REQUIRED_SECTION[key])


def _is_incomplete(key: str, entry: Entry) -> bool:
    return not entry.value(2 if key == "wmiinterface" else 1) and (key != "wmiinterface" or not entry.value(1))


@checks("1086")
def duplicates(subject: Subject) -> Iterator[Finding]:
    """Find names that one section adds twice."""
    for use in subject.of(Role.COMPONENTS, Role.SOFTWARE_LIST, Role.COM, Role.FILTERS, Role.EVENTS):
        for directive in _UNIQUE:
            seen: set[str] = set()
            for entry in use.section.all(directive):
                name = entry.value().lower()
                if name and name in seen:
                    yield found("1086", entry.line, directive, entry.value())
                seen.add(name)


@checks("1203", "1205", "1206", "1220")
def named_sections(subject: Subject) -> Iterator[Finding]:
    """Find references to missing sections, and sections that two kinds of directives reference."""
    directives: dict[str, str] = {}
    reported: set[str] = set()
    for reference in references(subject.inf, subject.list_sections):
        section = subject.inf.section(reference.section)
        name, directive = reference.section.lower(), reference.directive
        if section is not None:
            first = directives.setdefault(name, directive)
            if first.lower() != directive.lower() and name not in reported:
                reported.add(name)
                yield _mixed(section.name, section.line, reference.line, first, directive)
        elif not reference.includes:
            fix = "Add the section, or correct its name."
            if directive.lower() in _FILE_LISTS:
                fix = f"Add the section. To name a single file, write {directive} = @{reference.section}."
            yield found("1203", reference.line, reference.section, fix=fix)
        elif directive.lower() != "needs":
            yield found("1220", reference.line, reference.section)
    for models in subject.driver.models:
        if models.models is None and models.target.text:
            yield found("1203", models.line, models.name, fix=f"Add [{models.name}]; it may be empty.")


def _mixed(name: str, line: int, at: int, first: str, second: str) -> Finding:
    pair = {first.lower(), second.lower()}
    if any(pair <= kind for kind in (_FILE_LISTS, _REGISTRY_LISTS, _PROPERTY_LISTS)) or "needs" in pair:
        return found("1205", line, name, second, first)
    return found("1206", at, first, name, second)


@checks("1209")
def repeated(subject: Subject) -> Iterator[Finding]:
    """Find sections with more than one header."""
    for section in subject.inf.sections.values():
        for line in section.lines[1:]:
            yield found("1209", line, section.name)


@checks("2083")
def unused(subject: Subject) -> Iterator[Finding]:
    """Find sections that nothing references."""
    used = subject.uses.names() | {models.name.lower() for models in subject.driver.models}
    candidates = [name for name in subject.inf.sections if name not in used and not _is_special(subject, name)]
    if not candidates:
        return
    named = {value.lower() for section in subject.inf.sections.values() for e in section.entries for value in e.values}
    for name in candidates:
        if name not in named:
            section = subject.inf.sections[name]
            yield found("2083", section.line, section.name)


def _is_special(subject: Subject, name: str) -> bool:
    base = name.partition(".")[0]
    if base in SPECIAL_SECTIONS:
        return True
    return name.endswith(".security") and name.removesuffix(".security") in subject.inf.sections


@checks("1253", "1272")
def unnamed_services(subject: Subject) -> Iterator[Finding]:
    """Find AddService directives without a service name that are more than `AddService = ,2`."""
    for use in subject.of(Role.SERVICES):
        for entry in use.section.all("AddService"):
            if entry.value():
                continue
            if not (flags(entry.value(1)) or 0) & _ASSOCIATED:
                yield found("1253", entry.line, "AddService", use.section.name)
            elif entry.value(2):
                yield found("1272", entry.line, entry.value(2))
