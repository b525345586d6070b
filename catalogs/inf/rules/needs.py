"""Rules about Include and Needs, and about Microsoft's INFs that an INF should include."""

from __future__ import annotations

from collections.abc import Iterator

from catalogs.inf.rules.components import uses_microsoft_apo
from catalogs.inf.rules.directives import INBOX_SECTIONS
from catalogs.inf.rules.finding import Finding, Subject, checks, found
from catalogs.inf.uses import SUFFIXES, Role, Use

_BY_ROLE = {role: suffix for suffix, role in SUFFIXES.items()}
_AUDIO_INF = "wdmaudio.inf"
_AUDIO_SECTION = "mssysfx.CopyFilesAndRegister"
_MICROSOFT_APOS = frozenset(
    {
        "{62dc1a93-ae24-464c-a43e-452f824c4250}",
        "{c9453e73-8c5c-4463-9984-af8bab2f5447}",
        "{13ab3ebd-137e-4903-9d89-60be8277fd17}",
    }
)
"""Classes of Microsoft's FX audio processing objects (audio/implementing-audio-processing-objects.md,
audio/windows-11-apis-for-audio-processing-objects.md)."""


@checks("1310", "1311", "1312", "1313")
def suffixes(subject: Subject) -> Iterator[Finding]:
    """Find needed sections whose suffix differs from that of the section that needs them."""
    for use in subject.directive_uses:
        suffix = _BY_ROLE.get(use.role)
        if suffix is None:
            continue
        for entry in use.section.all("Needs"):
            for name in filter(None, entry.values):
                other = next((each for each in SUFFIXES if name.lower().endswith(each)), None)
                if other == suffix or (other is None and name.lower() not in subject.inf.sections):
                    continue
                code = ("1310", "1311", "1312", "1313")[2 * use.needed + (other is None)]
                stem, shown = use.section.name.rpartition(".")[0] or use.section.name, use.role.value.rpartition(".")[2]
                first = (stem, shown) if code in ("1310", "1311") else (use.section.name,)
                yield found(code, entry.line, name, (other or suffix)[1:], *first)


@checks("1314", "1319", "2651")
def inclusions(subject: Subject) -> Iterator[Finding]:
    """Find needed sections of Microsoft's INFs without the Include directive."""
    everywhere = {file for use in subject.directive_uses for file in _included(use)}
    for use in subject.directive_uses:
        for entry in use.section.all("Needs"):
            for name in entry.values:
                file = INBOX_SECTIONS.get(name.lower())
                if file is None or name.lower() in subject.inf.sections or file in _included(use):
                    continue
                if use.section.first("Include") is not None:
                    yield found("1319", entry.line, use.section.name, file, name)
                elif file in everywhere:
                    yield found("1314", entry.line, name, file, use.section.name)
                else:
                    yield found("2651", entry.line, name, file)


def _included(use: Use) -> set[str]:
    return {value.lower() for entry in use.section.all("Include") for value in entry.values}


@checks("2662", "2663")
def audio_objects(subject: Subject) -> Iterator[Finding]:
    """Find references to Microsoft's audio processing objects without the section that registers them."""
    reported: set[str] = set()
    includes = {file for use in subject.directive_uses for file in _included(use)}
    needs = {
        name.lower() for use in subject.directive_uses for entry in use.section.all("Needs") for name in entry.values
    }
    for use in subject.of(Role.ADD_REG):
        root = (use.origin or use).section
        if root.name in reported or not uses_microsoft_apo(use, _MICROSOFT_APOS):
            continue
        reported.add(root.name)
        if _AUDIO_INF not in includes:
            yield found("2662", root.line, root.name)
        elif not any(name.startswith(("mssysfx.", "msapofxproxy.")) for name in needs):
            yield found("2663", root.line, root.name, _AUDIO_SECTION)
