"""Rules about the text of an INF: encoding, StampInf variables, string tokens, the length of fields."""

from __future__ import annotations

import re
from collections.abc import Iterator

from catalogs.inf.driver import DriverInf
from catalogs.inf.garbled import garbled_text
from catalogs.inf.rules.finding import Finding, Subject, checks, found
from catalogs.inf.strings import Strings
from catalogs.inf.syntax import Section

TEMPLATE_SUFFIX = ".inx"
_MAX_FIELD_LENGTH = 4096
_TOKEN = re.compile(r"%([^%\r\n]*)%")
_CONTINUED = re.compile(r"\\[ \t\r]*(?:[;\n]|\Z)")
_TEMPLATE = re.compile(r"\$(?:ARCH|KMDFVERSION|KMDFCOINSTALLERVERSION|UMDFVERSION|UMDFCOINSTALLERVERSION)\$", re.I)


def is_template(driver: DriverInf) -> bool:
    """Tell whether it is a template for StampInf: named .inx, or with variables such as $ARCH$."""
    return driver.path.suffix.lower() == TEMPLATE_SUFFIX or stampinf_variable(driver.text.source.text) is not None


def stampinf_variable(text: str) -> re.Match[str] | None:
    """Return the first StampInf variable in a text, or None."""
    return _TEMPLATE.search(text)


@checks("1003", "utf-8-without-mark")
def encoding(subject: Subject) -> Iterator[Finding]:
    """Find encodings that Windows does not read."""
    source = subject.driver.text.source
    if source.encoding in ("utf-8", "utf-16-be") or (source.encoding == "utf-16-le" and not source.bom):
        kind = source.encoding.upper() + ("" if source.bom else " without a byte-order mark")
        yield found("1003", 1, kind)
        return
    for problem in garbled_text(subject.driver):
        yield found(problem.code, problem.line, problem.message)


@checks("1274")
def stampinf_variables(subject: Subject) -> Iterator[Finding]:
    """Find a StampInf variable in an INF that is not a template."""
    text = subject.driver.text.source.text
    match = stampinf_variable(text)
    if match is not None and subject.driver.path.suffix.lower() != TEMPLATE_SUFFIX:
        yield found("1274", text.count("\n", 0, match.start()) + 1, match.group())


@checks("1235", "long-field")
def fields(subject: Subject) -> Iterator[Finding]:
    """Find undefined string tokens, and fields that Windows truncates."""
    strings = Strings(subject.driver.text)
    if _is_plain(subject.driver.text.source.text, strings):
        return
    for name, section in subject.driver.text.sections.items():
        if name.split(".")[0] == "strings":
            continue
        for entry in section.entries:
            whole = ",".join(entry.texts)
            for text in entry.texts if "%" in whole or len(whole) >= _MAX_FIELD_LENGTH else ():
                for token in strings.unresolved(text) if "%" in text else ():
                    yield found(
                        "1235",
                        entry.line,
                        f"%{token}%",
                        "Strings",
                        f"%{token}%",
                        f"%%{token}%%",
                        fix=f"Define it in [Strings], or write %%{token}%% for literal percent signs.",
                    )
                if len(text) >= _MAX_FIELD_LENGTH:
                    yield found("long-field", entry.line, f"{len(text):,}", f"{_MAX_FIELD_LENGTH - 1:,}")


def _is_plain(text: str, strings: Strings) -> bool:
    """Tell whether a text has only defined tokens and short lines, so that its fields need no check of their own."""
    tokens = {match.group(1).lower() for match in _TOKEN.finditer(text)}
    defined = all(not token or token.isdecimal() or token in strings for token in tokens)
    return defined and max(map(len, text.split("\n"))) < _MAX_FIELD_LENGTH and _CONTINUED.search(text) is None


def _string_sections(subject: Subject) -> list[Section]:
    return [section for name, section in subject.driver.text.sections.items() if name.split(".")[0] == "strings"]


@checks("1294", "1295")
def string_sections(subject: Subject) -> Iterator[Finding]:
    """Find strings that one section defines twice, and languages with other strings than [Strings]."""
    keys: dict[str, set[str]] = {}
    for section in _string_sections(subject):
        values: dict[str, tuple[str, ...]] = {}
        for entry in section.entries:
            key = (entry.key or entry.value()).lower()
            if key in values and values[key] != entry.values:
                yield found("1294", entry.line, "string", entry.key or entry.value(), section.name)
            values.setdefault(key, entry.values)
        keys[section.name] = set(values)
    default = next((name for name in keys if name.lower() == "strings"), None)
    for section in _string_sections(subject):
        if default is not None and len(keys[section.name]) != len(keys[default]):
            missing = sorted(keys[default] - keys[section.name]) or sorted(keys[section.name] - keys[default])
            yield found(
                "1295",
                section.line,
                section.name,
                default,
                fix=f"Define the same strings in both; one of them lacks {missing[0]!r}.",
            )
