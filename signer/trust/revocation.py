"""Check the certificates of a path against certificate revocation lists (CRLs) from files, at a given time.

Nothing is downloaded. Windows accepts a signature whose timestamp is before the revocation, so the result depends on
the time. Code Integrity reads no CRLs of certificate authorities when it loads a driver; policies decide the effect of
a revocation.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime

from cryptography import x509

from signer.asn1 import der, oids
from signer.certificates import common_name, extensions
from signer.errors import CertificateError
from signer.records import dataclass
from signer.trust.fields import fields_of, key_identity
from signer.trust.path import CertificatePath, PathProblem
from signer.trust.roots import kernel_root
from signer.trust.signatures import Check, check

_UNDERSTOOD = (x509.CRLNumber, x509.AuthorityKeyIdentifier, x509.DeltaCRLIndicator, x509.IssuingDistributionPoint)

_REASONS = {
    x509.ReasonFlags.key_compromise: "key compromise",
    x509.ReasonFlags.ca_compromise: "CA compromise",
    x509.ReasonFlags.affiliation_changed: "affiliation changed",
    x509.ReasonFlags.superseded: "superseded",
    x509.ReasonFlags.cessation_of_operation: "cessation of operation",
    x509.ReasonFlags.certificate_hold: "on hold",
    x509.ReasonFlags.privilege_withdrawn: "privilege withdrawn",
    x509.ReasonFlags.aa_compromise: "attribute authority compromise",
}

_LATER_ONLY = frozenset(
    {
        x509.ReasonFlags.unspecified,
        x509.ReasonFlags.affiliation_changed,
        x509.ReasonFlags.superseded,
        x509.ReasonFlags.cessation_of_operation,
    }
)
"""Reasons that leave the older timestamps of an authority valid, if the entry states one (RFC 3161, 4.1)."""

_PEM = re.compile(rb"-----BEGIN X509 CRL-----(?:[^-]|-(?!----))++-----END X509 CRL-----")
"""A block; the next five hyphens end it, so that a block without an end is not searched for one in all others."""


NOTES = frozenset(
    {
        "crl-stale",
        "crl-not-yet-valid",
        "crl-partial",
        "crl-bad-signature",
        "crl-signature-unknown",
        "crl-not-allowed",
        "crl-not-supported",
    }
)
"""Codes about the lists. The only other code of this module is "revoked"."""


@dataclass(frozen=True, slots=True)
class Revocation:
    """The revocation of one certificate of a path."""

    index: int
    """The index of the certificate in the path; 0 is the leaf."""
    name: str
    date: datetime
    """The revocationDate, aware, in UTC."""
    reason: str
    """The CRLReason in words, "unspecified" if the list gives none (RFC 5280, 5.3.1)."""
    invalidity_date: datetime | None
    """The invalidityDate, when the key was presumably compromised, or None. Windows ignores it."""
    in_effect: bool
    """Whether the revocation counts at the checked time."""


@dataclass(frozen=True, slots=True)
class RevocationStatus:
    """The result of checking one path against revocation lists."""

    revocations: tuple[Revocation, ...]
    checked: frozenset[int]
    """The indexes of the certificates that a valid list of their issuer covers. The status of the others is unknown."""
    notes: tuple[PathProblem, ...]
    """Problems of the lists; their codes are in NOTES."""

    @property
    def in_effect(self) -> tuple[Revocation, ...]:
        """The revocations that are in effect at the checked time."""
        return tuple(revocation for revocation in self.revocations if revocation.in_effect)


def load_crls(data: bytes) -> list[x509.CertificateRevocationList]:
    """Load every revocation list of a file: one in DER, or any number in PEM. Raises CertificateError."""
    blocks = _PEM.findall(data)
    try:
        if blocks:
            return [x509.load_pem_x509_crl(block) for block in blocks]
        return [x509.load_der_x509_crl(data)]
    except (ValueError, x509.InvalidVersion) as error:
        message = "not a certificate revocation list, or a damaged one"
        raise CertificateError(message, hint="Give a revocation list in DER (.crl) or PEM.") from error


def revoked(
    path: CertificatePath,
    crls: Iterable[x509.CertificateRevocationList],
    at: datetime,
    *,
    known: Iterable[x509.Certificate] = (),
    timestamps: bool = False,
) -> RevocationStatus:
    """Check the certificates of `path` against `crls` at the time `at` (aware).

    A list counts if the issuer on the path signed it and is allowed to. An authority can have several certificates: one
    of `known` with the issuer's name and key can allow it too. A stale list still revokes the certificates that it
    lists, because a revocation does not end when the list expires. Source: RFC 5280, sections 5 and 6.3.

    With `timestamps`, the path is that of a timestamp authority, and `at` the time of its timestamp. The holder of a
    stolen key can give a timestamp any time, so a revocation counts from its date on only for some reasons (RFC 3161,
    section 4), and else at any time.
    """
    lists, certificates = tuple(crls), tuple(known)
    found: list[Revocation] = []
    notes: list[PathProblem] = []
    checked: set[int] = set()
    for index, certificate in enumerate(path.certificates):
        for crl in lists:
            if _names_issuer(crl, certificate) and not _is_anchor(path, index):
                problem = _unusable(crl, path, index, certificates)
                if problem is not None:
                    notes.append(problem)
                    continue
                gap = _gap(crl, certificate, index)
                if gap is None:
                    checked.add(index)
                else:
                    notes.append(
                        PathProblem("crl-partial", f"a revocation list may omit the certificate: it {gap}", index)
                    )
                notes.extend(_freshness(crl, index, at))
                found.extend(_entries(crl, certificate, index, at, timestamps=timestamps))
    return RevocationStatus(tuple(dict.fromkeys(found)), frozenset(checked), tuple(dict.fromkeys(notes)))


def with_revocations(
    path: CertificatePath,
    crls: Iterable[x509.CertificateRevocationList],
    at: datetime,
    *,
    known: Iterable[x509.Certificate] = (),
    timestamps: bool = False,
) -> CertificatePath:
    """Return the path with the result of `revoked` added to its problems: "revoked", and notes about the lists."""
    status = revoked(path, crls, at, known=known, timestamps=timestamps)
    problems = tuple(
        PathProblem("revoked", f"{r.name!r} was revoked on {r.date:%Y-%m-%d} ({r.reason})", r.index)
        for r in status.in_effect
    )
    return replace(path, problems=(*path.problems, *problems, *status.notes))


def _names_issuer(crl: x509.CertificateRevocationList, certificate: x509.Certificate) -> bool:
    return _issuer(crl) == fields_of(certificate).issuer


def _issuer(crl: x509.CertificateRevocationList) -> bytes:
    """Return the issuer's bytes. TBSCertList is [version] signature issuer ... (RFC 5280, 5.1)."""
    data = crl.tbs_certlist_bytes
    element = der.read(data, der.read(data).body)
    if element.tag == der.INTEGER:
        element = der.read(data, element.end)
    return der.read(data, element.end).whole(data)


