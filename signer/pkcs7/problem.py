"""What is wrong with a signature or a timestamp: evidence, not an exception."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with the evidence: a stable code and one sentence."""

    code: str
    message: str
