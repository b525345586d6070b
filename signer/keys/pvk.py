"""Read and write private keys in Microsoft's PVK format (.pvk), that of MakeCert.

All numbers are little-endian. A header of 24 bytes is followed by a salt and by a PRIVATEKEYBLOB. Everything after its
first 8 bytes may be encrypted with RC4. The RC4 key is the start of the SHA-1 digest of salt and password: 16
bytes, or 5 bytes and 11 zeros in the weak form for export.

Sources: win32 desktop-src/SecCrypto/base-provider-key-blobs.md for the blob; OpenSSL, crypto/pem/pvkfmt.c, for the
header and the encryption.
"""

from __future__ import annotations

import hashlib
from struct import Struct
from typing import NamedTuple

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.decrepit.ciphers.algorithms import ARC4
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.ciphers import Cipher

from signer.errors import IdentityError, KeyNotFound
from signer.keys.passwords import wrong_secret

_MAGIC = 0xB0B5F11E
_HEADER = Struct("<6L")
_BLOB = Struct("<BBHL")
_RSA = Struct("<4sLL")
_PRIVATE_KEY_BLOB, _RSA_KEYS = 7, (0x2400, 0xA400)
"""CALG_RSA_SIGN and CALG_RSA_KEYX."""
_AT_KEYEXCHANGE, _BLOB_VERSION = 1, 2
"""The key type that OpenSSL writes; OpenSSL 3.6 takes the other one, AT_SIGNATURE, for a DSA key."""
_MAX_BITS = 16384
_CONVERT = (
    "Convert it: openssl rsa -inform PVK -in KEY.pvk -out KEY.pem "
    "(with -provider legacy -provider default if it is encrypted)"
)


class _Header(NamedTuple):
    magic: int
    reserved: int
    key_type: int
    encrypted: int
    salt_size: int
    blob_size: int


def is_pvk(data: bytes) -> bool:
    """Return whether the data begins like a PVK file."""
    return data.startswith(_MAGIC.to_bytes(4, "little"))


def load_pvk(data: bytes, password: bytes | None) -> rsa.RSAPrivateKey:
    """Load the RSA key of a PVK file; the password of one that is not encrypted is ignored.

    Raises WrongSecret without the right password, KeyNotFound for a damaged file, IdentityError for other keys.
    """
    if len(data) < _HEADER.size:
        raise _damaged()
    header = _Header._make(_HEADER.unpack_from(data))
    salt_end = _HEADER.size + header.salt_size
    blob = data[salt_end : salt_end + header.blob_size]
    if len(blob) != header.blob_size or header.blob_size < _BLOB.size + _RSA.size:
        raise _damaged()
    kind, _, _, algorithm = _BLOB.unpack_from(blob)
    if kind != _PRIVATE_KEY_BLOB or algorithm not in _RSA_KEYS:
        raise IdentityError("the PVK file does not contain an RSA private key", hint="Use an RSA key.")
    body = blob[_BLOB.size :]
    if header.encrypted or header.salt_size:
        body = _decrypted(body, data[_HEADER.size : salt_end], password)
    return _rsa_key(body)


def to_pvk(key: rsa.RSAPrivateKey) -> bytes:
    """Return a PVK file with an RSA key, which is not encrypted; the bytes are those that OpenSSL writes."""
    numbers = key.private_numbers()
    public = numbers.public_numbers
    whole, half = (key.key_size + 7) // 8, (key.key_size + 15) // 16
    values = (public.n, numbers.p, numbers.q, numbers.dmp1, numbers.dmq1, numbers.iqmp, numbers.d)
    sizes = (whole, half, half, half, half, half, whole)
    body = b"".join(value.to_bytes(size, "little") for value, size in zip(values, sizes, strict=True))
    blob = (
        _BLOB.pack(_PRIVATE_KEY_BLOB, _BLOB_VERSION, 0, _RSA_KEYS[1])
        + _RSA.pack(b"RSA2", key.key_size, public.e)
        + body
    )
    return _HEADER.pack(_MAGIC, 0, _AT_KEYEXCHANGE, 0, 0, len(blob)) + blob


def _decrypted(body: bytes, salt: bytes, password: bytes | None) -> bytes:
    """Decrypt a key with the strong or the weak form of its password. Raises WrongSecret, IdentityError."""
    if password is None:
        raise wrong_secret("PVK file", given=False)
    digest = hashlib.sha1(salt + password, usedforsecurity=False).digest()
    for key in (digest[:16], digest[:5] + bytes(11)):
        try:
            found = Cipher(ARC4(key), mode=None).decryptor().update(body)
        except UnsupportedAlgorithm as error:
            raise IdentityError(
                "this build of OpenSSL has no RC4, which encrypts the PVK file", hint=_CONVERT
            ) from error
        if found.startswith(b"RSA2"):
            return found
    raise wrong_secret("PVK file", given=True)


def _rsa_key(body: bytes) -> rsa.RSAPrivateKey:
    """Return the key of an RSAPUBKEY and the numbers after it: n, p, q, dp, dq, the inverse of q, d."""
    magic, bits, exponent = _RSA.unpack_from(body)
    whole, half = (bits + 7) // 8, (bits + 15) // 16
    sizes = (whole, half, half, half, half, half, whole)
    if magic != b"RSA2" or not 0 < bits <= _MAX_BITS or len(body) < _RSA.size + sum(sizes):
        raise _damaged()
    numbers, at = [], _RSA.size
    for size in sizes:
        numbers.append(int.from_bytes(body[at : at + size], "little"))
        at += size
    n, p, q, dp, dq, inverse, d = numbers
    try:
        return rsa.RSAPrivateNumbers(p, q, d, dp, dq, inverse, rsa.RSAPublicNumbers(exponent, n)).private_key()
    except ValueError as error:
        raise _damaged() from error


def _damaged() -> KeyNotFound:
    return KeyNotFound("the PVK file is damaged or incomplete", hint="Copy it again, or restore it from a backup.")
