"""Build the certificate paths from a signer to a trusted key.

Real signatures carry certificates in any order, with cross-certificates, several certificates of one CA and sometimes a
loop; most omit the root. The search therefore follows every issuer: a certificate that has the issuer's name and whose
key verifies the signature. Candidates with the right name and a different key only explain a failure.

Limits bound the work on a hostile pool: a path has at most MAX_DEPTH certificates below the anchor; the search adds at
most MAX_STEPS certificates to paths and verifies at most MAX_CHECKS signatures; at most MAX_PATHS paths are returned.
A path that exceeds a limit is not trusted and has the problem "search-limit".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from cryptography import x509

from signer.asn1.oids import EKU_CODE_SIGNING
from signer.certificates import (
    common_name,
    distinct,
    encoded,
    extensions,
    issuer_common_name,
    issuer_name,
    per_certificate,
    valid_at,
)
from signer.errors import CertificateError
from signer.records import dataclass
from signer.trust.checks import BROKEN, examine
from signer.trust.fields import Fields, fields_of, key_identity
from signer.trust.path import Anchor, AnchorKind, CertificatePath, PathProblem
from signer.trust.roots import kernel_root
from signer.trust.signatures import Check, check
from signer.trust.store import Mode, TrustStore

MAX_DEPTH = 12
MAX_STEPS = 500
MAX_CHECKS = 400
MAX_PATHS = 32

_KIND_ORDER: tuple[AnchorKind, ...] = ("microsoft", "code-verification", "test", "microsoft-test", "commercial")


def build_paths(
    leaf: x509.Certificate,
    pool: Iterable[x509.Certificate],
    store: TrustStore,
    *,
    at: datetime | None = None,
    usage: str = EKU_CODE_SIGNING,
) -> tuple[CertificatePath, ...]:
    """Build every path from `leaf` to an anchor of `store`, best first; without an anchor, the longest partial paths.

    `pool` holds the certificates of the signature, in any order. `usage` is the required extended key usage. The order
    of preference: reaches an anchor; breaks no rule; Microsoft's roots, then the Code Verification Root, test roots,
    commercial roots; all certificates valid at the time `at`, if given; shorter; fewer weak algorithms. The result has
    at least one path; a partial path has no anchor and a problem that names the reason.

    Source: RFC 4158 for path building, RFC 5280, section 6.1 for the rules.
    """
    return _paths(leaf, _Pool(pool), store, at, usage)


class _Pool:
    """Certificates in order, equal to others by their DER, whose hashes are kept: those of certificates are not."""

    def __init__(self, certificates: Iterable[x509.Certificate]) -> None:
        self.certificates = tuple(certificates)
        self._key = tuple(map(encoded, self.certificates))

    def __hash__(self) -> int:
        return hash(self._key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Pool) and self._key == other._key


@per_certificate
def _paths(
    leaf: x509.Certificate, pool: _Pool, store: TrustStore, at: datetime | None, usage: str
) -> tuple[CertificatePath, ...]:
    """Build the paths, cached: the files of a package share a few signers and their certificates."""
    paths = [
        CertificatePath(end.certificates, end.anchor, _problems(end, usage))
        for end in _Search(leaf, pool.certificates, store).ends()
    ]
    return tuple(sorted(paths, key=lambda path: _rank(path, at))[:MAX_PATHS])


def _problems(end: _End, usage: str) -> tuple[PathProblem, ...]:
    found = tuple(examine(end.certificates, end.anchor, usage))
    return (end.problem, *found) if end.problem is not None else found


def _rank(path: CertificatePath, at: datetime | None) -> tuple[bool, int, int, bool, int, int]:
    broken = sum(problem.code in BROKEN for problem in path.problems)
    return (
        path.anchor is None,
        broken,
        _KIND_ORDER.index(path.anchor.kind) if path.anchor is not None else 0,
        at is not None and not all(valid_at(certificate, at) for certificate in path.certificates),
        len(path.certificates),
        len(path.problems) - broken,
    )


@dataclass(frozen=True, slots=True)
class _Node:
    """A certificate and the fields that path building compares."""

    certificate: x509.Certificate
    fields: Fields

    def __hash__(self) -> int:
        return hash(encoded(self.certificate))

    @property
    def self_issued(self) -> bool:
        return self.fields.subject == self.fields.issuer

    @property
    def entity(self) -> tuple[bytes, bytes]:
        """Name and key. A path contains an entity at most once, which prevents loops (RFC 4158, 5.2)."""
        return self.fields.subject, self.fields.spki


@dataclass(frozen=True, slots=True)
class _Issuers:
    """The anchors and certificates whose key verifies a certificate's signature, and the candidates that failed."""

    anchors: tuple[Anchor, ...]
    issuers: tuple[_Node, ...]
    failed: tuple[tuple[Check, str], ...]
    """The result and the name of each candidate that has the issuer's name and whose key does not verify."""
    other_key: bool
    """True if a trusted root has the issuer's name, and the key identifiers say that it has another key."""


