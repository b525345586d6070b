"""Cases in the manner of x509-limbo: one function a case, its docstring the sentence, its expectations decorators.

A function makes a sample; `@stated` names the source of its sentence, and each `@expect` states what one target makes
of the sample, and by which rule.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import tests.signer.policy.cases as cases
from signer.policy.findings import Outcome, Verdict
from signer.policy.judge import judge
from signer.policy.machine_state import MachineState
from signer.policy.targets import Target
from tests.support.policy_builder import Sample

NOW = datetime(2026, 11, 24, tzinfo=UTC)


@dataclass(frozen=True)
class Expectation:
    """The expected outcome of a sample on a target with a machine state."""

    id: str
    sentence: str
    source: str
    """The document or report that settles the sentence, or `documents.unsettled`."""
    make: Callable[[], Sample]
    policy: str
    outcome: Outcome
    rule: str
    target: str
    machine: MachineState
    code: str | None

    def judged(self) -> tuple[Sample, Verdict]:
        """Return a sample of the case, and the verdict about it."""
        sample = self.make()
        evidence, paths, target = sample.evidence, sample.paths, Target.parse(self.target)
        return sample, judge(self.policy, evidence, paths, target, self.machine, attributes=sample.attributes)


REGISTRY: list[Expectation] = []
_SOURCES: dict[Callable[[], Sample], str] = {}


def stated(source: str) -> Callable[[Callable[[], Sample]], Callable[[], Sample]]:
    """Name the source of a case; the innermost decorator."""

    def remember(make: Callable[[], Sample]) -> Callable[[], Sample]:
        _SOURCES[make] = source
        return make

    return remember


def expect(
    outcome: Outcome, rule: str, *targets: str, policy: str = "kernel", code: str | None = None, **machine: Any
) -> Callable[[Callable[[], Sample]], Callable[[], Sample]]:
    """Expect `outcome` by `rule` on these targets with this machine state; the findings must include `code`."""

    def register(make: Callable[[], Sample]) -> Callable[[], Sample]:
        assert make.__doc__, f"{make.__name__} needs a sentence"
        assert make in _SOURCES, f"{make.__name__} needs a source"
        state = "+".join(f"{name}={getattr(value, 'label', value)}" for name, value in machine.items())
        module = make.__module__.rpartition(".")[-1]
        given = {"at": NOW, **machine}
        for target in targets:
            where = "::".join(filter(None, (module, make.__name__, policy, target, state)))
            sentence, state_there = make.__doc__, MachineState(**given)
            REGISTRY.append(
                Expectation(where, sentence, _SOURCES[make], make, policy, outcome, rule, target, state_there, code)
            )
        return make

    return register


def all_cases() -> list[Expectation]:
    """Import every module of cases and return their expectations."""
    for module in pkgutil.iter_modules(cases.__path__):
        importlib.import_module(f"{cases.__name__}.{module.name}")
    return REGISTRY
