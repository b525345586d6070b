"""Open a PFX (PKCS #12) in a time that its unencrypted parts bound.

A key inside encrypted contents may be encrypted again, with a number of iterations that is known only after decryption.
OpenSSL decrypts the first key that it finds in the order of the contents (PKCS12_parse). Therefore the contents are
given to it in another order: those that are not encrypted, a known key, and the encrypted ones, whose keys it then
ignores. The MAC of the file covers the original order and is verified here.

Sources: RFC 7292, 4 and appendix B (key derivation); RFC 9579 (PBMAC1).
"""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, pkcs12

from signer.algorithms import DigestAlgorithm
from signer.asn1 import der, oids
from signer.asn1.iterations import iterations
from signer.certificates import decoded
from signer.errors import IdentityError, KeyNotFound
from signer.keys.passwords import encoded_password, require_few_iterations, wrong_secret
from signer.limits import LIMITS, OFF, raising
from signer.records import dataclass

if TYPE_CHECKING:
    from signer.asn1.pfx import Mac, Pfx

_MAC_KEY = 3
"""The purpose of a derived key: it is for a MAC (RFC 7292, B.3)."""
_SALT = bytes(8)
_REWRITE = "openssl pkcs12 -in OLD.pfx -out ALL.pem && openssl pkcs12 -export -in ALL.pem -out NEW.pfx"
"""OpenSSL writes the key outside the encrypted contents, encrypted on its own."""
_MAX_MAC_KEY = 64
_KNOWN_KEY = ec.derive_private_key(1, ec.SECP256R1())


@dataclass(frozen=True, slots=True)
class PfxContents:
    """The content of a PFX."""

    key: PrivateKeyTypes | None
    certificate: x509.Certificate | None
    """The certificate of the key."""
    others: tuple[x509.Certificate, ...]
    may_hide_key: bool
    """Whether the file has no key outside its encrypted contents, but has such contents."""


def open_pfx(data: bytes, password: str | None, max_iterations: int | None = None) -> PfxContents:
    """Open a PFX that takes at most `max_iterations` iterations, by default the limit `key-iterations`.

    Keys inside encrypted contents are ignored unless the limit is switched off. Raises ValueError for a file that is
    no PFX, WrongSecret, CertificateError for too many certificates, and other IdentityErrors.
    """
    limit = LIMITS["key-iterations"] if max_iterations is None else max_iterations
    require_few_iterations(data, "PFX", limit)
    secret = None if password is None else encoded_password(password)
    if limit == OFF:
        return _contents(data, secret, password, may_hide_key=False)
    from signer.asn1.pfx import parse  # with asn1crypto, which only a PFX needs

    pfx = parse(data)
    both = not password and 2 * iterations(data) <= limit
    form = password if pfx.mac is None else _form(pfx, pfx.mac, password, limit, both=both)
    reordered = _reordered(pfx, form)
    return _contents(reordered, secret, password, may_hide_key=bool(pfx.encrypted))


def malformed_pfx(hint: str = "") -> IdentityError:
    """Return the error about a file that is no PFX, or a damaged one, with a further hint."""
    return IdentityError(
        "the file is not a valid PFX (PKCS #12) file",
        hint=f"Use the .pfx or .p12 file that the key was exported to. {hint}".strip(),
    )


def require_key(contents: PfxContents) -> tuple[PrivateKeyTypes, x509.Certificate]:
    """Return the key of a PFX and its certificate. Raises KeyNotFound."""
    if contents.key is not None and contents.certificate is not None:
        return contents.key, contents.certificate
    if contents.key is None and contents.may_hide_key:
        raise KeyNotFound(
            "the PFX has no private key outside its encrypted contents, and a key inside them can require any number "
            "of iterations",
            hint=f"Export the certificate again, with its private key, or rewrite the file: {_REWRITE}. "
            f"{raising('key-iterations')}",
        )
    raise KeyNotFound(
        "the PFX does not contain a private key with its certificate",
        hint="Export the certificate again, with its private key.",
    )


