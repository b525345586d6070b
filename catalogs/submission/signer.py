"""The signer of a submission's cabinet: the portal accepts only the certificate that is registered with the account."""

from __future__ import annotations

from collections.abc import Sequence

from cryptography import x509

from catalogs.inf.problems import PackageProblem
from signer.certificates import common_name
from signer.errors import SubmissionRefused
from signer.policy.classify import classify_signer
from signer.trust.chain import build_paths
from signer.trust.store import TrustStore

_HINT = "Sign the cabinet with the certificate that is registered with the portal account."


def signer_problem(signer: x509.Certificate, others: Sequence[x509.Certificate]) -> PackageProblem | None:
    """Return the problem of a self-signed or test certificate; `others` are the certificates that come with it.

    Whether a certificate from a public authority is registered with the account can't be checked here.
    """
    kind = classify_signer(signer, build_paths(signer, others, TrustStore.release()))
    if kind not in ("self-signed", "test", "preproduction"):
        return None
    described = "self-signed" if kind == "self-signed" else "a test certificate"
    message = f"the cabinet's signer certificate {common_name(signer)!r} is {described}"
    return PackageProblem(SubmissionRefused.code, message, hint=_HINT)


def require_submittable(signer: x509.Certificate, others: Sequence[x509.Certificate]) -> None:
    """Raise SubmissionRefused for a self-signed or test certificate, before a cabinet is signed with it."""
    problem = signer_problem(signer, others)
    if problem is not None:
        raise SubmissionRefused(problem.message, hint=f"{_HINT} For a cabinet without a signature: --unsigned")