def _is_anchor(path: CertificatePath, index: int) -> bool:
    """Return whether the certificate is the anchor: a root can't revoke itself."""
    if path.anchor is None or index != len(path.certificates) - 1:
        return False
    return key_identity(fields_of(path.certificates[index]).spki) == path.anchor.spki_sha256


def _unusable(
    crl: x509.CertificateRevocationList, path: CertificatePath, index: int, known: tuple[x509.Certificate, ...]
) -> PathProblem | None:
    """Return why the list can't be used for this certificate, or None."""
    name = common_name(path.certificates[index])
    above = path.certificates[index + 1] if index + 1 < len(path.certificates) else None
    spki = fields_of(above).spki if above is not None else _anchor_key(path)
    outcome = check(crl, spki) if spki is not None else Check.UNKNOWN
    if outcome is Check.BAD:
        return PathProblem("crl-bad-signature", f"the issuer of {name!r} did not sign the revocation list", index)
    if outcome is Check.UNKNOWN:
        return PathProblem(
            "crl-signature-unknown", f"the signature of the revocation list for {name!r} can't be checked", index
        )
    if above is not None and not any(map(_may_sign_lists, (above, *_of_same_authority(above, known)))):
        message = f"the key of {common_name(above)!r} may not sign revocation lists"
        return PathProblem("crl-not-allowed", message, index)
    obstacle = _obstacle(crl)
    if obstacle is not None:
        return PathProblem("crl-not-supported", f"the revocation list for {name!r} {obstacle}", index)
    return None


def _anchor_key(path: CertificatePath) -> bytes | None:
    """Return the anchor's key if its certificate is unknown and only the key is pinned."""
    if path.anchor is None:
        return None
    known = kernel_root(path.anchor.spki_sha256)
    return known.spki if known is not None else None


def _of_same_authority(
    certificate: x509.Certificate, known: tuple[x509.Certificate, ...]
) -> Iterator[x509.Certificate]:
    """Yield the known certificates with the name and the key of `certificate`."""
    own = fields_of(certificate)
    for one in known:
        other = fields_of(one)
        if (other.subject, other.spki) == (own.subject, own.spki):
            yield one


