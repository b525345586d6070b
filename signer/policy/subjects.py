"""The subjects of rules: a file's evidence and the certificate paths of its signatures.

Nothing here depends on the target, so the facts are computed once for a matrix of targets.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING

from cryptography import x509

from signer.algorithms import DigestAlgorithm
from signer.certificates import common_name, is_self_signed, issuer_common_name, issuer_name, per_certificate
from signer.formats.table import Traits
from signer.policy.classify import classify, submitter, usages_of
from signer.policy.findings import Classification
from signer.policy.timestamps import trusted_time
from signer.records import dataclass
from signer.trust.checks import BROKEN
from signer.trust.path import Anchor, CertificatePath
from signer.trust.signatures import digest_of, rsa_bits
from signer.verify.evidence import Evidence, Signature

if TYPE_CHECKING:
    from signer.pe.file_facts import FileFacts

PADDING_CODES = frozenset({"certificate-padding", "certificate-table-padding", "nonzero-padding"})
"""Problems of a file that only the strict check of MS13-098 refuses; the kernel has no such rule."""
IGNORED_CODES = frozenset({"several-certificates", "certificate-kind"})
"""Problems of a file that every Windows release ignores, because it reads only the first signature in the table."""


@dataclass(frozen=True, slots=True)
class CertificatePaths:
    """The certificate paths of one signature and of its timestamp."""

    signer: tuple[CertificatePath, ...] = ()
    timestamp: tuple[CertificatePath, ...] = ()
    public: tuple[CertificatePath, ...] = ()
    """With test roots: the signer's paths to the release roots. They classify the signature and grant no trust."""

    @property
    def classification_paths(self) -> tuple[CertificatePath, ...]:
        """The paths that classify the signature: those to release roots if none ends at a test root."""
        reached = any(path.anchor is not None for path in self.signer)
        return self.public if not reached and any(path.anchor is not None for path in self.public) else self.signer


@dataclass(frozen=True)
class SignatureSubject:
    """One signature with its paths."""

    place: int
    """The signature's index in the evidence."""
    signature: Signature
    paths: CertificatePaths
    subject: FileSubject
    """The signed file."""

    @cached_property
    def label(self) -> str:
        """The signature's name in messages: the signer, the submitter of a portal signature, and the source."""
        signature = self.signature
        name = repr(common_name(signature.signer)) if signature.signer is not None else "an unknown signer"
        place = f"catalog {signature.catalog!r}" if signature.source == "catalog" else f"{signature.source} signature"
        company = submitter(signature, self.classification)
        return f"{name} (submitted by {company!r}, {place})" if company else f"{name} ({place})"

    @cached_property
    def usages(self) -> frozenset[str] | None:
        """The signer's extended key usages; None without the extension or without a certificate."""
        return usages_of(self.signature.signer)

    @cached_property
    def lifetime(self) -> tuple[datetime, datetime] | None:
        """The validity period of the signer's certificate."""
        signer = self.signature.signer
        return (signer.not_valid_before_utc, signer.not_valid_after_utc) if signer is not None else None

    @cached_property
    def tbs_hashes(self) -> frozenset[bytes]:
        """The digests of the to-be-signed parts of the paths' certificates, by which App Control identifies them."""
        paths = (*self.paths.signer, *self.paths.public)
        certificates = {certificate for path in paths for certificate in path.certificates}
        return frozenset(digest for digest in map(tbs_hash, certificates) if digest is not None)

    @cached_property
    def classification(self) -> Classification:
        """The class of the signature."""
        return classify(self.signature, self.paths.classification_paths)

    @cached_property
    def test_signed(self) -> bool:
        """Whether only a test machine would trust the signature."""
        return self.classification in ("test", "self-signed", "preproduction")

    @cached_property
    def time(self) -> datetime | None:
        """The time of a timestamp that counts (`signer.policy.timestamps`); None without one."""
        return trusted_time(self.signature, self.paths.timestamp)

    @cached_property
    def candidates(self) -> tuple[SignaturePath, ...]:
        """The signature along its best path for each anchor and cross-certificate; without a path if none exists."""
        best: dict[object, CertificatePath] = {}
        for path in sorted(self.paths.signer, key=_rank):
            best.setdefault(_path_key(path), path)
        if len(best) > 1:
            best.pop(None, None)
        return tuple(SignaturePath(self, path) for path in best.values()) or (SignaturePath(self, None),)


NAMESAKE_HINT = "Trust that CA with --root FILE or --certs DIR, or install it: drvsign certs install-script DIR"
"""The hint about a signature under a namesake of a trusted root."""


