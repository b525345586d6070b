"""The certificates that a verification trusts: the signers' roots, the public timestamp roots and the CRLs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Self

from cryptography import x509

from signer.certificates import is_self_signed
from signer.policy.judge import paths_of
from signer.policy.machine_state import Roots
from signer.policy.subjects import CertificatePaths
from signer.policy.timestamps import trusted_time
from signer.records import dataclass
from signer.trust.chain import build_paths
from signer.trust.store import TrustStore
from signer.verify.evidence import Evidence, Signature


@dataclass(frozen=True)
class Trust:
    """The trust stores for signers and for timestamps, and the CRLs to apply to the paths of both."""

    signers: TrustStore
    public: TrustStore
    """The release roots: public authorities timestamp most test-signed drivers."""
    crls: tuple[x509.CertificateRevocationList, ...] = ()

    @classmethod
    def release(
        cls,
        *,
        intermediates: Iterable[x509.Certificate] = (),
        crls: Iterable[x509.CertificateRevocationList] = (),
    ) -> Self:
        """Trust Microsoft's production roots and the public roots.

        `intermediates` help to complete paths and are not trusted themselves.
        """
        store = TrustStore.release().with_intermediates(intermediates)
        return cls(store, store, tuple(crls))

    @classmethod
    def test_signing(
        cls,
        roots: Iterable[x509.Certificate] = (),
        *,
        intermediates: Iterable[x509.Certificate] = (),
        crls: Iterable[x509.CertificateRevocationList] = (),
    ) -> Self:
        """Trust `roots` and Microsoft's test roots for signers, and the public roots for timestamps.

        Raises UsageError when one of `roots` has the key of a production root.
        """
        helpers = tuple(intermediates)
        signers = TrustStore.test_signing(roots).with_intermediates(helpers)
        return cls(signers, TrustStore.release().with_intermediates(helpers), tuple(crls))

    @classmethod
    def for_signer(cls, certificate: x509.Certificate, chain: Iterable[x509.Certificate] = ()) -> Self:
        """Trust the release roots where the signer's chain ends at one, else the chain's own root as a test root."""
        carried = (certificate, *chain)
        release = TrustStore.release()
        if any(path.anchor is not None for path in build_paths(certificate, carried, release)):
            return cls(release, release)
        return cls(TrustStore.test_signing(one for one in carried if is_self_signed(one)), release)

    @property
    def mode(self) -> Roots:
        """Which roots are trusted for signers: "release" or "test-signing"."""
        return self.signers.mode

    def paths_of(self, evidence: Evidence, at: datetime) -> tuple[CertificatePaths, ...]:
        """Return the certificate paths of every signature and timestamp, in the evidence's order.

        CRLs apply to a signer as of its trusted timestamp, else as of `at`; to an authority as of its timestamp.
        """
        found = paths_of(evidence, self.signers)
        if self.signers is not self.public:
            found = tuple(
                replace(own, timestamp=(*own.timestamp, *public.timestamp), public=public.signer)
                for own, public in zip(found, paths_of(evidence, self.public), strict=True)
            )
        if not self.crls:
            return found
        pairs = zip(found, evidence.signatures, strict=True)
        return tuple(self._with_revocations(paths, signature, at) for paths, signature in pairs)

    def _with_revocations(self, paths: CertificatePaths, signature: Signature, at: datetime) -> CertificatePaths:
        """Apply the CRLs to the timestamp's paths first: a timestamp of a revoked authority may not count."""
        from signer.trust.revocation import with_revocations

        stamp = signature.timestamp
        known = dict.fromkeys((*signature.certificates, *(stamp.certificates if stamp is not None else ())))
        known |= dict.fromkeys(one for path in (*paths.signer, *paths.timestamp) for one in path.certificates)
        if stamp is not None:
            apply = partial(with_revocations, crls=self.crls, at=stamp.time, known=known, timestamps=True)
            paths = replace(paths, timestamp=tuple(map(apply, paths.timestamp)))
        moment = trusted_time(signature, paths.timestamp) or at
        apply = partial(with_revocations, crls=self.crls, at=moment, known=known)
        return replace(paths, signer=tuple(map(apply, paths.signer)))
