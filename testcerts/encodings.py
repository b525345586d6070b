"""The files of a certificate: what Windows, OpenSSL and this project each take."""

from __future__ import annotations

from collections.abc import Callable

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.serialization import Encoding, PrivateFormat, pkcs7, pkcs12

from signer.certificates import common_name
from testcerts.issue import Issued, PrivateKey
from testcerts.profiles import Profile

PFX_PASSWORD = "drvsign"  # noqa: S105  (published on purpose: it keeps nothing secret, but Windows wants one)
"""The password of every .pfx that is written here.

Files without one are refused by some of the programs that read them, and an empty one is encoded in two ways. They are
encrypted as Windows 7 can import them, with PBE of SHA-1 and three-key Triple-DES (RFC 7292, appendix C), because
AES is for Windows 10 version 1709, Windows Server 2019 and later (PKCS12_PBES2_EXPORT_PARAMS, wincrypt.h). Nothing is
lost by it: the same key stands beside it in a file without any password, and its owner alone can read either.
"""

KEY_MODE = 0o600
"""Who can read a file with a private key: its owner."""

Contents = dict[str, tuple[bytes, int | None]]
"""File names, with what is to be in them and their permissions."""

_SECRET = (".key.pem", ".pfx")
_PFX_ROUNDS = 2000  # as many as Windows writes


def suffixes(profile: Profile) -> tuple[str, ...]:
    """The files that a profile has; revocation lists are among those of an authority."""
    if profile.stands_for:
        return (".cer", ".pem")
    if profile.authority:
        return (".cer", ".pem", ".key.pem", ".crl")
    return (".cer", ".pem", ".key.pem", ".pfx", ".p7b")


def encode(issued: Issued) -> Contents:
    """The files of a certificate and its key, without the revocation list."""
    name = issued.profile.name
    return {
        f"{name}{suffix}": (_MAKERS[suffix](issued), KEY_MODE if suffix in _SECRET else None)
        for suffix in suffixes(issued.profile)
        if suffix in _MAKERS
    }


def _pem(issued: Issued) -> bytes:
    """The certificate and those above it."""
    return b"".join(one.public_bytes(Encoding.PEM) for one in (issued.certificate, *issued.chain))


def _key_pem(key: PrivateKey) -> bytes:
    """The key as PKCS#8 without a password; its permissions protect it."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, serialization.NoEncryption())


def _pfx(issued: Issued) -> bytes:
    """Key, certificate and those above it, as Windows 7 and later import them."""
    encryption = (
        PrivateFormat.PKCS12.encryption_builder()
        .kdf_rounds(_PFX_ROUNDS)
        .key_cert_algorithm(pkcs12.PBES.PBESv1SHA1And3KeyTripleDESCBC)
        .hmac_hash(hashes.SHA1())  # noqa: S303  (all that Windows 7 checks)
        .build(PFX_PASSWORD.encode())
    )
    name = common_name(issued.certificate).encode()
    return pkcs12.serialize_key_and_certificates(name, issued.key, issued.certificate, issued.chain, encryption)


_MAKERS: dict[str, Callable[[Issued], bytes]] = {
    ".cer": lambda issued: issued.certificate.public_bytes(Encoding.DER),
    ".pem": _pem,
    ".key.pem": lambda issued: _key_pem(issued.key),
    ".pfx": _pfx,
    ".p7b": lambda issued: pkcs7.serialize_certificates([issued.certificate, *issued.chain], Encoding.DER),
}
