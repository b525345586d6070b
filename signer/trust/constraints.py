"""Check name constraints: the names that a CA may issue certificates for (RFC 5280, 4.2.1.10)."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.x509.oid import NameOID

from signer.certificates import common_name, extensions, is_self_signed
from signer.errors import CertificateError


def broken_constraints(certificates: tuple[x509.Certificate, ...]) -> Iterator[tuple[int, str]]:
    """Yield the certificate's index and a message for each name that violates a constraint, from the leaf up."""
    for above in range(1, len(certificates)):
        limits = _constraints(certificates[above])
        if limits is None:
            continue
        issuer = common_name(certificates[above])
        for index in range(above):
            # RFC 5280, 6.1.3 (b): a self-issued certificate is exempt unless it is the leaf.
            if index and is_self_signed(certificates[index]):
                continue
            for name in _names(certificates[index]):
                reason = _breach(name, limits)
                if reason:
                    yield index, f"{issuer!r} may not issue certificates for {_text(name)}: {reason}"


def _constraints(certificate: x509.Certificate) -> x509.NameConstraints | None:
    try:
        return extensions(certificate).get_extension_for_class(x509.NameConstraints).value
    except (x509.ExtensionNotFound, CertificateError):
        return None


def _names(certificate: x509.Certificate) -> Iterator[x509.GeneralName]:
    """Yield every name of the certificate: alternative names, or else mail addresses, and the subject."""
    try:
        alternative = extensions(certificate).get_extension_for_class(x509.SubjectAlternativeName).value
        yield from alternative
    except (x509.ExtensionNotFound, CertificateError):
        for attribute in certificate.subject.get_attributes_for_oid(NameOID.EMAIL_ADDRESS):
            yield x509.RFC822Name(str(attribute.value))
    if certificate.subject.rdns:
        yield x509.DirectoryName(certificate.subject)


def _breach(name: x509.GeneralName, limits: x509.NameConstraints) -> str | None:
    permitted = [base for base in limits.permitted_subtrees or () if type(base) is type(name)]
    excluded = [base for base in limits.excluded_subtrees or () if type(base) is type(name)]
    if (permitted or excluded) and not isinstance(name, _KNOWN):
        return "constraints on this name type are not supported"
    if any(_within(name, base) for base in excluded):
        return "the name is excluded"
    if permitted and not any(_within(name, base) for base in permitted):
        return "the name is outside the permitted subtrees"
    return None


_KNOWN = (x509.DirectoryName, x509.DNSName, x509.RFC822Name, x509.UniformResourceIdentifier, x509.IPAddress)


def _within(name: x509.GeneralName, base: x509.GeneralName) -> bool:
    """Return whether `name` is in the subtree of `base`; both have the same type."""
    if isinstance(name, x509.DirectoryName) and isinstance(base, x509.DirectoryName):
        wanted = _folded(base.value.rdns)
        return _folded(name.value.rdns)[: len(wanted)] == wanted
    if isinstance(name, x509.DNSName) and isinstance(base, x509.DNSName):
        return _in_domain(name.value, base.value)
    if isinstance(name, x509.RFC822Name) and isinstance(base, x509.RFC822Name):
        return _mail_within(name.value, base.value)
    if isinstance(name, x509.UniformResourceIdentifier) and isinstance(base, x509.UniformResourceIdentifier):
        host = urlsplit(name.value).hostname or ""
        return _host_within(host, base.value)
    if isinstance(name, x509.IPAddress) and isinstance(base, x509.IPAddress):
        return _address_within(name, base)
    return False


def _folded(rdns: Iterable[x509.RelativeDistinguishedName]) -> list[frozenset[tuple[str, str]]]:
    """Return the names for a comparison that ignores case and repeated spaces (RFC 5280, 7.1)."""
    return [
        frozenset((attribute.oid.dotted_string, " ".join(str(attribute.value).lower().split())) for attribute in rdn)
        for rdn in rdns
    ]


def _in_domain(host: str, domain: str) -> bool:
    host, domain = host.lower().rstrip("."), domain.lower().strip(".")
    return not domain or host == domain or host.endswith("." + domain)


def _mail_within(mail: str, base: str) -> bool:
    """Compare with a mailbox, a host, or a domain (with a leading dot)."""
    if "@" in base:
        return mail.lower() == base.lower()
    return _host_within(mail.rpartition("@")[2], base)


def _host_within(host: str, base: str) -> bool:
    if base.startswith("."):
        return host.lower().endswith(base.lower())
    return host.lower() == base.lower()


def _address_within(name: x509.IPAddress, base: x509.IPAddress) -> bool:
    network = base.value
    address = name.value
    if not isinstance(network, (ipaddress.IPv4Network, ipaddress.IPv6Network)):
        return False
    return isinstance(address, (ipaddress.IPv4Address, ipaddress.IPv6Address)) and address in network


def _text(name: x509.GeneralName) -> str:
    if isinstance(name, x509.DirectoryName):
        return name.value.rfc4514_string()
    return str(name.value)
