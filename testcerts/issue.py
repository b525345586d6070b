"""Issue keys and certificates from profiles. The time is an argument; no files are read or written."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID, ObjectIdentifier

from signer.errors import IdentityError, UsageError
from signer.records import dataclass
from testcerts.profiles import KeyKind, Profile

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

DEFAULT_SUBJECT = "CN=drvsign Test,O=drvsign test certificates"
DEFAULT_DAYS = 3650
MAX_DAYS = 36500

_CA_EXTRA_VALIDITY = timedelta(days=3650)
_MIN_YEAR, _MAX_YEAR = 1960, 9700  # X.509 times start in 1950, Python's end in 9999
_PUBLIC_EXPONENT = 65537
_MAX_COMMON_NAME = 64  # ub-common-name (RFC 5280, appendix A.1); cryptography counts UTF-8 bytes
_KEY_ID_DIGITS = 8
_SPACES_AFTER_COMMA = re.compile(r"(?<=(?<!\\),) +")  # after a comma that ends an attribute
_WINDOWS_NAMES = {"E": NameOID.EMAIL_ADDRESS, "S": NameOID.STATE_OR_PROVINCE_NAME}


@dataclass(frozen=True, slots=True)
class Order:
    """Parameters of all certificates that are issued together."""

    subject: x509.Name
    """Subject of the code-signing certificate; other profiles append a suffix to its common name."""
    now: datetime
    """Time of issue."""
    key: KeyKind = KeyKind.RSA2048
    days: int = DEFAULT_DAYS
    """Validity period in days; certificate authorities are valid ten years longer."""

    def __post_init__(self) -> None:
        if not 1 <= self.days <= MAX_DAYS:
            raise UsageError(
                f"the validity period must be 1 to {MAX_DAYS} days, not {self.days}",
                field="--days",
                hint="Omit --days for the default of 3650.",
            )
        if not _MIN_YEAR <= self.now.year <= _MAX_YEAR:
            raise UsageError(f"certificates can't be issued in the year {self.now.year}", hint="Set the system clock.")


@dataclass(frozen=True, slots=True)
class Issued:
    """An issued certificate with its key and chain (issuer first, root last)."""

    profile: Profile
    certificate: x509.Certificate
    key: PrivateKey
    chain: tuple[x509.Certificate, ...]


def parse_subject(text: str) -> x509.Name:
    """Parse a distinguished name such as `CN=Contoso Test, O=Contoso`, or only a common name. Raises UsageError.

    Spaces after commas, which MakeCert and OpenSSL write, are accepted although RFC 4514 does not allow them.
    """
    try:
        if "=" not in text:
            name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text.strip())])
        else:
            name = x509.Name.from_rfc4514_string(_SPACES_AFTER_COMMA.sub("", text), _WINDOWS_NAMES)
    except ValueError as error:
        reason = f" ({error})" if str(error) else ""
        raise UsageError(
            f"{text!r} is not a distinguished name{reason}", hint="Write it as CN=Contoso Test,O=Contoso,C=DE."
        ) from error
    if not name.get_attributes_for_oid(NameOID.COMMON_NAME):
        raise UsageError(f"the subject {text!r} has no common name", hint="Write it as CN=Contoso Test,O=Contoso,C=DE.")
    return name


def issue(profiles: Sequence[Profile], order: Order, existing: Mapping[str, Issued] | None = None) -> dict[str, Issued]:
    """Issue certificates for `profiles`, by profile name. Each issuer is in `existing` or earlier in `profiles`.

    Raises UsageError if the subject is too long, and IdentityError if an existing issuer has expired.
    """
    present = dict(existing or {})
    keys = _generate(profiles, order.key)
    new: dict[str, Issued] = {}
    for profile in profiles:
        key = present[profile.certifies].key if profile.certifies else keys[profile.name]
        issuer = present[profile.issuer] if profile.issuer else None
        subject = (
            present[profile.certifies].certificate.subject
            if profile.certifies
            else _subject(order.subject, profile, key)
        )
        certificate = _certify(profile, order, subject, key, issuer)
        chain = (issuer.certificate, *issuer.chain) if issuer else ()
        new[profile.name] = present[profile.name] = Issued(profile, certificate, key, chain)
    return new


def revoke(
    authority: Issued,
    certificates: Iterable[x509.Certificate],
    now: datetime,
    earlier: x509.CertificateRevocationList | None = None,
) -> x509.CertificateRevocationList:
    """Issue a revocation list with `certificates` and the entries of the earlier list (RFC 5280, 5).

    It is valid as long as the authority, because test setups do not update revocation lists.
    """
    number, entries = 1, []
    if earlier is not None:
        number += earlier.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
        entries = list(earlier)
    known = {entry.serial_number for entry in entries}
    for certificate in certificates:
        if certificate.serial_number not in known:
            entries.append(_entry(certificate, now))
    issuer = authority.certificate
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer.subject)
        .last_update(now)
        .next_update(max(issuer.not_valid_after_utc, now + timedelta(days=1)))
        .add_extension(x509.CRLNumber(number), critical=False)
        .add_extension(_authority_key(issuer), critical=False)
    )
    for entry in entries:
        builder = builder.add_revoked_certificate(entry)
    return builder.sign(authority.key, signing_digest(authority.key))


def key_kind(key: object) -> str:
    """Return the name of a key's kind, such as "rsa2048" or "p256"; the class name for another kind."""
    if isinstance(key, (rsa.RSAPublicKey, rsa.RSAPrivateKey)):
        return f"rsa{key.key_size}"
    if isinstance(key, (ec.EllipticCurvePublicKey, ec.EllipticCurvePrivateKey)):
        return {"secp256r1": "p256", "secp384r1": "p384"}.get(key.curve.name, key.curve.name)
    return type(key).__name__


