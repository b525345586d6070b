"""Processes that can write no file beyond a size, as on a disk that is nearly full."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from tests.support.files import ROOT


def full_disk(size: int, environment: Mapping[str, str] = os.environ) -> dict[str, Any]:
    """Return the arguments of `subprocess.run` for a process that writes at most this number of bytes to a file.

    Python writes no bytecode there: it would leave truncated files, on which every later process fails.
    """
    import resource

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    variables = {**environment, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    return {"env": variables, "preexec_fn": limit}
