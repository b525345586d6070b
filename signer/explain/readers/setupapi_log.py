"""Read setupapi.dev.log and setupapi.app.log: the sections of installations, and the errors in them.

Format: windows-driver-docs install/format-of-a-text-log-section.md.
"""

from __future__ import annotations

import re

from signer.explain.budget import STATEMENT
from signer.explain.codes import codes_in
from signer.explain.context import Context
from signer.explain.phrases import means_of
from signer.explain.records import Record
from signer.explain.text import Lines
from signer.explain.times import sortable

_SECTION = re.compile(r"^>>>\s+\[(?P<title>.+)\]$")
_START = re.compile(r"^>>>\s+Section start (?P<time>[\d/]{10} [\d:.]{8,14})")
_END = re.compile(r"^<<<\s+")
_EXIT = re.compile(r"^<<<\s+\[Exit status: (?P<status>\w+)(?:\((?P<code>[^)]*)\))?\]")
_ENTRY = re.compile(
    r"^\s*+(?P<mark>[!.]{0,3}+)\s*+(?:sig|sto|dvi|ndv|inf|utl|cpy|flq|pol|cci|bak|ump|idb|cmi|set|ui|dvs|inst|pnp|prp):"
    r"\s++(?P<text>.*)$"
)
_BEGIN_LOG = re.compile(r"^\[(?:Device Install Log|SetupAPI Log|Begin Log)\]", re.IGNORECASE)
_HEADER = re.compile(r"^\s+(OS Version|Architecture|Service Pack|ProductType) = (.*)$")
_FILE = re.compile(
    r"^(?:Key|FilePath|Catalog|Driver INF(?: Path)?|INF path|InfPath)\s*+[:=-]\s*+(?P<path>\S.*)$", re.IGNORECASE
)
_FILE_WITHIN = re.compile(r"\bFilename = ([^\\/:*?\"<>|,]{1,120}\.inf)\b", re.IGNORECASE)
_INF = re.compile(r"(?<![^\\/:*?\"<>|\s\[\]{}'])([^\\/:*?\"<>|\s\[\]{}']{1,120}\.inf)\b", re.IGNORECASE)
_PROBLEM = re.compile(r"Device (?:has|had) problem[: ]+(?:0x)?(?P<hex>[0-9a-f]{2})\b", re.IGNORECASE)
_ARCHITECTURES = {"amd64": "x64", "x64": "x64", "x86": "x86", "arm64": "arm64", "ia64": "ia64", "intel": "x86"}
_BUILD = re.compile(r"(?<!\d)\d{1,3}\.\d{1,3}\.(\d{4,5})")


def setupapi_lines(context: Context, line: str, lines: Lines) -> list[Record] | None:
    """Read one line of a log of SetupAPI, also as programs print it behind "[syslog]"; None for any other line."""
    line = line.partition("[syslog] ")[2] or line
    header = _HEADER.match(line)
    if header is not None:
        return [Record(machine=facts)] if (facts := _facts(header[1], header[2])) else []
    if line.startswith((">>>", "<<<")):
        return _boundary(context, line)
    if _BEGIN_LOG.match(line):
        context.seen("SetupAPI log")
        return []
    entry = _ENTRY.match(line)
    return _entry(context, entry) if entry is not None else None


def _boundary(context: Context, line: str) -> list[Record]:
    """Read the first and last lines of a section."""
    section, start, ended = _SECTION.match(line.rstrip()), _START.match(line), _EXIT.match(line)
    if section is not None:
        context.seen("SetupAPI log")
        named = _INF.search(section["title"])
        context.subject = named[1] if named is not None else None
    elif start is not None:
        context.time = sortable(start["time"])
    elif ended is not None:
        records = []
        if ended["status"] == "FAILURE":
            code = ended["code"] or ""
            records = [_record(context, code, means_of(code)[0], ())]
        elif ended["status"] == "SUCCESS":
            records = [Record(file=context.subject, signs=("installed",), time=context.time)]
        context.begin()
        return [one for one in records if one.codes or one.signs]
    return []


def _entry(context: Context, entry: re.Match[str]) -> list[Record]:
    """Read a line of a section: errors have one to three exclamation marks."""
    text, mark = entry["text"].strip(), entry["mark"]
    named = _FILE.search(text)
    if named is not None:
        inf = _INF.search(named["path"])
        context.subject = inf[1] if inf is not None else context.subject
        if text.lower().startswith("catalog"):
            return [Record(file=context.subject, signs=("has-catalog",), time=context.time)]
        return []
    problem = _PROBLEM.search(text)
    if problem is not None:
        text += f" (Code {int(problem['hex'], 16)})"
    if "!" not in mark and problem is None and not _is_statement(text):
        return []
    within = _FILE_WITHIN.search(text)
    context.subject = within[1] if within is not None else context.subject
    record = _record(context, text, *means_of(text))
    return [record] if record.codes or record.signs else []


def _is_statement(text: str) -> bool:
    """Return whether a line without a mark states a cause: the signer score, and what a check found."""
    return text.startswith(("Signer Score", "Error 0x", "Rank - 0x80", "Success:"))


def _record(context: Context, text: str, said: tuple[str, ...], signs: tuple[str, ...]) -> Record:
    context.budget.spend(STATEMENT + len(text) // 8)
    codes = dict.fromkeys([code.text for code in codes_in(text) if code.kind != "event"])
    if text.startswith("Success:"):
        signs = (*signs, "catalog-verified")
    return Record(file=context.subject, codes=tuple(dict.fromkeys([*codes, *said])), signs=signs, time=context.time)


def _facts(name: str, value: str) -> dict[str, str | int | bool]:
    if name == "Architecture":
        architecture = _ARCHITECTURES.get(value.strip().lower())
        return {"architecture": architecture} if architecture is not None else {}
    if name == "ProductType":
        return {"server": value.strip() != "1"}
    build = _BUILD.search(value)
    return {"build": int(build[1])} if build is not None else {}