def _generate(profiles: Sequence[Profile], kind: KeyKind) -> dict[str, PrivateKey]:
    """Generate keys in threads (OpenSSL releases the GIL), one for each profile that needs its own key."""
    needing = [profile for profile in profiles if profile.certifies is None]
    if not needing:
        return {}
    with ThreadPoolExecutor(max_workers=min(len(needing), 8)) as pool:
        keys = pool.map(_new_key, [profile.key or kind for profile in needing])
        return {profile.name: key for profile, key in zip(needing, keys, strict=True)}


def _new_key(kind: KeyKind) -> PrivateKey:
    if kind is KeyKind.P256:
        return ec.generate_private_key(ec.SECP256R1())
    if kind is KeyKind.P384:
        return ec.generate_private_key(ec.SECP384R1())
    return rsa.generate_private_key(_PUBLIC_EXPONENT, int(kind.removeprefix("rsa")))


def _certify(
    profile: Profile, order: Order, subject: x509.Name, key: PrivateKey, issuer: Issued | None
) -> x509.Certificate:
    """Build and sign the certificate of `key` according to the profile."""
    begin, end = _validity(profile, order, issuer)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(end)
        .add_extension(x509.BasicConstraints(profile.authority, profile.path_length), critical=True)
        .add_extension(_key_usage(profile.authority), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    if issuer:
        builder = builder.add_extension(_authority_key(issuer.certificate), critical=False)
    if profile.usages:
        usages = x509.ExtendedKeyUsage([ObjectIdentifier(usage) for usage in profile.usages])
        builder = builder.add_extension(usages, critical=profile.critical)
    signing_key = issuer.key if issuer else key
    return builder.sign(signing_key, signing_digest(signing_key))


def _validity(profile: Profile, order: Order, issuer: Issued | None) -> tuple[datetime, datetime]:
    """Return the start and end of validity, limited to the issuer's validity."""
    now = order.now.replace(microsecond=0)
    begin = now + profile.starts
    if profile.ends is not None:
        end = now + profile.ends
    else:
        end = max(now, begin) + timedelta(days=order.days) + (_CA_EXTRA_VALIDITY if profile.authority else timedelta())
    if issuer is not None:
        begin = max(begin, issuer.certificate.not_valid_before_utc)
        end = min(end, issuer.certificate.not_valid_after_utc)
    if begin >= end:
        raise IdentityError(
            f"the validity period of profile {profile.name} is outside that of its issuer",
            hint="Replace the hierarchy with: drvsign certs create --force",
        )
    return begin, end


def key_id(key: PrivateKey) -> str:
    """Return the first 8 hex digits of the key's subject key identifier, which distinguish authorities by name."""
    return x509.SubjectKeyIdentifier.from_public_key(key.public_key()).digest.hex()[:_KEY_ID_DIGITS]


def _subject(subject: x509.Name, profile: Profile, key: PrivateKey) -> x509.Name:
    """Return the subject of a profile: with its suffix, and for an authority with the id of its key.

    Windows finds issuers by name, and people tell roots apart by name: two authorities must not share one.
    """
    return _append_to_common_name(subject, profile.suffix, f" {key_id(key)}" if profile.authority else "")


def _append_to_common_name(subject: x509.Name, suffix: str, key_id: str) -> x509.Name:
    """Append `suffix` and `key_id` to the first common name of the subject."""
    attributes, done = [], False
    for rdn in subject.rdns:
        changed = []
        for attribute in rdn:
            if attribute.oid == NameOID.COMMON_NAME and not done:
                attribute, done = _append_suffix(attribute, suffix, key_id), True
            changed.append(attribute)
        attributes.append(x509.RelativeDistinguishedName(changed))
    return x509.Name(attributes)


def _append_suffix(attribute: x509.NameAttribute[str | bytes], suffix: str, key_id: str) -> x509.NameAttribute[str]:
    name = str(attribute.value)
    text = f"{name}{suffix}"
    length = len(text.encode())
    if length > _MAX_COMMON_NAME:
        raise UsageError(
            f"the common name is too long: {text!r} has {length} bytes of {_MAX_COMMON_NAME}",
            field="--subject",
            hint=f"Shorten it: the suffix {suffix!r} needs {len(suffix)} bytes.",
        )
    while len(f"{name}{suffix}{key_id}".encode()) > _MAX_COMMON_NAME:  # the id matters more than the end of the name
        name = name[:-1]
    return x509.NameAttribute(NameOID.COMMON_NAME, f"{name}{suffix}{key_id}")


def _key_usage(authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )


def _authority_key(issuer: x509.Certificate) -> x509.AuthorityKeyIdentifier:
    identifier = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier)


def _entry(certificate: x509.Certificate, now: datetime) -> x509.RevokedCertificate:
    return (
        x509.RevokedCertificateBuilder()
        .serial_number(certificate.serial_number)
        .revocation_date(now)
        .add_extension(x509.CRLReason(x509.ReasonFlags.key_compromise), critical=False)
        .build()
    )


def signing_digest(key: PrivateKey) -> hashes.SHA256 | hashes.SHA384:
    """Return the digest for certificate signatures of a key: SHA-384 for P-384, otherwise SHA-256."""
    if isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.name == "secp384r1":
        return hashes.SHA384()
    return hashes.SHA256()
