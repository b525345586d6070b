"""The evidence of the files of one run by their bytes: a file that is read again unchanged is not examined again."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from signer.verify.evidence import CatalogLookup, Evidence
from signer.verify.gather import gather

MAX_SIZE = 1 << 19
"""The largest file whose evidence is kept, in bytes: examining a larger one is mostly hashing, as is finding it."""

_Key = tuple[bytes, str, str, bool, tuple[tuple[str, bytes], ...]]
Findings = list[tuple[_Key, Evidence]]


class Gathered:
    """The evidence of files by their SHA-256. Each file is still read every time, so that a change is noticed."""

    def __init__(self) -> None:
        self._found: dict[_Key, Evidence] = {}
        self._news: Findings = []

    def gather(
        self, data: memoryview, kind: str, name: str, catalogs: Sequence[CatalogLookup], *, with_facts: bool
    ) -> Evidence:
        """Return the evidence of the same bytes, name and catalogs, or gather it. Raises MalformedInput."""
        if len(data) > MAX_SIZE:
            return gather(data, kind, name, catalogs, with_facts=with_facts)
        known = tuple((catalog.name, catalog.digest) for catalog in catalogs)
        key = (hashlib.sha256(data).digest(), kind, name, with_facts, known)
        found = self._found.get(key)
        if found is None:
            found = gather(data, kind, name, catalogs, with_facts=with_facts)
            self._found[key] = found
            self._news.append((key, found))
        return found

    def news(self) -> Findings:
        """Return what was gathered since the last call: another process passes it on to the `learn` of this one."""
        news, self._news = self._news, []
        return news

    def learn(self, news: Findings) -> None:
        """Keep what another process has gathered."""
        self._found.update(news)
