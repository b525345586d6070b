"""The one question: what does this target make of this file?

The command line asks it in this order, once per file for everything but the last line:

    evidence = gather(data, kind, name, catalogs)           # signer.verify: signatures, digests; nobody is trusted
    store = TrustStore.release()                            # or TrustStore.test_signing(roots)
    paths = paths_of(evidence, store)                       # signer.trust: the paths of each signer and timestamp
    switches = Switches(at=now, roots="release", testsigning=False)
    verdict = judge("kernel", evidence, paths, Target.parse("win11-24h2-x64"), switches)
    verdicts = judge_all("kernel", evidence, paths, all_targets(), switches)     # --matrix: facts are computed once

`verdict.outcome` is accepted, rejected or unknown, `verdict.rule` the rule that decided, `verdict.findings` all that
was said, `verdict.signatures` what became of each signature with its class. `signer.codeintegrity` turns a verdict into
events and codes. A whole driver package is judged by `signer.policy.package.judge_package`.
The kernel policy is about images that the kernel loads: judge user-mode images with "authenticode".
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from signer.certificates import TIME_STAMPING
from signer.errors import UsageError
from signer.policy.decide import Policy, decide
from signer.policy.file_facts import FileFacts
from signer.policy.findings import Verdict
from signer.policy.machine_state import EvaluationContext, MachineState
from signer.policy.subjects import CertificatePaths, FileSubject
from signer.policy.targets import Target
from signer.trust.chain import build_paths
from signer.trust.store import TrustStore
from signer.verify.evidence import Evidence, Signature

_MODULES = {
    "kernel": "signer.policy.kernel",
    "pnp": "signer.policy.pnp",
    "protected-media": "signer.policy.protected_media",
    "authenticode": "signer.policy.authenticode",
}
POLICY_NAMES = tuple(_MODULES)


def paths_of(evidence: Evidence, store: TrustStore) -> tuple[CertificatePaths, ...]:
    """The paths of every signature and timestamp, in the evidence's order. Which of them counts is for the policy."""
    return tuple(_paths_of(signature, store) for signature in evidence.signatures)


def _paths_of(signature: Signature, store: TrustStore) -> CertificatePaths:
    signer, stamp = signature.signer, signature.timestamp
    return CertificatePaths(
        build_paths(signer, signature.certificates, store) if signer is not None else (),
        build_paths(stamp.signer, (*stamp.certificates, *signature.certificates), store, usage=TIME_STAMPING)
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
    """The verdict of one target.

    `paths` stand in the order of the evidence's signatures; `attributes` are what the catalog says about the file, for
    the protected-media policy; `facts` what `file_facts.facts_of` found, for the file rules of lists that are given.
    Raises UsageError for an unknown policy.
    """
    return judge_all(policy_name, evidence, paths, [target], machine, attributes=attributes, facts=facts)[0]


def judge_all(
    policy_name: str,
    evidence: Evidence,
    paths: Sequence[CertificatePaths],
    targets: Iterable[Target],
    machine: MachineState,
    *,
    attributes: Mapping[str, str] | None = None,
    facts: FileFacts | None = None,
) -> list[Verdict]:
    """The verdicts of many targets about the same file, for the price of little more than one."""
    chosen, subject = policy(policy_name), FileSubject.of(evidence, paths, attributes, facts)
    if policy_name == "protected-media":
        machine = replace(machine, protected_media=True)
    return [decide(chosen, subject, EvaluationContext(target, machine)) for target in targets]


def policy(name: str) -> Policy:
    """The policy called `name`. Raises UsageError."""
    module = _MODULES.get(name)
    if module is not None:
        chosen: Policy = importlib.import_module(module).POLICY
        return chosen
    raise UsageError(f"there is no policy called {name!r}", hint=f"Choose one of {', '.join(POLICY_NAMES)}.")
