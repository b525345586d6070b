"""Microsoft's published roots by their keys."""

from __future__ import annotations

import functools

from signer.trust.published import PublishedRoot, published_roots


@functools.cache
def published_by_key() -> dict[str, PublishedRoot]:
    """Return the first root with each key, by the SHA-256 of the key."""
    found: dict[str, PublishedRoot] = {}
    for root in published_roots():
        found.setdefault(root.spki_sha256, root)
    return found