def _contents(data: bytes, secret: bytes | None, password: str | None, *, may_hide_key: bool) -> PfxContents:
    try:
        opened = pkcs12.load_pkcs12(data, secret)
    except UnsupportedAlgorithm as error:
        raise IdentityError(f"the encryption of the PFX is not supported ({error})") from error
    except ValueError as error:
        if "password" in str(error).lower():
            raise wrong_secret("PFX", given=password is not None) from error
        raise
    own, others = opened.cert, [entry.certificate for entry in opened.additional_certs]
    certificates = decoded([*([own.certificate] if own is not None else []), *others])
    is_known = isinstance(opened.key, ec.EllipticCurvePrivateKey) and _is_known(opened.key)
    return PfxContents(
        None if is_known else opened.key,
        certificates.pop(0) if own is not None else None,
        tuple(certificates),
        may_hide_key and is_known,
    )


def _is_known(key: ec.EllipticCurvePrivateKey) -> bool:
    return key.public_key() == _KNOWN_KEY.public_key()


def _reordered(pfx: Pfx, password: str | None) -> bytes:
    """Return a PFX with the plain contents first, and a MAC of one iteration if the original has a MAC.

    OpenSSL learns from the MAC whether an empty password has two bytes or none (RFC 7292, B.1).
    """
    key = _KNOWN_KEY.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    bag = der.sequence(der.oid(oids.PKCS12_KEY_BAG), der.explicit(0, key))
    content = der.sequence(*pfx.plain, _data(der.sequence(bag)), *pfx.encrypted)
    if pfx.mac is None:
        return der.sequence(der.integer(3), _data(content))
    name = DigestAlgorithm.SHA256
    value = hmac.digest(_derived(str(name), _wide(password), _SALT, 1), content, str(name))
    digest = der.sequence(der.sequence(der.oid(name.oid), der.null()), der.octets(value))
    return der.sequence(der.integer(3), _data(content), der.sequence(digest, der.octets(_SALT)))


def _data(content: bytes) -> bytes:
    return der.sequence(der.oid(oids.DATA), der.explicit(0, der.octets(content)))


def _form(pfx: Pfx, mac: Mac, password: str | None, limit: int, *, both: bool) -> str | None:
    """Return the password that verifies the MAC: programs write no password as none or as an empty one.

    With `both`, both are tried. Raises WrongSecret if none verifies it, and what `_verifies` raises.
    """
    for form in (None, "") if both else (password,):
        if _verifies(pfx, mac, form, limit):
            return form
    raise wrong_secret("PFX", given=password is not None)


def _verifies(pfx: Pfx, mac: Mac, password: str | None, limit: int) -> bool:
    """Tell whether a password verifies the MAC. Raises ValueError, IdentityError for an unknown algorithm."""
    from signer.asn1.pfx import PBKDF2

    if not 0 < mac.iterations <= limit or not 0 <= mac.key_size <= _MAX_MAC_KEY:
        raise ValueError("malformed MAC")
    try:
        if mac.derivation == PBKDF2:
            secret = (password or "").encode()
            key = hashlib.pbkdf2_hmac(mac.prf, secret, mac.salt, mac.iterations, mac.key_size)
        else:
            key = _derived(mac.derivation, _wide(password), mac.salt, mac.iterations)
        value = hmac.digest(key, pfx.content, mac.algorithm)
    except ValueError as error:
        raise IdentityError(f"the MAC algorithm of the PFX is not supported ({mac.algorithm})") from error
    return hmac.compare_digest(value, mac.digest)


def _derived(name: str, password: bytes, salt: bytes, count: int) -> bytes:
    """Derive the key of a MAC, which is one block of the digest (RFC 7292, B.2)."""
    begin = hashlib.new(name, usedforsecurity=False)
    size = begin.block_size
    begin.update(bytes([_MAC_KEY]) * size)
    for part in (salt, password):
        begin.update((part * size)[: -(-len(part) // size) * size])
    digest, function = begin.digest(), getattr(hashlib, name)
    for _ in range(count - 1):
        digest = function(digest).digest()
    return digest


def _wide(password: str | None) -> bytes:
    """Return a password as PKCS #12 derives keys from it: UTF-16 with a final NUL; nothing if there is none."""
    return b"" if password is None else password.encode("utf-16-be") + b"\0\0"
