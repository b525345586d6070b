"""Read what tools print and people write: sc, pnputil, Device Manager, bcdedit, systeminfo, and codes in sentences."""

from __future__ import annotations

import re
from functools import cache

from signer.explain.budget import STATEMENT
from signer.explain.codes import EVENT, codes_in
from signer.explain.context import Context
from signer.explain.phrases import foreign_words, language_of, means_of
from signer.explain.readers.messages import policy_mentions
from signer.explain.records import MachineFact, Record
from signer.explain.text import Lines

_SUBJECTS = (
    re.compile(r"^\s*SERVICE_NAME\s*:\s*(\S{1,256})", re.IGNORECASE),
    re.compile(r"\bsc(?:\.exe)?\s+(?:start|query|create|qc|queryex)\s+\"?([\w.$-]{1,256})", re.IGNORECASE),
    re.compile(r"\bnet\s+start\s+\"?([\w.$-]{1,256})", re.IGNORECASE),
    re.compile(
        r"(?:driver package|INF)\s*+:\s*+(?:[A-Za-z]:)?(?:[^\\/:*?\"<>|]*+[\\/])*([^\\/:*?\"<>|\s]{1,120}\.inf)\b",
        re.IGNORECASE,
    ),
    re.compile(r"(?<![\w.$-])([\w.$-]{1,120}\.(?:sys|inf))\b", re.IGNORECASE),
    re.compile(r"^The (\S{1,80}) service failed to start"),
    re.compile(r"\bStart-Service\s+(?:-Name\s+)?[\"']?([\w.$-]{1,256})"),
    re.compile(r"\b(?:fltmc(?:\.exe)?\s+load)\s+([\w.$-]{1,256})", re.IGNORECASE),
    re.compile(r"\bService '([\w.$-]{1,256})"),
    re.compile(r"\\Driver\\([\w.$-]{1,120})"),
)
_STATE = re.compile(r"WIN32_EXIT_CODE\s*:\s*(\d+)", re.IGNORECASE)
_FACT_WORDS = ("version", "build", "testsigning", "boot", "integrity", "services", "s mode", "skupolicy", "system type")
"""Words in lower case. Each of `_FACTS` contains one of them."""
_FACTS: tuple[tuple[re.Pattern[str], str, str | None], ...] = (
    (re.compile(r"\[version \d+\.\d+\.(\d{4,5})", re.IGNORECASE), "build", None),
    (re.compile(r"\bOS Version:\s+\d+\.\d+\.(\d{4,5})", re.IGNORECASE), "build", None),
    (re.compile(r"\b(?:OS )?build[:\s]+(?:10\.0\.)?(\d{5})\b", re.IGNORECASE), "build", None),
    (re.compile(r"^\s*testsigning\s+(yes|on|no|off)\b", re.IGNORECASE), "testsigning", "yes|on"),
    (
        re.compile(r"\bSecure Boot(?: State)?(?:\s*+[:=])?+\s++(on|off|enabled|disabled)\b", re.IGNORECASE),
        "secure_boot",
        "on|enabled",
    ),
    (re.compile(r"\bConfirm-SecureBootUEFI\b\s*+[:=]?\s*+(true|false)\b", re.IGNORECASE), "secure_boot", "true"),
    (
        re.compile(r"\bmemory integrity(?: is)?(?:\s*+[:=])?+\s++(on|off|enabled|disabled)\b", re.IGNORECASE),
        "hvci",
        "on|enabled",
    ),
    (
        re.compile(r"\bServices Running\s.{0,200}\bHypervisor enforced Code (Integrity)\b", re.IGNORECASE),
        "hvci",
        "integrity",
    ),
    (re.compile(r"\bSecurityServicesRunning\s*:\s*\{(?:\d, )*(2)\b"), "hvci", "2"),
    (re.compile(r"\bWindows 1[01](?: \w+)? in (S mode)\b", re.IGNORECASE), "s_mode", "s mode"),
    (re.compile(r"\bSkuPolicyRequired\b(?:\s+REG_DWORD)?[\s:=]+(?:0x)?([01])\b", re.IGNORECASE), "s_mode", "1"),
    (re.compile(r"\bSystem Type:?\s+(x64|x86|ARM64)-based PC", re.IGNORECASE), "architecture", None),
)
_WORTH_READING = (
    *("0x", "c0000", "e0000", "800b", "800f", "8007", "8009", "-10737", "32212", "status_", "_e_", "error", "cm_prob"),
    *(
        "code",
        "код",
        "kod",
        "代",
        "コ",
        "código",
        "fail",
        "event",
        "ereignis",
        "evento",
        "événement",
        "[sc]",
        "service",
    ),
    *("win32", "driver", "signature", "signed", "blocked", "polic", "integrity", "version", "build", "testsigning"),
    *("secure", "certificate", "catalog", "fehler", "erreur", "ошибка", "błąd", "erro", "falha", "échec", "错", "錯"),
    *("失", "エラー", "오류", ".sys", ".inf", "sc start", "net start", "system type", "s mode", "skupolicy", "fltmc"),
    *("microsoft-verified", "start-service", "signing cert", "hashmismatch"),
)
"""Words in lower case: a line with none of them says nothing."""
_FILE_ALONE = re.compile(r"^\s*(?:[-*\N{BULLET}]\s*)?([\w.$-]{1,120}\.sys)\s*$", re.IGNORECASE)
_LISTING = frozenset({"memory-integrity-notice"})
"""Signs of notices that list drivers below them."""
_MAX_LINE = 8192


