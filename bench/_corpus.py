"""Where the corpus of real files is."""

from __future__ import annotations

import os
from pathlib import Path


def corpus_root() -> Path:
    """The folder of real drivers, catalogs and packages; it may not exist."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "corpus"
    return Path(os.environ.get("DRVSIGN_CORPUS") or beside)
