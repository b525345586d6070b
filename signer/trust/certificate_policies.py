"""Evaluate the certificate policies of a path (RFC 5280, 6.1.3 to 6.1.5), with their mappings and constraints.

No policy is requested, as for code signing, so policies matter only if a CA requires one of those below it or forbids
mappings. Windows then reports CERT_TRUST_INVALID_POLICY_CONSTRAINTS or CERT_TRUST_NO_ISSUANCE_CHAIN_POLICY, which the
base policy and the policy for Authenticode turn into CERT_E_INVALID_POLICY. The policies of RFC 5280 form a tree that
hostile mappings let grow without limit (CVE-2023-0464); the graph of RFC 9618 has each policy once at each depth.

Sources: RFC 5280, 6.1.3 (d) to 6.1.5; RFC 9618, 5; CERT_TRUST_STATUS and CERT_CHAIN_POLICY_STATUS (wincrypt.h).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeVar

from cryptography import x509
from cryptography.x509.oid import ExtensionOID

from signer.asn1 import der, oids
from signer.certificates import common_name, extensions, is_self_signed, per_certificate
from signer.errors import CertificateError, SignatureFormatError
from signer.records import dataclass
from signer.trust.path import PathProblem

T = TypeVar("T", bound=x509.ExtensionType)

_ANY = oids.ANY_POLICY


@dataclass(frozen=True, slots=True)
class _Policies:
    """What a certificate says about policies."""

    valid: frozenset[str] = frozenset()
    """Its policies; empty if it has no certificatePolicies."""
    mappings: Mapping[str, frozenset[str]] | None = None
    """The subject's equivalents of each policy of the issuer, or None."""
    explicit: int | None = None
    """How many more certificates need no policy (requireExplicitPolicy)."""
    mapping: int | None = None
    """How many more certificates may map policies (inhibitPolicyMapping)."""
    any: int | None = None
    """In how many more certificates anyPolicy counts (inhibitAnyPolicy)."""


def invalid_policies(certificates: tuple[x509.Certificate, ...]) -> Iterator[PathProblem]:
    """Yield the first problem from the root down. The root's own extensions do not count (RFC 5280, 6.1.1)."""
    below = certificates[:-1] if is_self_signed(certificates[-1]) else certificates
    try:
        found = [_policies(one) for one in below]
    except CertificateError:  # reported as `unreadable`
        return
    if all(one.explicit is None and one.mappings is None for one in found):
        return  # nearly all paths: nothing requires a policy, and none is mapped
    state = _State(len(below))
    for index in range(len(below) - 1, -1, -1):
        message = state.add(below[index], found[index], is_leaf=not index)
        if message is not None:
            yield PathProblem("invalid-policy", message, index)
            return


class _State:
    """The valid policies at one depth of a path, and how many certificates below may still do without."""

    def __init__(self, length: int) -> None:
        self._level: dict[str, frozenset[str]] = {_ANY: frozenset((_ANY,))}
        """Each valid policy with the policies that the next certificate may have for it."""
        self._explicit = self._mapping = self._any = length + 1
        self._requires = self._forbids = ""
        """Names of the CAs that require a policy, and forbid mappings."""

    def add(self, certificate: x509.Certificate, own: _Policies, *, is_leaf: bool) -> str | None:
        """Continue with the next certificate; return what is wrong with it, or None."""
        name, is_self_issued = common_name(certificate), is_self_signed(certificate)
        self._level = self._next_level(own.valid, allows_any=self._any > 0 or (is_self_issued and not is_leaf))
        explicit = self._explicit
        if is_leaf:
            explicit = 0 if own.explicit == 0 else max(explicit - 1, 0)
            self._requires = name if own.explicit == 0 and self._explicit else self._requires
        if not self._level and not explicit:
            return f"{name!r} has no valid certificate policy, and {self._requires!r} requires one"
        if is_leaf:
            return None
        message = self._map(name, own.mappings) if own.mappings is not None else None
        self._count(name, own, 0 if is_self_issued else 1)
        return message

    def _next_level(self, policies: frozenset[str], *, allows_any: bool) -> dict[str, frozenset[str]]:
        """Return the policies that are valid for the next certificate (6.1.3, d)."""
        expected = frozenset[str]().union(*self._level.values())
        valid = {one for one in policies if one != _ANY and (one in expected or _ANY in self._level)}
        if _ANY in policies and allows_any:
            valid |= expected
        return {one: frozenset((one,)) for one in valid}

    def _map(self, name: str, mappings: Mapping[str, frozenset[str]]) -> str | None:
        """Apply the mappings of a CA (6.1.4, a and b); return what is wrong with them, or None."""
        if _ANY in mappings or any(_ANY in one for one in mappings.values()):
            return f"{name!r} maps anyPolicy, which RFC 5280 forbids"
        if not self._mapping:
            return f"{name!r} maps certificate policies, which {self._forbids!r} forbids"
        for policy, equivalents in mappings.items():
            if policy in self._level or _ANY in self._level:
                self._level[policy] = equivalents
        return None

    def _count(self, name: str, own: _Policies, step: int) -> None:
        """Count a CA, and apply its limits to the certificates below it (6.1.4, h to j)."""
        self._explicit, self._mapping, self._any = (
            max(one - step, 0) for one in (self._explicit, self._mapping, self._any)
        )
        if own.explicit is not None and own.explicit < self._explicit:
            self._explicit, self._requires = own.explicit, name
        if own.mapping is not None and own.mapping < self._mapping:
            self._mapping, self._forbids = own.mapping, name
        if own.any is not None:
            self._any = min(self._any, own.any)


@per_certificate
def _policies(certificate: x509.Certificate) -> _Policies:
    """Read the extensions of a certificate. Raises CertificateError."""
    found = extensions(certificate)
    valid = _extension(found, x509.CertificatePolicies)
    constraints = _extension(found, x509.PolicyConstraints)
    inhibit = _extension(found, x509.InhibitAnyPolicy)
    return _Policies(
        frozenset(one.policy_identifier.dotted_string for one in valid) if valid is not None else frozenset(),
        policy_mappings(found),
        constraints.require_explicit_policy if constraints is not None else None,
        constraints.inhibit_policy_mapping if constraints is not None else None,
        inhibit.skip_certs if inhibit is not None else None,
    )


def policy_mappings(found: x509.Extensions) -> Mapping[str, frozenset[str]] | None:
    """Return the policies of the subject for each one of the issuer (4.2.1.5), or None. Raises CertificateError."""
    data = next((one.value.public_bytes() for one in found if one.oid == ExtensionOID.POLICY_MAPPINGS), None)
    if data is None:
        return None
    mappings: dict[str, set[str]] = {}
    try:
        for pair in der.children(data, der.expect(data, 0, der.SEQUENCE, "policy mappings")):
            issuer, subject = (der.read_oid(one.contents(data)) for one in der.children(data, pair))
            mappings.setdefault(issuer, set()).add(subject)
    except (SignatureFormatError, ValueError) as error:
        raise CertificateError(f"the policy mappings can't be parsed ({error})") from error
    return {issuer: frozenset(subjects) for issuer, subjects in mappings.items()}


def _extension(found: x509.Extensions, kind: type[T]) -> T | None:
    try:
        return found.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None
