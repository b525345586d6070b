"""Build the certificate paths from a signer to a trusted key.

Real signatures carry certificates in any order, with cross-certificates, several certificates of one CA and sometimes a
loop; the root is mostly left out. So every way up is tried: an issuer is whoever has the name and whose key made the
signature. Of issuers with the right name and the wrong key nothing is kept, unless there is no better one.

Limits, so that a hostile pool can't make it run for ever: a path has at most MAX_DEPTH certificates below the anchor;
at most MAX_STEPS certificates are put on a path while searching and MAX_CHECKS signatures are checked; at most
MAX_PATHS paths are returned. What is not found within them is not trusted, and the path says so ("search-limit").
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509

from signer.certificates import (
    CODE_SIGNING,
    common_name,
    extensions,
    issuer_common_name,
    issuer_name,
    valid_at,
)
from signer.errors import CertificateError
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
    usage: str = CODE_SIGNING,
) -> tuple[CertificatePath, ...]:
    """Every path from `leaf` to an anchor of `store`, best first; else the furthest ways up, with the reason.

    `pool` holds whatever certificates came along, in any order. `usage` is the extended key usage that the path is
    wanted for. Best is: reaches an anchor; breaks no rule; Microsoft's roots before the Code Verification Root before
    test roots before commercial ones; all certificates valid `at` that time, where one is given; shorter; fewer weak
    algorithms. There is always at least one path. Source: RFC 4158 for building, RFC 5280, 6.1 for the rules.
    """
    return _paths(leaf, tuple(pool), store, at, usage)


@functools.lru_cache(maxsize=1024)
def _paths(
    leaf: x509.Certificate, pool: tuple[x509.Certificate, ...], store: TrustStore, at: datetime | None, usage: str
) -> tuple[CertificatePath, ...]:
    """The paths, remembered: the files of a package are signed by the same few, with the same certificates."""
    paths = [
        CertificatePath(end.certificates, end.anchor, _problems(end, usage))
        for end in _Search(leaf, pool, store).ends()
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
    """A certificate with the fields that it is found by."""

    certificate: x509.Certificate
    fields: Fields

    @property
    def self_issued(self) -> bool:
        return self.fields.subject == self.fields.issuer

    @property
    def entity(self) -> tuple[bytes, bytes]:
        """Name and key: the same entity is never put on a path twice, which is what ends loops (RFC 4158, 5.2)."""
        return self.fields.subject, self.fields.spki


@dataclass(frozen=True, slots=True)
class _Above:
    """What is directly above a certificate: keys of anchors and certificates that made its signature, else why not."""

    anchors: tuple[Anchor, ...]
    issuers: tuple[_Node, ...]
    failed: tuple[tuple[Check, str], ...]
    """Who has the name and did not make the signature, and whether that is certain."""


@dataclass(frozen=True, slots=True)
class _End:
    """Where one way up ended, and why."""

    certificates: tuple[x509.Certificate, ...]
    anchor: Anchor | None
    problem: PathProblem | None = None


class _Search:
    """One depth-first search, with its budget and what it already knows."""

    def __init__(self, leaf: x509.Certificate, pool: Iterable[x509.Certificate], store: TrustStore) -> None:
        self._leaf = _Node(leaf, fields_of(leaf))
        self._store = store
        self._steps = 0
        self._outcomes: dict[tuple[x509.Certificate, bytes], Check] = {}
        self._known: dict[_Node, _Above] = {}
        self._by_subject: dict[bytes, list[_Node]] = {}
        for certificate in dict.fromkeys((*pool, *store.intermediates)):
            node = _Node(certificate, fields_of(certificate))
            self._by_subject.setdefault(node.fields.subject, []).append(node)

    def ends(self) -> list[_End]:
        """All ends; only the anchored ones if there are any."""
        found = list(self._climb((self._leaf,)))
        return [end for end in found if end.anchor is not None] or found

    def _climb(self, way: tuple[_Node, ...]) -> Iterator[_End]:
        """The ends of all ways up from the last certificate of `way`."""
        self._steps += 1
        top = way[-1]
        certificates = tuple(node.certificate for node in way)
        own = self._own_anchor(top)
        if own is not None:
            yield _End(certificates, own)
            return
        above = self._above(top)
        for anchor in above.anchors:
            yield _End((*certificates, anchor.certificate) if anchor.certificate else certificates, anchor)
        entities = {node.entity for node in way}
        issuers = [issuer for issuer in above.issuers if issuer.entity not in entities]
        for issuer in issuers:
            if len(way) == MAX_DEPTH or self._steps >= MAX_STEPS:
                message = f"the search for the issuer of {common_name(top.certificate)!r} was given up"
                yield _End(certificates, None, PathProblem("search-limit", message, len(way) - 1))
                return
            yield from self._climb((*way, issuer))
        if not above.anchors and not issuers:
            code, message = self._dead_end(top, above)
            yield _End(certificates, None, PathProblem(code, message, len(way) - 1))

    def _own_anchor(self, node: _Node) -> Anchor | None:
        """The anchor that this certificate is, rather than one that merely has its key, as a cross-certificate does."""
        anchor = self._store.with_key(node.fields.spki)
        if anchor is None or anchor.certificate == node.certificate:
            return anchor
        return anchor if node.self_issued and self._check(node, node.fields.spki) is Check.GOOD else None

    def _above(self, node: _Node) -> _Above:
        """Who issued `node`; found once, however many ways lead through it."""
        if node not in self._known:
            self._known[node] = self._find_above(node)
        return self._known[node]

    def _find_above(self, node: _Node) -> _Above:
        name = issuer_common_name(node.certificate)
        anchors, issuers = [], []
        failed: list[tuple[Check, str]] = []
        for trusted in self._store.named(node.fields.issuer, name):
            outcome = self._check(node, trusted.spki)
            if outcome is Check.GOOD:
                anchors.append(trusted.anchor)
            elif not _other_key(node.certificate, trusted.anchor.certificate):
                failed.append((outcome, trusted.anchor.name))
        helpers = (_Node(helper, fields_of(helper)) for helper in self._store.helpers(node.fields.issuer))
        candidates = dict.fromkeys((*self._by_subject.get(node.fields.issuer, ()), *helpers))
        reached = {anchor.spki_sha256 for anchor in anchors}
        for issuer in candidates:
            if issuer.self_issued and key_identity(issuer.fields.spki) in reached:
                continue  # the root itself, which came along
            outcome = self._check(node, issuer.fields.spki)
            if outcome is Check.GOOD:
                issuers.append(issuer)
            elif not _other_key(node.certificate, issuer.certificate):
                failed.append((outcome, common_name(issuer.certificate)))
        return _Above(tuple(anchors), tuple(issuers), tuple(failed))

    def _dead_end(self, node: _Node, above: _Above) -> tuple[str, str]:
        """Why the way up ends at `node`: the problem, code and sentence."""
        name = common_name(node.certificate)
        if len(self._outcomes) >= MAX_CHECKS:
            return "search-limit", f"the search for the issuer of {name!r} was given up"
        if node.self_issued and self._check(node, node.fields.spki) is not Check.BAD:
            return "root-untrusted", _untrusted(node, self._store.mode)
        for outcome, issuer in above.failed:
            if outcome is Check.BAD:
                return "bad-signature", f"the signature on {name!r} was not made with the key of {issuer!r}"
        if above.failed:
            algorithm = node.certificate.signature_algorithm_oid.dotted_string
            return "signature-unknown", f"the signature on {name!r} can't be checked here (algorithm {algorithm})"
        if node.self_issued:
            return "bad-signature", f"{name!r} names itself as its issuer, but its key did not sign it"
        return "issuer-unknown", f"the issuer of {name!r} is missing: {issuer_name(node.certificate)}"

    def _check(self, node: _Node, spki: bytes) -> Check:
        """The check, counted once for each pair of certificate and key; past the budget nothing is known."""
        pair = (node.certificate, spki)
        if pair not in self._outcomes:
            if len(self._outcomes) >= MAX_CHECKS:
                return Check.UNKNOWN
            self._outcomes[pair] = _checked(*pair)
        return self._outcomes[pair]


@functools.lru_cache(maxsize=4096)
def _checked(certificate: x509.Certificate, spki: bytes) -> Check:
    """The check, remembered: many files in one call share their authorities."""
    return check(certificate, spki)


def _other_key(child: x509.Certificate, issuer: x509.Certificate | None) -> bool:
    """Whether the key identifiers say that this is another key of an issuer with the same name (RFC 5280, 4.2.1.1)."""
    if issuer is None:
        return False
    try:
        wanted = extensions(child).get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
        found = extensions(issuer).get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    except (x509.ExtensionNotFound, CertificateError):
        return False
    return wanted is not None and wanted != found


def _untrusted(node: _Node, mode: Mode) -> str:
    """The sentence about a root that is not in the store, with what is known of it."""
    name = common_name(node.certificate)
    known = kernel_root(key_identity(node.fields.spki))
    if known is not None:
        return f"{name!r} is {known.name}, which is not trusted for {mode}"
    return f"{name!r} is self-signed and not a trusted root for {mode}"
