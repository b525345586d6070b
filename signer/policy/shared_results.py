"""Evaluate a rule once for all targets on which it reads the same settings.

The results of a rule depend only on its subject and on what it reads from the context. What it reads is therefore
recorded with its results, and these are used again where all of it is the same. The rules stay plain functions, and no
list of what each depends on can become wrong.
"""

from __future__ import annotations

from typing import Any, NamedTuple, cast

from signer.policy.findings import Finding
from signer.policy.machine_state import EvaluationContext
from signer.policy.rules import Rule, RuleResult, Subject
from signer.policy.targets import Releases

_OWN = ("target", "title")
"""What differs for each target: results that depend on it are not kept."""
_Read = str | Releases
"""The name of an attribute of the context, or the releases that were compared with its target."""


class AttributedResult(NamedTuple):
    """A rule's result with the rule's name and source."""

    rule: str
    source: str
    result: RuleResult

    @property
    def finding(self) -> Finding:
        """The result as a finding."""
        return self.result.finding(self.source, rule=self.rule)


class SharedResults:
    """The results of rules about the subjects of one file and one machine state. The subjects must outlive it."""

    def __init__(self) -> None:
        self._known: dict[tuple[object, int], list[tuple[dict[_Read, object], tuple[AttributedResult, ...]]]] = {}

    def of(self, rule: Rule[Subject], subject: Subject, context: EvaluationContext) -> tuple[AttributedResult, ...]:
        """Return the results of a rule, which is evaluated unless it was where it reads the same."""
        known = self._known.setdefault((rule.check, id(subject)), [])
        for reads, results in known:
            if all(_read(context, one) == value for one, value in reads.items()):
                return results
        watched = _Watched(context)
        results = results_of(rule, subject, cast(EvaluationContext, watched))
        if not watched.reads.keys() & _OWN:
            known.append((watched.reads, results))
        return results


def results_of(rule: Rule[Subject], subject: Subject, context: EvaluationContext) -> tuple[AttributedResult, ...]:
    """Return the results of a rule that applies to the context's target."""
    return tuple([AttributedResult(rule.name, rule.source, result) for result in rule.check(subject, context)])


class _Watched:
    """A context that records what is read from it. The machine state is the same for all targets."""

    def __init__(self, context: EvaluationContext) -> None:
        self._context = context
        self.reads: dict[_Read, object] = {}
        self.machine = context.machine

    def __getattr__(self, name: str) -> Any:
        value = self.reads[name] = getattr(self._context, name)
        return value

    def within(self, releases: Releases) -> bool:
        """Record the comparison of the target with releases."""
        value = self.reads[releases] = self._context.within(releases)
        return value


def _read(context: EvaluationContext, one: _Read) -> object:
    return getattr(context, one) if isinstance(one, str) else context.within(one)