def _may_sign_lists(issuer: x509.Certificate) -> bool:
    try:
        return extensions(issuer).get_extension_for_class(x509.KeyUsage).value.crl_sign
    except x509.ExtensionNotFound:
        return True
    except CertificateError:
        return False


def _obstacle(crl: x509.CertificateRevocationList) -> str | None:
    """Return the list's unsupported feature that changes the meaning of its entries, or None (RFC 5280, 5.2)."""
    for extension in _crl_extensions(crl):
        if isinstance(extension.value, x509.IssuingDistributionPoint):
            if extension.value.indirect_crl:
                return "is an indirect CRL, which is not supported"
        elif extension.critical and not isinstance(extension.value, _UNDERSTOOD):
            return f"has an unknown critical extension ({extension.oid.dotted_string})"
    return None


def _gap(crl: x509.CertificateRevocationList, certificate: x509.Certificate, index: int) -> str | None:
    """Return why a valid list may omit this certificate although it is revoked (RFC 5280, 5.2.4 and 5.2.5)."""
    for extension in _crl_extensions(crl):
        scope = extension.value
        if isinstance(scope, x509.DeltaCRLIndicator):
            return "is a delta CRL"
        if isinstance(scope, x509.IssuingDistributionPoint):
            if scope.only_some_reasons:
                return "covers only some revocation reasons"
            if scope.only_contains_attribute_certs or (
                scope.only_contains_user_certs if index else scope.only_contains_ca_certs
            ):
                return "covers other certificate types"
            if scope.full_name and not set(scope.full_name) & _distribution_points(certificate):
                return "covers certificates of another distribution point"
    return None


def _distribution_points(certificate: x509.Certificate) -> set[x509.GeneralName]:
    try:
        points = extensions(certificate).get_extension_for_class(x509.CRLDistributionPoints).value
    except (x509.ExtensionNotFound, CertificateError):
        return set()
    return {name for point in points for name in point.full_name or ()}


def _crl_extensions(crl: x509.CertificateRevocationList) -> Iterable[x509.Extension[x509.ExtensionType]]:
    try:
        return tuple(crl.extensions)
    except (ValueError, TypeError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType):
        # Treat an unreadable extension as an unknown critical one: the list can't be relied on.
        unreadable = x509.UnrecognizedExtension(x509.ObjectIdentifier(oids.ISSUING_DISTRIBUTION_POINT), b"")
        return (x509.Extension(unreadable.oid, True, unreadable),)


def _freshness(crl: x509.CertificateRevocationList, index: int, at: datetime) -> Iterator[PathProblem]:
    """Check that the list was current at `at`; a later list could revoke more."""
    if at < crl.last_update_utc:
        message = (
            f"a revocation list was issued on {crl.last_update_utc:%Y-%m-%d}, after the checked time, {at:%Y-%m-%d}"
        )
        yield PathProblem("crl-not-yet-valid", message, index)
    if crl.next_update_utc is not None and at > crl.next_update_utc:
        message = f"a revocation list expired on {crl.next_update_utc:%Y-%m-%d}"
        yield PathProblem("crl-stale", message, index)


def _entries(
    crl: x509.CertificateRevocationList, certificate: x509.Certificate, index: int, at: datetime, *, timestamps: bool
) -> Iterator[Revocation]:
    entry = crl.get_revoked_certificate_by_serial_number(certificate.serial_number)
    if entry is None:
        return
    reason = _reason(entry)
    if reason is not x509.ReasonFlags.remove_from_crl:
        date = entry.revocation_date_utc
        yield Revocation(
            index,
            common_name(certificate),
            date,
            _REASONS.get(reason or x509.ReasonFlags.unspecified, "unspecified"),
            _invalidity_date(entry),
            date <= at or (timestamps and reason not in _LATER_ONLY),
        )


def _reason(entry: x509.RevokedCertificate) -> x509.ReasonFlags | None:
    """Return the reason of an entry, or None if it states none that can be read."""
    try:
        return entry.extensions.get_extension_for_class(x509.CRLReason).value.reason
    except (x509.ExtensionNotFound, ValueError, TypeError, x509.DuplicateExtension):
        return None


def _invalidity_date(entry: x509.RevokedCertificate) -> datetime | None:
    try:
        date = entry.extensions.get_extension_for_class(x509.InvalidityDate).value.invalidity_date
    except (x509.ExtensionNotFound, ValueError, TypeError, x509.DuplicateExtension):
        return None
    return date.replace(tzinfo=UTC)
