"""Encode a certificate and its key as the files that Windows, OpenSSL and drvsign use."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.serialization import Encoding, PrivateFormat, pkcs7, pkcs12

from signer.certificates import common_name
from signer.keys.identity import SigningIdentity
from signer.keys.local import LocalKey
from testcerts.issue import Issued, PrivateKey
from testcerts.profiles import Profile

PFX_PASSWORD = "drvsign"  # noqa: S105  (deliberately public: some programs require a password)
"""The password of every .pfx file.

Some programs reject files without a password, and an empty password has two encodings. The files use PBE with SHA-1 and
three-key Triple-DES (RFC 7292, appendix C), which Windows 7 can import; AES requires Windows 10 version 1709 or Windows
Server 2019 (PKCS12_PBES2_EXPORT_PARAMS, wincrypt.h). This does not weaken the key: the same folder contains it in a
file without a password, and only the owner can read either file.
"""

KEY_MODE = 0o600
"""Permissions of files with a private key: only the owner can read them."""

Contents = dict[str, tuple[bytes, int | None]]
"""Content and permissions (None for the default) by file name."""

_PRIVATE_SUFFIXES = (".key.pem", ".pfx")
_PFX_ROUNDS = 2000  # the number that Windows uses


def suffixes(profile: Profile) -> tuple[str, ...]:
    """Return the suffixes of a profile's files; a certificate authority also has a revocation list."""
    if profile.certifies:
        return (".cer", ".pem")
    if profile.authority:
        return (".cer", ".pem", ".key.pem", ".crl")
    return (".cer", ".pem", ".key.pem", ".pfx", ".p7b")


def encode(issued: Issued) -> Contents:
    """Encode the files of a certificate and its key, without the revocation list."""
    name = issued.profile.name
    return {
        f"{name}{suffix}": (_ENCODERS[suffix](issued), KEY_MODE if suffix in _PRIVATE_SUFFIXES else None)
        for suffix in suffixes(issued.profile)
        if suffix in _ENCODERS
    }


def _pem(issued: Issued) -> bytes:
    """Encode the certificate and its chain as PEM."""
    return b"".join(one.public_bytes(Encoding.PEM) for one in (issued.certificate, *issued.chain))


def key_pem(key: PrivateKey) -> bytes:
    """Encode the key as unencrypted PKCS #8, protected only by file permissions."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, serialization.NoEncryption())


def _pfx(issued: Issued) -> bytes:
    """Encode key, certificate and chain as a PFX that Windows 7 and later can import."""
    return _joined(issued.certificate, issued.key, issued.chain, PFX_PASSWORD)


def join_pfx(identity: SigningIdentity, password: str | None) -> bytes:
    """Encode an identity whose key is in memory as a PFX, without a password if it is None or empty."""
    assert isinstance(identity.key, LocalKey)
    return _joined(identity.certificate, identity.key.private, identity.chain, password)


def _joined(
    certificate: x509.Certificate, key: PrivateKey, chain: Sequence[x509.Certificate], password: str | None
) -> bytes:
    if password:
        encryption: serialization.KeySerializationEncryption = (
            PrivateFormat.PKCS12.encryption_builder()
            .kdf_rounds(_PFX_ROUNDS)
            .key_cert_algorithm(pkcs12.PBES.PBESv1SHA1And3KeyTripleDESCBC)
            .hmac_hash(hashes.SHA1())  # noqa: S303  (the only MAC that Windows 7 supports)
            .build(password.encode())
        )
    else:
        encryption = serialization.NoEncryption()
    name = common_name(certificate).encode()
    return pkcs12.serialize_key_and_certificates(name, key, certificate, chain, encryption)


_ENCODERS: dict[str, Callable[[Issued], bytes]] = {
    ".cer": lambda issued: issued.certificate.public_bytes(Encoding.DER),
    ".pem": _pem,
    ".key.pem": lambda issued: key_pem(issued.key),
    ".pfx": _pfx,
    ".p7b": lambda issued: pkcs7.serialize_certificates([issued.certificate, *issued.chain], Encoding.DER),
}
