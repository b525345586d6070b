"""Read codes in any spelling: 52, Code 52, 0xC0000428, 3221226536, -1073740760, 577, E000022F, STATUS_…, 3077."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache

from signer.codeintegrity.event_tables import known_events
from signer.policy.tables import rows
from signer.records import dataclass

EVENT = "event"

_HEX = re.compile(r"(?:0x)?([0-9a-f]{8})h?|0x([0-9a-f]{1,8})", re.IGNORECASE)
_NUMBER = re.compile(r"-?[0-9]{1,10}")
_LABELLED = re.compile(r"(code|error|event(?:\s*id)?|win32|status|problem)(?:[\s:#=]++|(?=\d))(.+)", re.IGNORECASE)
_SMALL = 0x10000
_WIN32_IN_HRESULT, _SETUP_IN_HRESULT, _SETUP = 0x80070000, 0x800F0000, 0xE0000000
_ERROR_WORDS = (
    r"error(?: de sistema)?|(?:system)?fehler|erreur(?: système)?|errore(?: di sistema)?|erro(?: do sistema)?|falha"
    r"|échec\(s\)|ошибка|błąd|(?:系统|系統)?(?:错误|錯誤)(?:码|代码)?|失败|失敗|エラー|오류"
)
_IN_TEXT = re.compile(
    r"(?:(?<![\w.])(?:"
    r"0x[0-9a-f]{3,8}|[ce]0[0-9a-f]{6}|80(?:0b|09|07|0f)[0-9a-f]{4}"
    r"|-10737\d{5}|32212\d{5}|failed \d{2,4}"
    r"|service \(\d{2,4}\)"
    r"|(?:event|ereignis|evento|événement)(?:[\s-]*id)?[\s:#=]+\d{4}"
    r"|(?:(?:status|error|spapi|trust|cert)_[a-z_]{4,60}|cm_prob_[a-z_]{4,40})"
    rf")|(?:(?<![a-z.])(?:{_ERROR_WORDS})[:：\s]+\d{{2,4}}))(?!\w)",  # noqa: RUF001
    re.IGNORECASE,
)
_SERVICE_CONTROLLER = re.compile(r"\[SC\]\s{1,8}\w+\s{1,8}\D{1,40}?(\d{2,5})\s*+[:：]?\s*+$")  # noqa: RUF001
"""The first line of an error of sc.exe, whose word for "FAILED" is localised."""
_OTHER_LABEL = re.compile(rf"^(?:failed|service \(|{_ERROR_WORDS})[:：\s]*(?=\d)", re.IGNORECASE)  # noqa: RUF001
_OTHER_EVENT = re.compile(r"^(?:ereignis|evento|événement)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Code:
    """A code that Windows shows, and the name that the Windows headers give it."""

    text: str
    """The canonical spelling: 0xC0000428, 577, "Code 52", or an event's id."""
    kind: str
    """NTSTATUS, Win32, HRESULT, setupapi, "PnP problem" or event."""
    name: str
    meaning: str


def parse_code(word: str) -> Code | None:
    """Return the code that a word means; None for an unknown code.

    A small number that is both a problem code and a Win32 error, such as 52, is the problem code: Device Manager shows
    these without further text, and programs print errors with a text.
    """
    word = word.strip().strip("'\"()[].,;")
    labelled = _LABELLED.fullmatch(word)
    if labelled is not None:
        return _labelled(labelled[1].lower(), labelled[2].strip())
    upper = word.upper()
    if upper in _by_name():
        return _by_name()[upper]
    hexadecimal = _HEX.fullmatch(word)
    if _NUMBER.fullmatch(word) and not (len(word) == 8 and word[0] in "8"):
        return _decimal(int(word))
    return _value(int(hexadecimal[1] or hexadecimal[2], 16)) if hexadecimal is not None else None


def codes_in(text: str) -> Iterator[Code]:
    """Yield the known codes in a text, in their order. Plain numbers count only with a word such as "error"."""
    service = _SERVICE_CONTROLLER.search(text)
    if service is not None:
        code = _codes().get(service[1])
        yield from [code] if code is not None else []
        return
    for found in _IN_TEXT.finditer(text):
        word = _OTHER_LABEL.sub("error ", found[0].rstrip(")"))
        code = parse_code(_OTHER_EVENT.sub("event", word))
        if code is not None:
            yield code


def code_of(text: str) -> Code:
    """Return the code with this canonical spelling. Raises KeyError."""
    return _codes()[text]


def _labelled(label: str, word: str) -> Code | None:
    if not _NUMBER.fullmatch(word):
        return parse_code(word)
    if label in ("code", "problem"):
        return _codes().get(f"Code {int(word)}") or _decimal(int(word))
    if label.startswith("event"):
        return _event(int(word))
    return _codes().get(str(int(word))) or _decimal(int(word))


def _decimal(number: int) -> Code | None:
    if not 0 <= number < _SMALL:
        return _value(number & 0xFFFFFFFF)
    return _event(number) or _codes().get(f"Code {number}") or _codes().get(str(number))


def _value(value: int) -> Code | None:
    """Return the code with a value of 32 bits, whatever form Windows wraps it in."""
    if value < _SMALL:
        return _codes().get(str(value)) or _codes().get(f"Code {value}")
    if value & 0xFFFF0000 == _WIN32_IN_HRESULT:
        return _codes().get(str(value & 0xFFFF))
    if value & 0xFFFF0000 == _SETUP_IN_HRESULT:
        value = _SETUP | value & 0xFFFF
    return _codes().get(f"0x{value:08X}")


def _event(number: int) -> Code | None:
    if number in known_events():
        return Code(str(number), EVENT, f"event {number}", "an event of Code Integrity")
    return None


@cache
def _codes() -> Mapping[str, Code]:
    table = rows("status_codes.tsv", "signer.codeintegrity.data")
    return {row["code"]: Code(row["code"], row["kind"], row["name"], row["meaning"]) for row in table}


@cache
def _by_name() -> Mapping[str, Code]:
    return {code.name: code for code in _codes().values()}
