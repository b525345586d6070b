"""Detect names that Windows garbles: an INF in UTF-8 without a byte-order mark is read in the ANSI code page."""

from __future__ import annotations

from collections.abc import Iterator

from catalogs.inf.driver import DriverInf
from catalogs.inf.problems import PackageProblem, Severity
from catalogs.inf.text import DEFAULT_CODE_PAGE, InfText


def garbled_text(driver: DriverInf) -> Iterator[PackageProblem]:
    """Report the first name or value of an INF that Windows garbles; comments do not count."""
    if driver.text.source.encoding != DEFAULT_CODE_PAGE or driver.text.source.text.isascii():
        return
    for section in driver.text.sections.values():
        for text, line in ((section.name, section.line), *((t, e.line) for e in section.entries for t in e.texts)):
            if is_garbled(driver, text):
                yield PackageProblem(
                    "utf-8-without-mark",
                    f"the INF is UTF-8 without a byte-order mark: Windows reads {_original(text)!r} as {text!r}",
                    driver.path,
                    line,
                    "Save it as UTF-16 LE with a byte-order mark.",
                    Severity.WARNING,
                )
                return


def is_garbled(driver: DriverInf, text: str) -> bool:
    """Tell whether a text of the INF is garbled UTF-8."""
    return driver.text.source.encoding == DEFAULT_CODE_PAGE and not text.isascii() and _original(text) is not None


def _original(text: str) -> str | None:
    """Return the text in UTF-8; None if its bytes are not valid UTF-8."""
    try:
        return InfText(text, DEFAULT_CODE_PAGE).to_bytes().decode("utf-8")
    except UnicodeError:
        return None
