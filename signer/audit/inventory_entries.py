"""Read inventories of drivers without their files: one entry for each device, package or file that they list.

The forms are those of Get-CimInstance Win32_PnPSignedDriver and Get-WindowsDriver (CSV, JSON), pnputil /enum-drivers
(text, XML), driverquery /si (table, list, CSV), and tables with hashes, as of Get-FileHash. Titles in other languages
are read by their place, because these tools print their values in one order.

Source: windows-driver-docs devtest/pnputil-command-syntax.md and pnputil-examples.md; Win32_PnPSignedDriver class
(WMI); driverquery (Windows commands); outputs of Windows 11 24H2 in public repositories.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

from signer.audit.inventory_values import Entry, entry_of, means_of, split_version
from signer.costly_text import is_costly_xml
from signer.errors import ConfigError
from signer.explain.budget import LEFT_OUT
from signer.explain.context import Context
from signer.explain.readers.event_json import is_json, json_objects
from signer.explain.text import Lines, decoded
from signer.limits import LIMITS, raising

SUFFIXES = frozenset({".csv", ".tsv", ".json", ".xml", ".txt"})
"""The suffixes of files that are read as inventories."""
_MAX_XML = 1 << 26
"""Characters of the largest XML; a machine has some hundred packages of some kilobytes."""
_MAX_DEPTH = 32
"""Levels of elements; those of pnputil have five."""
_MAX_BLOCK = 4096
"""Number of lines of the longest block of text; a package has some hundred files."""
_MAX_COLUMNS = 100
"""Number of columns of the widest table of driverquery, whose rows have all of them; real ones have at most 15."""
_INF = re.compile(r"[^\\/:*?\"<>|]{1,200}\.inf", re.IGNORECASE)
_OEM = re.compile(r"oem\d+\.inf", re.IGNORECASE)
_LABEL = re.compile(r"^\s{0,4}([^\W\d_][^:]{0,60}?)\s*:(?:\s++(.*))?$")
_RULER = re.compile(r"^=+(?: =+)+\s*$")
_GUID = re.compile(r"\{[0-9a-fA-F-]{36}\}")
_SIGNED_INFO = ("device", "inf", "signed", "provider")
"""The columns of driverquery /si."""


def is_inventory(path: Path) -> bool:
    """Return whether a path that the call names is an inventory, by its suffix."""
    return path.suffix.lower() in SUFFIXES and path.is_file()


def read_inventory(path: Path, pieces: Iterable[bytes]) -> Iterator[Entry]:
    """Yield the entries of an inventory. Raises ConfigError for anything else."""
    text, context = decoded(pieces), Context()
    start = next(text, "").removeprefix("\ufeff")
    whole = chain((start,), text)
    count, limit = 0, LIMITS["inventory-entries"]
    try:
        for one in _entries(start, whole, context):
            count += 1
            if count > limit:
                message = f"the inventory has more than {limit:,} entries"
                raise ConfigError(message, path=path, hint=raising("inventory-entries"))
            yield one
    except (csv.Error, SyntaxError, ValueError, RecursionError) as error:
        raise ConfigError(f"the inventory is damaged: {error}", path=path, hint=_HINT) from error
    if LEFT_OUT in context.damages:
        message = "the inventory has more lines and objects than real ones of its size"
        raise ConfigError(message, path=path, hint=raising("log-work"))
    if context.damages:
        raise ConfigError(f"the inventory is damaged: {next(iter(context.damages))}", path=path, hint=_HINT)
    if not count:
        raise ConfigError("not an inventory of drivers, or an empty one", path=path, hint=_HINT)


_HINT = (
    "Export one with: Get-CimInstance Win32_PnPSignedDriver | Export-Csv drivers.csv; or: pnputil /enum-drivers /files"
)


def _entries(start: str, text: Iterator[str], context: Context) -> Iterator[Entry]:
    if is_json(start):
        return _of_json(text, context)
    if start.lstrip().startswith("<"):
        return _of_xml(text, context)
    return _of_lines(Lines(text, context), context)


def _of_json(text: Iterator[str], context: Context) -> Iterator[Entry]:
    for one in json_objects(text, context):
        context.budget.spend()
        if context.budget.left <= 0:
            context.damaged(LEFT_OUT)
            return
        found = json.loads(one, strict=False)
        nested = next((value for value in found.values() if _is_list_of_objects(value)), None)
        for row in [found] if nested is None or "InfName" in found else nested:
            yield from _of_row(row)


def _is_list_of_objects(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(one, dict) for one in value)


def _of_row(row: Mapping[str, Any]) -> Iterator[Entry]:
    """Yield the entry of an object or row by its titles; none for one without a driver."""
    found: dict[str, str] = {}
    for title, value in row.items():
        meaning = means_of(title)
        text = "; ".join(map(str, value)) if isinstance(value, list) else str(value if value is not None else "")
        if meaning and text.strip():
            found.setdefault(meaning, text.strip())
    one = entry_of(found)
    if one is not None:
        yield one


def _of_xml(text: Iterator[str], context: Context) -> Iterator[Entry]:
    """Yield the packages of pnputil /enum-drivers /format xml, which no language changes."""
    document = "".join(islice(text, _MAX_XML // (1 << 10)))
    if len(document) > _MAX_XML or "<!DOCTYPE" in document or "<!ENTITY" in document:
        raise ValueError("the XML is too large, or has a document type")
    context.budget.add(len(document))
    context.budget.spend(document.count("="))
    if context.budget.left <= 0 or is_costly_xml(document):
        context.damaged(LEFT_OUT)
        return
    for driver in _drivers(re.sub(r"^\s*<\?xml[^>]*\?>", "", document)):
        date, version = split_version(driver.findtext("DriverVersion") or "")
        yield Entry(
            published=driver.get("DriverName", ""),
            original=(driver.findtext("OriginalName") or "").strip(),
            version=version,
            date=date,
            signer=(driver.findtext("SignerName") or "").strip(),
            provider=(driver.findtext("ProviderName") or "").strip(),
            device_class=(driver.findtext("ClassName") or "").strip(),
            devices=tuple(one.text or "" for one in driver.iterfind("Devices/Device/DeviceDescription")),
        )


def _drivers(document: str) -> Iterator[Element]:
    """Yield each <Driver> below the root, and forget it. Raises ParseError, ValueError for many levels."""
    from xml.etree.ElementTree import iterparse

    depth, outermost = 0, list[Element]()
    for event, element in iterparse(io.StringIO(document), ("start", "end")):  # noqa: S314 - entities were refused above
        outermost = outermost or [element]
        depth += 1 if event == "start" else -1
        if depth > _MAX_DEPTH:
            raise ValueError(f"it has more than {_MAX_DEPTH} levels")
        if event == "end" and depth == 1:
            if element.tag == "Driver":
                yield element
            outermost[0].clear()


def _of_lines(lines: Lines, context: Context) -> Iterator[Entry]:
    """Yield the entries of a text: a table with titles, the table of driverquery, or blocks of labels."""
    previous = ""
    for line in lines:
        if not line.strip() or line.startswith(("#TYPE", "sep=")):
            continue
        if _RULER.match(line):
            yield from _of_ruled(previous, line, lines)
        elif _LABEL.match(line):
            yield from _of_block([line, *lines.take_while(lambda one: bool(one.strip()), _MAX_BLOCK)])
        elif not previous and (read := _table(line)) is not None:
            yield from read(_spending(lines, context))
        previous = line


def _spending(lines: Iterable[str], context: Context) -> Iterator[str]:
    """Yield the rows of a table as long as the budget allows them."""
    for line in lines:
        context.budget.spend()
        if context.budget.left <= 0:
            context.damaged(LEFT_OUT)
            return
        yield line


def _table(header: str) -> Callable[[Iterable[str]], Iterator[Entry]] | None:
    """Return the reader of a table with this header; None for any other line."""
    for delimiter in (",", ";", "\t"):
        titles = next(csv.reader([header], delimiter=delimiter), [])
        if sum(bool(means_of(title)) for title in titles) >= 2:
            return lambda lines: _of_csv(titles, delimiter, lines)
        if len(titles) == len(_SIGNED_INFO) and header.startswith('"'):
            return lambda lines: _of_csv(_SIGNED_INFO, delimiter, lines)
    return None


def _of_csv(titles: Sequence[str], delimiter: str, lines: Iterable[str]) -> Iterator[Entry]:
    for row in csv.reader((f"{line}\n" for line in lines), delimiter=delimiter):
        yield from _of_row(dict(zip(titles, row, strict=False)))


def _of_ruled(header: str, ruler: str, lines: Lines) -> Iterator[Entry]:
    """Yield the rows of driverquery /fo table, whose columns the ruler shows."""
    spans = [one.span() for one in islice(re.finditer("=+", ruler), _MAX_COLUMNS)]
    titles = [header[start:end] for start, end in spans]
    if not all(map(means_of, titles)):
        titles = list(_SIGNED_INFO)
    for line in lines.take_while(lambda one: bool(one.strip()), 1 << 20):
        yield from _of_row({title: line[start:end] for title, (start, end) in zip(titles, spans, strict=False)})


def _of_block(lines: Sequence[str]) -> Iterator[Entry]:
    """Yield the entry of a block of labels and values: of pnputil, driverquery /fo list, or Format-List."""
    found = [(one[1].strip(), (one[2] or "").strip()) for one in map(_LABEL.match, lines) if one is not None]
    values = [value for _, value in found]
    if values and _OEM.fullmatch(values[0]):
        yield _of_pnputil(values)
    elif sum(bool(means_of(title)) for title, _ in found) >= 2:
        yield from _of_row(dict(found))
    elif len(found) == len(_SIGNED_INFO) and _INF.fullmatch(values[1]):
        yield from _of_row(dict(zip(_SIGNED_INFO, values, strict=True)))


def _of_pnputil(values: Sequence[str]) -> Entry:
    """Return the entry of a package by the places of its values, which have labels in the language of Windows.

    The order is published name, original name (not in Windows 7), provider, class, GUIDs, date and version, signer.
    The catalog and the files, with /files, stand behind them.
    """
    names = [value for value in values[:2] if _INF.fullmatch(value)]
    rest = values[len(names) :]
    at = next((number for number, value in enumerate(rest) if split_version(value)[1]), len(rest))
    words = [value for value in rest[:at] if not _GUID.fullmatch(value)]
    date, version = split_version(rest[at]) if at < len(rest) else ("", "")
    behind = rest[at + 1 :]
    return Entry(
        published=names[0],
        original=names[1] if len(names) > 1 else "",
        version=version,
        date=date,
        signer=behind[0] if behind and not behind[0].lower().endswith((".cat", ".sys")) else "",
        provider=words[0] if words else "",
        device_class=words[1] if len(words) > 1 else "",
    )
