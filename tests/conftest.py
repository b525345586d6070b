"""Fixtures for every room."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings

from tests.support.files import corpus_root

settings.register_profile("drvsign", deadline=None)  # a busy machine is no failure
settings.load_profile("drvsign")


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The folder of real files; the test is skipped where it is absent."""
    root = corpus_root()
    if not root.is_dir():
        pytest.skip(f"the corpus is not at {root}; set DRVSIGN_CORPUS to its folder")
    return root
