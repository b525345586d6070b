"""Derive from a verdict what the user will see: events, status, Device Manager code and the next step.

For each target:

    what = consequences("kernel", verdict, evidence, target)
    targets.append(what.row)                                   # cli.md: one entry of `targets`
    events += [event.as_json() for event in what.events]       # cli.md: `events`; --events writes them as lines
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import field
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from signer.codeintegrity.events import Event, events_of
from signer.codeintegrity.status import Status, next_step, status_of
from signer.policy.findings import Verdict
from signer.policy.targets import Target
from signer.records import dataclass
from signer.verify.evidence import Evidence

if TYPE_CHECKING:
    from signer.pe.file_facts import FileFacts


@dataclass(frozen=True)
class Consequences:
    """What a target logs and answers for a verdict, and what to do next."""

    verdict: Verdict
    status: Status
    next_step: str | None
    write_events: Callable[[], tuple[Event, ...]] = field(repr=False, compare=False)

    @cached_property
    def events(self) -> tuple[Event, ...]:
        """The events of the load, written on first use: the table of a matrix has none."""
        return self.write_events()

    @property
    def row(self) -> dict[str, Any]:
        """Return one entry of `targets` in the command line's JSON."""
        ids = list(dict.fromkeys(event.id for event in self.events))
        return {**self.verdict.as_json(), "events": ids, "status": self.status.code}


def consequences(
    policy_name: str,
    verdict: Verdict,
    evidence: Evidence,
    target: Target,
    *,
    facts: Callable[[], FileFacts] | None = None,
    verbose: bool = False,
) -> Consequences:
    """Return what the target logs and answers; `facts` and `verbose` are those of `events_of`."""
    return Consequences(
        verdict,
        status_of(policy_name, verdict, evidence.architecture),
        next_step(verdict),
        partial(events_of, policy_name, verdict, evidence, target, facts=facts, verbose=verbose),
    )
