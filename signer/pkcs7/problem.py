"""Define problems of signatures and timestamps, which are part of the evidence and not exceptions."""

from __future__ import annotations

from signer.records import dataclass


@dataclass(frozen=True, slots=True)
class SignatureProblem:
    """A problem: its stable code, and a message of one sentence."""

    code: str
    message: str