@dataclass(frozen=True, slots=True)
class _End:
    """The end of one search path: an anchor, or the problem that stopped it."""

    certificates: tuple[x509.Certificate, ...]
    anchor: Anchor | None
    problem: PathProblem | None = None


class _Search:
    """One depth-first search with its limits and its cached results."""

    def __init__(self, leaf: x509.Certificate, pool: Iterable[x509.Certificate], store: TrustStore) -> None:
        self._leaf = _Node(leaf, fields_of(leaf))
        self._store = store
        self._steps = 0
        self._outcomes: dict[tuple[bytes, bytes], Check] = {}
        self._known: dict[_Node, _Issuers] = {}
        self._by_subject: dict[bytes, list[_Node]] = {}
        for certificate in distinct((*pool, *store.intermediates)):
            node = _Node(certificate, fields_of(certificate))
            self._by_subject.setdefault(node.fields.subject, []).append(node)

    def ends(self) -> list[_End]:
        """Return the ends that reach an anchor, or all ends if none does."""
        found = list(self._extend((self._leaf,)))
        return [end for end in found if end.anchor is not None] or found

    def _extend(self, partial: tuple[_Node, ...]) -> Iterator[_End]:
        """Yield the ends of all paths that begin with `partial`."""
        self._steps += 1
        top = partial[-1]
        certificates = tuple(node.certificate for node in partial)
        own = self._own_anchor(top)
        if own is not None:
            yield _End(certificates, own)
            return
        above = self._issuers(top)
        for anchor in above.anchors:
            yield _End((*certificates, anchor.certificate) if anchor.certificate else certificates, anchor)
        entities = {node.entity for node in partial}
        issuers = [issuer for issuer in above.issuers if issuer.entity not in entities]
        for issuer in issuers:
            if len(partial) == MAX_DEPTH or self._steps >= MAX_STEPS:
                yield _End(certificates, None, PathProblem("search-limit", _limit_reached(top), len(partial) - 1))
                return
            yield from self._extend((*partial, issuer))
        if not above.anchors and not issuers:
            code, message = self._dead_end(top, above)
            other_key = above.other_key or (code == "root-untrusted" and self._has_namesake(top))
            yield _End(certificates, None, PathProblem(code, message, len(partial) - 1, other_key))

    def _has_namesake(self, root: _Node) -> bool:
        """Tell whether a trusted root has the name of the untrusted one."""
        return bool(self._store.named(root.fields.subject, common_name(root.certificate)))

    def _own_anchor(self, node: _Node) -> Anchor | None:
        """Return the anchor if `node` is its certificate. A cross-certificate has the same key and is not."""
        anchor = self._store.with_key(node.fields.spki)
        if anchor is None or anchor.certificate == node.certificate:
            return anchor
        return anchor if node.self_issued and self._check(node, node.fields.spki) is Check.GOOD else None

    def _issuers(self, node: _Node) -> _Issuers:
        """Return the issuers of `node`, cached for the paths that share it."""
        if node not in self._known:
            self._known[node] = self._find_issuers(node)
        return self._known[node]

    def _find_issuers(self, node: _Node) -> _Issuers:
        name = issuer_common_name(node.certificate)
        anchors, issuers = [], []
        failed: list[tuple[Check, str]] = []
        other_key = False
        for trusted in self._store.named(node.fields.issuer, name):
            outcome = self._check(node, trusted.spki)
            if outcome is Check.GOOD:
                anchors.append(trusted.anchor)
            elif not _other_key(node.certificate, trusted.anchor.certificate):
                failed.append((outcome, trusted.anchor.name))
            else:
                other_key = True
        untrusted = (_Node(one, fields_of(one)) for one in self._store.untrusted_issuers(node.fields.issuer))
        candidates = dict.fromkeys((*self._by_subject.get(node.fields.issuer, ()), *untrusted))
        reached = {anchor.spki_sha256 for anchor in anchors}
        for issuer in candidates:
            if issuer.self_issued and key_identity(issuer.fields.spki) in reached:
                continue  # the anchor's own certificate, embedded in the signature
            outcome = self._check(node, issuer.fields.spki)
            if outcome is Check.GOOD:
                issuers.append(issuer)
            elif not _other_key(node.certificate, issuer.certificate):
                failed.append((outcome, common_name(issuer.certificate)))
        return _Issuers(tuple(anchors), tuple(issuers), tuple(failed), other_key)

    def _dead_end(self, node: _Node, above: _Issuers) -> tuple[str, str]:
        """Return code and message of the problem that ends the path at `node`."""
        name = common_name(node.certificate)
        if len(self._outcomes) >= MAX_CHECKS:
            return "search-limit", _limit_reached(node)
        if node.self_issued and self._check(node, node.fields.spki) is not Check.BAD:
            return "root-untrusted", _untrusted(node, self._store.mode)
        for outcome, issuer in above.failed:
            if outcome is Check.BAD:
                return "bad-signature", f"the signature on {name!r} does not verify with the key of {issuer!r}"
        if above.failed:
            algorithm = node.certificate.signature_algorithm_oid.dotted_string
            return "signature-unknown", f"the signature on {name!r} uses the unsupported algorithm {algorithm}"
        if node.self_issued:
            return (
                "bad-signature",
                f"{name!r} names itself as its issuer, but its own key does not verify its signature",
            )
        issuer = issuer_name(node.certificate)
        return "issuer-unknown", f"the certificate of the issuer of {name!r} is missing: {issuer}"

    def _check(self, node: _Node, spki: bytes) -> Check:
        """Verify a signature once per pair of certificate and key; return UNKNOWN after MAX_CHECKS checks."""
        pair = (encoded(node.certificate), spki)
        if pair not in self._outcomes:
            if len(self._outcomes) >= MAX_CHECKS:
                return Check.UNKNOWN
            self._outcomes[pair] = _checked(node.certificate, spki)
        return self._outcomes[pair]


@per_certificate
def _checked(certificate: x509.Certificate, spki: bytes) -> Check:
    """Verify a signature, cached: the files of one run share their certificate authorities."""
    return check(certificate, spki)


def _other_key(child: x509.Certificate, issuer: x509.Certificate | None) -> bool:
    """Return whether the key identifiers rule out `issuer` as the signing key of `child` (RFC 5280, 4.2.1.1)."""
    if issuer is None:
        return False
    try:
        wanted = extensions(child).get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
        found = extensions(issuer).get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    except (x509.ExtensionNotFound, CertificateError):
        return False
    return wanted is not None and wanted != found


def _limit_reached(node: _Node) -> str:
    return f"the search for the issuer of {common_name(node.certificate)!r} exceeded its limit"


def _untrusted(node: _Node, mode: Mode) -> str:
    """Return the message about a self-signed root that is not in the store; name a known kernel root."""
    name = common_name(node.certificate)
    known = kernel_root(key_identity(node.fields.spki))
    if known is not None:
        return f"{name!r} is {known.name}, which is not trusted for {mode}"
    return f"{name!r} is self-signed and not a trusted root for {mode}"