@dataclass(frozen=True)
class SignaturePath:
    """One signature along one path."""

    signed: SignatureSubject
    path: CertificatePath | None

    @property
    def signature(self) -> Signature:
        """The signature."""
        return self.signed.signature

    @property
    def release_root(self) -> str | None:
        """With test roots: the release root of a signature whose chain does not end at a test root."""
        if self.anchor is not None:
            return None
        return next(
            (path.anchor.name for path in self.signed.paths.classification_paths if path.anchor is not None), None
        )

    @property
    def anchor(self) -> Anchor | None:
        """The root that the path ends in."""
        return self.path.anchor if self.path is not None else None

    @property
    def incomplete(self) -> bool:
        """Whether the certificate of an issuer on the path is missing."""
        return self.path is None or not is_self_signed(self.path.certificates[-1])

    @property
    def under_namesake(self) -> bool:
        """Whether the chain ends at a root with the name of a trusted root and another key."""
        return self.path is not None and self.anchor is None and any(one.other_key for one in self.path.problems)

    @cached_property
    def root_name(self) -> str:
        """The quoted name of the anchor, or of the path's last certificate without one."""
        if self.path is None:
            return "no root"
        return repr(self.path.anchor.name if self.path.anchor is not None else common_name(self.path.certificates[-1]))

    @property
    def issuer(self) -> str:
        """The name of the issuer of the path's last certificate; empty without a path."""
        if self.path is None:
            return ""
        top = self.path.certificates[-1]
        return issuer_common_name(top) or issuer_name(top)

    @cached_property
    def chain_end(self) -> str:
        """The clause for messages that names the end of the chain: its root, or the issuer that is missing."""
        label = self.signed.label
        if self.path is None:
            return f"{label} has no certificate chain"
        clause = f"the chain of {label} ends at {self.root_name}"
        if self.under_namesake:
            return f"{label} is signed under another test CA named {self.issuer!r}: trust it with --root, or install it"
        if self.anchor is not None or not self.incomplete:
            return clause
        return f"{clause}: its issuer {self.issuer!r} is not among the trusted roots"

    @cached_property
    def rsa_keys(self) -> tuple[tuple[str, int | None], ...]:
        """The name of each certificate of the path and the size of its RSA key; None for any other key."""
        certificates = self.path.certificates if self.path is not None else ()
        return tuple((common_name(certificate), rsa_bits(certificate)) for certificate in certificates)

    @cached_property
    def digests(self) -> frozenset[DigestAlgorithm]:
        """Every digest algorithm that Windows must support: of the file, the signature and each issued certificate."""
        certificates = self.path.certificates if self.path is not None else ()
        below = (cert.signature_algorithm_oid.dotted_string for cert in certificates if not is_self_signed(cert))
        own = (self.signature.digest_algorithm, self.signature.signer_digest_algorithm)
        return frozenset(found for found in (*own, *map(digest_of, below)) if found is not None)

    @cached_property
    def cross_certificate(self) -> x509.Certificate | None:
        """The certificate that the Code Verification Root issued, on a path to it."""
        if self.path is None or self.path.anchor is None or self.path.anchor.kind != "code-verification":
            return None
        return next((cert for cert in reversed(self.path.certificates) if not is_self_signed(cert)), None)

    @property
    def cross_name(self) -> str:
        """The quoted subject of the cross-certificate."""
        return repr(common_name(self.cross_certificate)) if self.cross_certificate is not None else "no certificate"


def missing_issuer_hint(candidate: SignaturePath, root_option: str) -> str:
    """Return how to give the issuer that ends the chain: only its own certificate would tell whether it is a root."""
    if candidate.path is None:
        return "Embed the certificates of the chain in the signature, or give them: --intermediate FILE"
    return f"Give the certificate of {candidate.issuer!r}: {root_option} if it is a root, else --intermediate FILE"


@dataclass(frozen=True)
class FileSubject:
    """One file: its evidence and the paths of its signatures, in the same order."""

    evidence: Evidence
    paths: tuple[CertificatePaths, ...]
    attributes: Mapping[str, str] | None = None
    """The file's attributes in the catalog, by name; None without a catalog."""
    facts: FileFacts | None = None
    """The file's version resource and first page, for App Control's file rules; None if unknown."""

    @classmethod
    def of(
        cls,
        evidence: Evidence,
        paths: Sequence[CertificatePaths],
        attributes: Mapping[str, str] | None = None,
        facts: FileFacts | None = None,
    ) -> FileSubject:
        """Create a subject; signatures without an entry in `paths` get no paths."""
        missing = len(evidence.signatures) - len(paths)
        return cls(evidence, (*paths, *(CertificatePaths() for _ in range(missing))), attributes, facts)

    @property
    def name(self) -> str:
        """The file's name in messages."""
        return self.evidence.name

    @cached_property
    def traits(self) -> Traits:
        """How Windows uses the file."""
        return self.evidence.traits

    @cached_property
    def file_hashes(self) -> frozenset[bytes]:
        """Every known digest of the file and every hash of its first page."""
        facts = (*self.facts.digests.values(), *self.facts.first_page.values()) if self.facts is not None else ()
        return frozenset((*self.evidence.digests.values(), *facts))

    @cached_property
    def signatures(self) -> tuple[SignatureSubject, ...]:
        """The signatures with their paths."""
        pairs = zip(self.evidence.signatures, self.paths, strict=True)
        return tuple(SignatureSubject(place, signature, paths, self) for place, (signature, paths) in enumerate(pairs))


def _rank(path: CertificatePath) -> tuple[int, bool, int]:
    """Return the rank of a path; the lowest is the best. A CA can have a revoked certificate and another one."""
    revoked = any(problem.code == "revoked" for problem in path.problems)
    return broken(path), revoked, len(path.certificates)


def _path_key(path: CertificatePath) -> object:
    """Return the key of paths that are equivalent for a policy: the anchor and the cross-certificate, if any."""
    if path.anchor is None:
        return None
    crossed = path.certificates[-1] if path.anchor.kind == "code-verification" else None
    return path.anchor.kind, path.anchor.root_id, crossed


@per_certificate
def tbs_hash(certificate: x509.Certificate) -> bytes | None:
    """Return the digest of a certificate's to-be-signed part, by its own signature's algorithm; None if unknown."""
    algorithm = digest_of(certificate.signature_algorithm_oid.dotted_string)
    return algorithm.hash(certificate.tbs_certificate_bytes) if algorithm is not None else None


def broken(path: CertificatePath) -> int:
    """Return the number of RFC 5280 violations of a path."""
    return sum(problem.code in BROKEN for problem in path.problems)
