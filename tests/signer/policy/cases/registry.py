"""Cases in the manner of x509-limbo: one function a case, its docstring the sentence, its expectations decorators.

A function makes a sample; each `@expect` states what one target makes of it, and by which rule.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from signer.policy.findings import Outcome
from signer.policy.machine_state import MachineState
from tests.support.policy_builder import Sample

NOW = datetime(2026, 11, 24, tzinfo=UTC)


@dataclass(frozen=True)
class Expectation:
    """The expected outcome of a sample on a target with a machine state."""

    id: str
    sentence: str
    make: Callable[[], Sample]
    policy: str
    outcome: Outcome
    rule: str
    target: str
    machine: MachineState
    code: str | None


REGISTRY: list[Expectation] = []


def expect(
    outcome: Outcome, rule: str, *targets: str, policy: str = "kernel", code: str | None = None, **machine: Any
) -> Callable[[Callable[[], Sample]], Callable[[], Sample]]:
    """Expect `outcome` by `rule` on these targets with this machine state; the findings must include `code`."""

    def register(make: Callable[[], Sample]) -> Callable[[], Sample]:
        assert make.__doc__, f"{make.__name__} needs a sentence"
        state = "+".join(f"{name}={getattr(value, 'label', value)}" for name, value in machine.items())
        module = make.__module__.rpartition(".")[-1]
        given = {"at": NOW, **machine}
        for target in targets:
            where = "::".join(filter(None, (module, make.__name__, policy, target, state)))
            REGISTRY.append(
                Expectation(where, make.__doc__, make, policy, outcome, rule, target, MachineState(**given), code)
            )
        return make

    return register
