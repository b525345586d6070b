"""Find the web page of a source, as `signer.policy.sources` and the table of INF rules write sources."""

from __future__ import annotations

import re

_PAGES = {
    "windows-driver-docs": "https://learn.microsoft.com/windows-hardware/drivers/",
    "windows-itpro-docs": "https://learn.microsoft.com/windows/security/application-security/application-control/",
}
_PAGE = re.compile(r"(windows-driver-docs|windows-itpro-docs) ([\w/.-]+)\.md")


def page_of(source: str) -> str | None:
    """Return the address of the first page of Microsoft's documentation that a source names, or None."""
    found = _PAGE.search(source)
    return f"{_PAGES[found[1]]}{found[2]}" if found is not None else None
