"""Load a synthetic driver on a target and return what Windows logs and answers."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from signer.codeintegrity.consequences import Consequences
from signer.codeintegrity.file_fields import EventSubject
from signer.pe.file_facts import FileFacts
from signer.policy.judge import judge
from signer.policy.machine_state import MachineState
from signer.policy.targets import Target
from tests.support.policy_builder import Sample

NOW = datetime(2026, 11, 24, tzinfo=UTC)


class Everything:
    """A block list that names every driver."""

    def denies(self, case: object) -> bool:
        """Deny every driver."""
        return True

    def denying_rule(self, case: object) -> str:
        """Name the rule that denies."""
        return "its only rule"


class NoList:
    """An allow list without entries."""

    def allows(self, signed: object) -> bool:
        """Allow nothing."""
        return False


def follow(
    sample: Sample,
    target: str,
    policy: str = "kernel",
    *,
    facts: FileFacts | None = None,
    verbose: bool = False,
    **machine: Any,
) -> Consequences:
    """Judge a sample on a target, on a machine in the state of the keywords, and return what follows."""
    where = Target.parse(target)
    given = MachineState(**{"at": NOW, **machine})
    verdict = judge(policy, sample.evidence, sample.paths, where, given, attributes=sample.attributes)
    read = (lambda: facts) if facts is not None else None
    return Consequences(policy, verdict, where, EventSubject(sample.evidence, read), verbose)
