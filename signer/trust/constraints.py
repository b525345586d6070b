"""Check name constraints: the names that a CA may issue certificates for (RFC 5280, 4.2.1.10).

A name that can't be read, such as a host name with an empty label, violates every constraint on names of its type:
nothing shows that it is permitted, or that it is not excluded.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator
from typing import NamedTuple
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.x509.oid import NameOID

from signer.certificates import common_name, extensions, is_self_signed, per_certificate
from signer.errors import CertificateError
from signer.trust.path import PathProblem

MAX_COMPARISONS = 20_000
"""Maximum number of comparisons of a name with a constraint on one path; real paths need a few."""


class _Name(NamedTuple):
    """A name of a certificate, which `x509.GeneralName` could refuse to represent."""

    kind: type[x509.GeneralName]
    value: object
    """What `x509.GeneralName.value` has for the type."""


def broken_constraints(certificates: tuple[x509.Certificate, ...]) -> Iterator[PathProblem]:
    """Yield a problem for each name that violates a constraint of a CA above it, from the leaf up."""
    names = [_all_names(certificate) for certificate in certificates]
    left = MAX_COMPARISONS
    for above, authority in enumerate(certificates):
        limits = _constraints(authority) if above else None
        if limits is None:
            continue
        issuer = common_name(authority)
        # RFC 5280, 6.1.3 (b): a self-issued certificate is exempt unless it is the leaf.
        below = [index for index in range(above) if not index or not is_self_signed(certificates[index])]
        left -= _comparisons(limits) * sum(len(names[index]) for index in below)
        if left < 0:
            message = f"the name constraints of {issuer!r} require more than {MAX_COMPARISONS:,} comparisons of names"
            yield PathProblem("search-limit", message, above)
            return
        for index in below:
            for name in names[index]:
                reason = _breach(name, limits)
                if reason:
                    message = f"{issuer!r} may not issue certificates for {_text(name)}: {reason}"
                    yield PathProblem("name-constraints", message, index)


@per_certificate
def _all_names(certificate: x509.Certificate) -> tuple[_Name, ...]:
    return tuple(_names(certificate))


@per_certificate
def _constraints(certificate: x509.Certificate) -> x509.NameConstraints | None:
    try:
        return extensions(certificate).get_extension_for_class(x509.NameConstraints).value
    except (x509.ExtensionNotFound, CertificateError):
        return None


def _comparisons(limits: x509.NameConstraints) -> int:
    return len(limits.permitted_subtrees or ()) + len(limits.excluded_subtrees or ())


def _names(certificate: x509.Certificate) -> Iterator[_Name]:
    """Yield every name of the certificate: alternative names, or else mail addresses, and the subject."""
    try:
        alternative = extensions(certificate).get_extension_for_class(x509.SubjectAlternativeName).value
        yield from (_Name(type(name), name.value) for name in alternative)
    except (x509.ExtensionNotFound, CertificateError):
        for attribute in certificate.subject.get_attributes_for_oid(NameOID.EMAIL_ADDRESS):
            yield _Name(x509.RFC822Name, str(attribute.value))
    if certificate.subject.rdns:
        yield _Name(x509.DirectoryName, certificate.subject)


def _breach(name: _Name, limits: x509.NameConstraints) -> str | None:
    """Return how the name violates the constraints, or None."""
    permitted = [base.value for base in limits.permitted_subtrees or () if type(base) is name.kind]
    excluded = [base.value for base in limits.excluded_subtrees or () if type(base) is name.kind]
    if not (permitted or excluded):
        return None
    if name.kind not in _KNOWN:
        return "constraints on this name type are not supported"
    if not _is_readable(name):
        return "the name is malformed"
    if any(_excluded(name, base) for base in excluded):
        return "the name is excluded"
    if permitted and not any(_within(name, base) for base in permitted):
        return "the name is outside the permitted subtrees"
    return None


_KNOWN = (x509.DirectoryName, x509.DNSName, x509.RFC822Name, x509.UniformResourceIdentifier, x509.IPAddress)


def _is_readable(name: _Name) -> bool:
    """Return whether the name has the parts that are compared: labels, one host, or a URI's host (4.2.1.6)."""
    value = name.value
    if name.kind is x509.DNSName:
        return all(str(value).removesuffix(".").split("."))
    if name.kind is x509.RFC822Name:
        mailbox, _, host = str(value).rpartition("@")
        return bool(mailbox) and "@" not in mailbox and all(host.split("."))
    if name.kind is x509.UniformResourceIdentifier:
        return _host_of(str(value)) is not None
    return True


def _within(name: _Name, base: object) -> bool:
    """Return whether `name` is in the subtree of `base`, a value of the same type."""
    value = name.value
    if isinstance(value, x509.Name) and isinstance(base, x509.Name):
        wanted = _folded(base.rdns)
        return _folded(value.rdns)[: len(wanted)] == wanted
    if isinstance(base, (ipaddress.IPv4Network, ipaddress.IPv6Network)):
        return isinstance(value, (ipaddress.IPv4Address, ipaddress.IPv6Address)) and value in base
    text, limit = str(value).lower(), str(base).lower()
    if name.kind is x509.DNSName:
        return _in_domain(text, limit)
    if name.kind is x509.RFC822Name:
        return text == limit if "@" in limit else _host_within(text.rpartition("@")[2], limit)
    if name.kind is x509.UniformResourceIdentifier:
        return _host_within(_host_of(text) or "", limit)
    return False


def _excluded(name: _Name, base: object) -> bool:
    """Return whether the name is in an excluded subtree, or is a wildcard for hosts in it (CVE-2025-61727)."""
    if name.kind is not x509.DNSName:
        return _within(name, base)
    host, domain = str(name.value).lower(), str(base).lower().strip(".")
    return _in_domain(host, domain) or (host.startswith("*.") and _in_domain(domain, host[2:]))


def _folded(rdns: Iterable[x509.RelativeDistinguishedName]) -> list[frozenset[tuple[str, str]]]:
    """Return the names for a comparison that ignores case and repeated spaces (RFC 5280, 7.1)."""
    return [
        frozenset((attribute.oid.dotted_string, " ".join(str(attribute.value).lower().split())) for attribute in rdn)
        for rdn in rdns
    ]


def _in_domain(host: str, domain: str) -> bool:
    """Return whether the host is the domain or in it. With a leading dot, which RFC 5280 lacks, it must be in it."""
    host = host.rstrip(".")
    if domain.startswith("."):
        return host.endswith(domain.rstrip("."))
    domain = domain.rstrip(".")
    return not domain or host == domain or host.endswith("." + domain)


def _host_of(uri: str) -> str | None:
    """Return the host of a URI; None if it has none, or an address, to which no constraint applies (4.2.1.10)."""
    try:
        host = urlsplit(uri).hostname or ""
    except ValueError:
        return None
    host = host.removesuffix(".")
    return host if all(host.split(".")) and not _is_address(host) else None


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _host_within(host: str, base: str) -> bool:
    return host.endswith(base) if base.startswith(".") else host == base


def _text(name: _Name) -> str:
    return name.value.rfc4514_string() if isinstance(name.value, x509.Name) else str(name.value)
