"""A lief process that one test can end."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from signer.pe import lief_process


@pytest.fixture
def fresh_reader() -> Iterator[None]:
    """Start a new lief process for a test that ends it or leaves it unread answers."""
    lief_process.reader.cache_clear()
    yield
    lief_process.reader()._end()
    lief_process.reader.cache_clear()
