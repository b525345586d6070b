"""Recognise the sentences with which Windows prints an error, by `data/phrases.tsv` and `data/languages.tsv`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache

from signer.explain.codes import code_of
from signer.policy.tables import Row, rows

ANOTHER_LANGUAGE = "another language"
_PROBLEM = re.compile(
    r"\((?P<label>code|código|codice|kod|код|代码|代碼|コード|코드)\s*+[:：]?\s*+(?P<number>\d{1,2})\)"  # noqa: RUF001
    r"|\b(?:code|error code|problem code|problem:?)\s+(?P<plain>\d{1,2})(?![\d.])\b",
    re.IGNORECASE,
)
"""The problem code in the texts of Device Manager, with the word that each language has for it."""
_OTHER_LANGUAGE = re.compile(
    r"(?<![a-z])(?:(?:system)?fehler|erreur(?: système)?|errore(?: di sistema)?|erro(?: do sistema)?|falha|échec\(s\)"
    r"|ошибка|błąd|错误|錯誤|失败|失敗|エラー|오류)[:：\s]*(?:0x)?[0-9a-f]{2}",  # noqa: RUF001
    re.IGNORECASE,
)
"""The words for an error before a code: see `codes.codes_in`."""


def means_of(text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the codes and the signs that sentences in a text mean."""
    found = dict.fromkeys(row["means"] for row in _sentences(text))
    codes = [*dict.fromkeys(_problems(text)), *(means for means in found if _is_code(means))]
    return tuple(dict.fromkeys(codes)), tuple(means for means in found if not _is_code(means))


def language_of(text: str) -> str:
    """Return the language of a text by the sentences and terms of Windows in it; empty for English or none of them."""
    for row in _sentences(text):
        if row["language"]:
            return row["language"]
    term = _terms().search(text)
    if term is not None:
        return next(language for language, words in _languages() if term[0].casefold() in words)
    labels = [found["label"] for found in _PROBLEM.finditer(text) if found["label"]]
    coded = any(label.lower() != "code" for label in labels) or _OTHER_LANGUAGE.search(text) is not None
    return ANOTHER_LANGUAGE if coded else ""


def _sentences(text: str) -> Iterator[Row]:
    plain = " ".join(text.casefold().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'").split())
    return (row for row in _phrases() if row["phrase"] in plain)


def _problems(text: str) -> Iterator[str]:
    for found in _PROBLEM.finditer(text):
        code = f"Code {int(found['number'] or found['plain'])}"
        if _is_code(code):
            yield code


def _is_code(means: str) -> bool:
    try:
        code_of(means)
    except KeyError:
        return False
    return True


@cache
def _phrases() -> tuple[Row, ...]:
    return rows("phrases.tsv", "signer.explain.data")


@cache
def _languages() -> tuple[tuple[str, frozenset[str]], ...]:
    table = rows("languages.tsv", "signer.explain.data")
    return tuple((row["language"], frozenset(row["words"].split("|"))) for row in table)


@cache
def _terms() -> re.Pattern[str]:
    words = sorted((word for _, words in _languages() for word in words), key=len, reverse=True)
    return re.compile("|".join(map(re.escape, words)), re.IGNORECASE)


def foreign_words() -> Mapping[str, str]:
    """Return the terms by which another language is recognised, and the language of each."""
    return {word: language for language, words in _languages() for word in words}
