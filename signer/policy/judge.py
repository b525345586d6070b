"""Evaluate a policy on one file, for one target or for many.

`catalogs.verification.verify` does all steps for files and packages. The steps for one file, in order:

    evidence = gather(data, kind, name, catalogs)           # signer.verify: signatures and digests
    store = TrustStore.release()                            # or TrustStore.test_signing(roots)
    paths = paths_of(evidence, store)                       # signer.trust: the paths of each signer and timestamp
    machine = MachineState(at=now, roots="release", testsigning=False)
    verdict = judge("kernel", evidence, paths, Target.parse("win11-24h2-x64"), machine)
    verdicts = judge_all("kernel", evidence, paths, all_targets(), machine)      # computes the file's facts once

`verdict.outcome` is accepted, rejected, unknown or not-applicable, `verdict.rule` the deciding rule,
`verdict.findings` the results of all rules, `verdict.signatures` the class and outcome of each signature.
`signer.codeintegrity` converts a verdict into events and codes. `signer.policy.package.judge_package` evaluates a whole
driver package. The kernel policy applies to images that the kernel loads; use "authenticode" for user-mode images.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from signer.asn1.oids import EKU_TIME_STAMPING
from signer.errors import UsageError
from signer.policy.applicability import inapplicable
from signer.policy.decide import Policy, decide
from signer.policy.findings import Verdict
from signer.policy.machine_state import MachineState
from signer.policy.subjects import CertificatePaths, FileSubject
from signer.policy.targets import Target
from signer.trust.chain import build_paths
from signer.trust.store import TrustStore
from signer.verify.evidence import Evidence, Signature

if TYPE_CHECKING:
    from signer.pe.file_facts import FileFacts

_MODULES = {
    "kernel": "signer.policy.kernel",
    "pnp": "signer.policy.pnp",
    "protected-media": "signer.policy.protected_media",
    "authenticode": "signer.policy.authenticode",
}
POLICY_NAMES = tuple(_MODULES)


def paths_of(evidence: Evidence, store: TrustStore) -> tuple[CertificatePaths, ...]:
    """Build the paths of every signature and timestamp, in the evidence's order."""
    return tuple(_paths_of(signature, store) for signature in evidence.signatures)


def _paths_of(signature: Signature, store: TrustStore) -> CertificatePaths:
    signer, stamp = signature.signer, signature.timestamp
    return CertificatePaths(
        build_paths(signer, signature.certificates, store) if signer is not None else (),
        build_paths(stamp.signer, (*stamp.certificates, *signature.certificates), store, usage=EKU_TIME_STAMPING)
        if stamp is not None and stamp.signer is not None
        else (),
    )


def judge(
    policy_name: str,
    evidence: Evidence,
    paths: Sequence[CertificatePaths],
    target: Target,
    machine: MachineState,
    *,
    attributes: Mapping[str, str] | None = None,
    facts: FileFacts | None = None,
) -> Verdict:
    """Return the verdict for one target. Raises UsageError for an unknown policy.

    `paths` are in the order of the evidence's signatures; `attributes` are the file's attributes in the catalog, for
    the protected-media policy; `facts` is the result of `file_facts.facts_of`, for the file rules of allow and block
    lists.
    """
    return judge_all(policy_name, evidence, paths, [target], machine, attributes=attributes, facts=facts)[0]


def judge_all(
    policy_name: str,
    evidence: Evidence,
    paths: Sequence[CertificatePaths],
    targets: Sequence[Target],
    machine: MachineState,
    *,
    attributes: Mapping[str, str] | None = None,
    facts: FileFacts | None = None,
) -> list[Verdict]:
    """Return the verdicts for many targets; rules are evaluated once for those that are alike. Errors: see `judge`."""
    chosen, unfit = policy(policy_name), inapplicable(policy_name, evidence)
    if unfit is not None:
        return [Verdict.not_applicable(target.name, unfit) for target in targets]
    subject = FileSubject.of(evidence, paths, attributes, facts)
    if policy_name == "protected-media":
        machine = replace(machine, protected_media=True)
    return decide(chosen, subject, targets, machine)


def policy(name: str) -> Policy:
    """Return the policy called `name`. Raises UsageError for an unknown name."""
    module = _MODULES.get(name)
    if module is not None:
        chosen: Policy = importlib.import_module(module).POLICY
        return chosen
    raise UsageError(f"unknown policy {name!r}", hint=f"Use one of: {', '.join(POLICY_NAMES)}.")
