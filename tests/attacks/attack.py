"""Attacks with a name: each is a file as an attacker makes it, and what drvsign must say about it.

docs/security.md has a row for each; `python -m tests.attacks.attack` writes them.
"""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from signer.errors import SignerError
from signer.policy.judge import judge
from signer.policy.machine_state import MachineState
from signer.policy.targets import Target
from signer.policy.trust import Trust
from signer.verify.evidence import CatalogLookup, Evidence
from signer.verify.gather import gather
from tests.support.files import ROOT
from tests.support.hierarchy import NOW
from tests.support.signed_samples import TRUST

MODULES = (
    "certificate_table",
    "signed_data",
    "signature_values",
    "certificates",
    "public_keys",
    "timestamps",
    "containers",
)
TARGET = Target.parse("win11-24h2-x64")
Outcome = Literal["accepted", "rejected", "unknown", "not-applicable", "refused", "unsigned"]
_BEGIN, _END = "<!-- attacks: python -m tests.attacks.attack -->\n", "<!-- end of the attacks -->\n"


@dataclass(frozen=True)
class Attempt:
    """A file that is verified: on a test machine that trusts the sample root, unless `trust` is another one."""

    data: bytes
    kind: str = "image"
    trust: Trust = field(default=TRUST, repr=False)
    at: datetime = NOW
    catalogs: tuple[CatalogLookup, ...] = ()
    padding_check: bool = False


@dataclass(frozen=True)
class Result:
    """What drvsign says: the outcomes of two policies, and every code."""

    authenticode: str
    kernel: str
    codes: frozenset[str]


@dataclass(frozen=True)
class Attack:
    """One attack and its expected result."""

    build: Callable[[], Attempt]
    reference: str
    authenticode: str
    kernel: str
    code: str
    """The code that reports it: of the evidence or of a finding, or the class of the error."""

    @property
    def id(self) -> str:
        return f"{self.build.__module__.rpartition('.')[2]}.{self.build.__name__}"

    @property
    def row(self) -> str:
        """The row of the table in docs/security.md."""
        title = (self.build.__doc__ or "").splitlines()[0].rstrip(".")
        outcomes = f"{self.authenticode} | {self.kernel}"
        return f"| {title} | {self.reference} | {outcomes} | `{self.code}` | `{self.id}` |\n"


ATTACKS: list[Attack] = []
Build = Callable[[], Attempt]


def attack(
    reference: str, *, code: str, authenticode: str = "rejected", kernel: str = "rejected"
) -> Callable[[Build], Build]:
    """Register an attack; the first line of its docstring is its name."""

    def register(build: Build) -> Build:
        ATTACKS.append(Attack(build, reference, authenticode, kernel, code))
        return build

    return register


def every_attack() -> list[Attack]:
    """Return the attacks in the order of their modules, of which one may have been imported before."""
    for module in MODULES:
        importlib.import_module(f"tests.attacks.cases.{module}")
    return sorted(ATTACKS, key=lambda one: MODULES.index(one.id.partition(".")[0]))


def attempted(build: Build) -> Result:
    """Verify the file of an attack."""
    try:
        attempt = build()
        evidence = gather(attempt.data, attempt.kind, "attack.sys", attempt.catalogs)
    except SignerError as error:
        return Result("refused", "refused", frozenset({type(error).__name__}))
    paths, mode = attempt.trust.paths_of(evidence, attempt.at), attempt.trust.mode
    machine = MachineState(
        at=attempt.at, roots=mode, testsigning=mode == "test-signing", cert_padding_check=attempt.padding_check
    )
    verdicts = {policy: judge(policy, evidence, paths, TARGET, machine) for policy in ("authenticode", "kernel")}
    codes = {finding.code for verdict in verdicts.values() for finding in verdict.findings} | set(_codes(evidence))
    return Result(verdicts["authenticode"].outcome, verdicts["kernel"].outcome, frozenset(codes))


def _codes(evidence: Evidence) -> Iterable[str]:
    yield from (problem.code for problem in evidence.problems)
    for signature in evidence.signatures:
        stamp = signature.timestamp
        found = (*signature.problems, *signature.notes, *(() if stamp is None else (*stamp.problems, *stamp.notes)))
        yield from (problem.code for problem in found)


def table() -> str:
    head = "| attack | reference | authenticode | kernel | reported as | test |\n|---|---|---|---|---|---|\n"
    return head + "".join(one.row for one in every_attack())


def page_with_table(page: str) -> str:
    """Return docs/security.md with the table of the attacks."""
    return re.sub(f"(?s)(?<={re.escape(_BEGIN)}).*?(?={re.escape(_END)})", lambda _: "\n" + table() + "\n", page)


def main() -> int:
    path = ROOT / "docs" / "security.md"
    path.write_text(page_with_table(path.read_text(encoding="utf-8")), encoding="utf-8")
    return 0


if __name__ == "__main__":
    from tests.attacks import attack as imported  # the cases register with the module of this name

    sys.exit(imported.main())
