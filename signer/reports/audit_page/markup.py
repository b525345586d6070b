"""Escape text, and link to filters, as the script of the page does."""

from __future__ import annotations

from html import escape
from urllib.parse import quote_plus

from signer.reports.escape import printable, without_noncharacters


def shown(text: str) -> str:
    """Return text as it is shown: without control characters, unpaired surrogates and noncharacters."""
    return without_noncharacters(printable(text))


def text_of(text: str) -> str:
    """Escape text for an element or an attribute in quotes."""
    return escape(shown(text))


def link_to(facet: str, value: str) -> str:
    """Return the fragment that filters by a value, encoded as the script's URLSearchParams encodes it."""
    return f"#{facet}={quote_plus(shown(value), safe='*').replace('~', '%7E')}"


def number(value: int) -> str:
    """Return a number with a comma between thousands."""
    return f"{value:,}"
