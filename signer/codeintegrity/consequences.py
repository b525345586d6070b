"""Derive from a verdict what the user will see: events, status, Device Manager code and the next step.

For each target:

    what = consequences("kernel", verdict, evidence, target)
    targets.append(what.row)                                   # cli.md: one entry of `targets`
    events += [event.as_json() for event in what.events]       # cli.md: `events`; --events writes them as lines
"""

from __future__ import annotations

from dataclasses import field
from functools import cached_property
from typing import Any

from signer.codeintegrity.events import Event, events_of
from signer.codeintegrity.file_fields import EventSubject
from signer.codeintegrity.status import Status, next_step, status_of
from signer.policy.findings import Verdict
from signer.policy.targets import Target
from signer.records import dataclass
from signer.verify.evidence import Evidence


@dataclass(frozen=True)
class Consequences:
    """What a target logs and answers for a verdict, and what to do next; each part is made when it is first used."""

    policy: str
    """The name of the policy."""
    verdict: Verdict
    target: Target
    subject: EventSubject = field(repr=False, compare=False)
    """The file; of a package, its first driver."""
    verbose: bool = False
    """Whether the events of the Verbose channel count."""

    @cached_property
    def status(self) -> Status:
        """The codes that Windows returns."""
        return status_of(self.policy, self.verdict, self.subject.evidence.architecture)

    @cached_property
    def next_step(self) -> str | None:
        """What to do about a rejection."""
        return next_step(self.verdict)

    @cached_property
    def events(self) -> tuple[Event, ...]:
        """The events of the load."""
        return events_of(self.policy, self.verdict, self.subject, self.target, verbose=self.verbose)

    @property
    def row(self) -> dict[str, Any]:
        """Return one entry of `targets` in the command line's JSON."""
        ids = list(dict.fromkeys(event.id for event in self.events))
        return {**self.verdict.as_json(), "events": ids, "status": self.status.code}


def consequences(policy_name: str, verdict: Verdict, evidence: Evidence, target: Target) -> Consequences:
    """Return what the target logs and answers for a verdict on one file."""
    return Consequences(policy_name, verdict, target, EventSubject(evidence))
