"""Recognise the sentences with which Windows prints an error, by `data/phrases.tsv`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache

from signer.explain.codes import code_of
from signer.policy.tables import rows

_PROBLEM = re.compile(
    r"\((?P<label>code|código|codice|kod|код|代码|代碼|コード|코드)\s*[:：]?\s*(?P<number>\d{1,2})\)"  # noqa: RUF001
    r"|\b(?:code|error code|problem code|problem:?)\s+(?P<plain>\d{1,2})(?![\d.])\b",
    re.IGNORECASE,
)
"""The problem code in the texts of Device Manager, with the word that each language has for it."""


def means_of(text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the codes and the signs that sentences in a text mean."""
    lower = " ".join(text.lower().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'").split())
    found = dict.fromkeys(means for phrase, means in _phrases().items() if phrase in lower)
    problems = dict.fromkeys(_problems(text))
    codes = [*problems, *(means for means in found if _is_code(means))]
    return tuple(dict.fromkeys(codes)), tuple(means for means in found if not _is_code(means))


_OTHER_LANGUAGE = re.compile(r"\b(?:fehler|erreur|ошибка|błąd)\b[:\s]+(?:0x)?[0-9a-f]{2,}", re.IGNORECASE)


def is_localised(text: str) -> bool:
    """Return whether a text has a code with another language's word for "code" or "error"."""
    labels = [found["label"] for found in _PROBLEM.finditer(text) if found["label"]]
    return any(label.lower() != "code" for label in labels) or _OTHER_LANGUAGE.search(text) is not None


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
def _phrases() -> Mapping[str, str]:
    return {row["phrase"]: row["means"] for row in rows("phrases.tsv", "signer.explain.data")}