def tool_lines(context: Context, line: str, lines: Lines) -> list[Record] | None:
    """Read one line of any other text; None for a line that says nothing."""
    line = line[:_MAX_LINE]
    lower = line.lower()
    if not any(map(lower.__contains__, _worth_reading(lower.isascii()))):
        return None
    named = _FILE_ALONE.match(line)
    if context.sign is not None and named is not None:
        return [Record(file=named[1], signs=(context.sign,))]
    context.budget.spend(STATEMENT + len(line) // 3)
    subject = _subject(line)
    context.subject = subject or context.subject
    found = [*_machine(line), *_statement(context, line)]
    if found:
        context.seen("text")
    return found or None


def _statement(context: Context, line: str) -> list[Record]:
    said, signs = means_of(line)
    state = _STATE.search(line)
    found = [] if state is None and "WIN32_EXIT_CODE" in line else list(codes_in(line))
    codes = [code.text for code in found if code.kind != EVENT]
    if state is not None and state[1] not in ("0", "1077"):
        codes += [code.text for code in codes_in(f"error {state[1]}")]
    events = tuple(dict.fromkeys(int(code.text) for code in found if code.kind == EVENT))
    policy = policy_mentions(line)
    language = language_of(line)
    context.sign = next((one for one in signs if one in _LISTING), context.sign)
    if not (codes or said or signs or events or policy):
        return [Record(language=language)] if language else []
    records = [Record(file=context.subject, events=(one,), fields=policy) for one in events]
    codes = list(dict.fromkeys([*codes, *said]))
    if codes or signs or (policy and not events):
        records.append(
            Record(
                file=context.subject,
                codes=tuple(codes),
                signs=signs,
                fields={} if events else policy,
                language=language,
            )
        )
    return records


@cache
def _worth_reading(ascii_only: bool) -> tuple[str, ...]:
    """Return the words by which a line is read, without those that contain another one."""
    words = dict.fromkeys((*_WORTH_READING, *foreign_words()))
    least = [one for one in words if not any(other in one for other in words if other != one)]
    return tuple(one for one in least if one.isascii() or not ascii_only)


def _subject(line: str) -> str | None:
    for pattern in _SUBJECTS:
        found = pattern.search(line)
        if found is not None:
            return found[1]
    return None


def _machine(line: str) -> list[Record]:
    facts: dict[str, MachineFact] = {}
    lower = line.lower()
    if not any(word in lower for word in _FACT_WORDS):
        return []
    for pattern, name, yes in _FACTS:
        found = pattern.search(line)
        if found is None:
            continue
        word = found[1].lower()
        facts[name] = word in yes.split("|") if yes is not None else int(word) if word.isdigit() else word
    return [Record(machine=facts)] if facts else []
