"""Keys in files are loaded, and each problem has its own error."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)

from signer.algorithms import DigestAlgorithm
from signer.asn1 import der
from signer.errors import (
    CertificateError,
    IdentityError,
    KeyCertificateMismatch,
    KeyNotFound,
    SignerError,
    UsageError,
    WrongSecret,
)
from signer.keys.local import MAX_RSA_BITS, load_pair, load_pfx
from signer.keys.open import open_identity
from tests.support.identities import certificate, identity, private_key

LEAF = identity()
KEY = private_key("rsa2048", "Drvsign Unit Test")
CERTIFICATES = LEAF.certificate.public_bytes(Encoding.PEM) + LEAF.chain[0].public_bytes(Encoding.PEM)


def pfx(password: bytes | None) -> bytes:
    protection = BestAvailableEncryption(password) if password else NoEncryption()
    return pkcs12.serialize_key_and_certificates(b"me", KEY, LEAF.certificate, list(LEAF.chain), protection)  # type: ignore[arg-type]


def key_file(encoding: Encoding, form: PrivateFormat, password: bytes | None = None) -> bytes:
    protection = BestAvailableEncryption(password) if password else NoEncryption()
    return KEY.private_bytes(encoding, form, protection)


@pytest.mark.parametrize("encoding", [Encoding.PEM, Encoding.DER])
@pytest.mark.parametrize("form", [PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL])
def test_a_key_loads_in_every_format(encoding: Encoding, form: PrivateFormat) -> None:
    found = load_pair(CERTIFICATES, key_file(encoding, form), None)
    assert found.certificate == LEAF.certificate
    assert found.chain == LEAF.chain


@pytest.mark.parametrize("encoding", [Encoding.PEM, Encoding.DER])
def test_an_encrypted_key_requires_its_password(encoding: Encoding) -> None:
    data = key_file(encoding, PrivateFormat.PKCS8, b"right")
    assert load_pair(CERTIFICATES, data, "right").certificate == LEAF.certificate
    with pytest.raises(WrongSecret, match="the password of the private key is wrong"):
        load_pair(CERTIFICATES, data, "wrong")
    with pytest.raises(WrongSecret, match="none was given"):
        load_pair(CERTIFICATES, data, None)


def test_a_wrong_password_that_decrypts_to_no_key_is_a_wrong_password() -> None:
    """The padding of a wrongly decrypted key is right for one password of 256."""
    data = key_file(Encoding.DER, PrivateFormat.PKCS8, b"right")
    algorithm, _ = (one.whole(data) for one in der.children(data, der.read(data)))
    for number in range(1000):
        with pytest.raises(WrongSecret):
            load_pair(CERTIFICATES, der.sequence(algorithm, der.octets(number.to_bytes(16))), "right")


def test_a_pfx_requires_its_password() -> None:
    assert load_pfx(pfx(b"right"), "right").chain == LEAF.chain
    for wrong in (None, "", "wrong"):
        with pytest.raises(WrongSecret):
            load_pfx(pfx(b"right"), wrong)


def test_the_certificate_of_the_key_is_found_among_several() -> None:
    other = certificate("Somebody Else", "p256", ("Drvsign Unit Root", "p256"))
    found = load_pair(
        other.public_bytes(Encoding.PEM) + CERTIFICATES, key_file(Encoding.PEM, PrivateFormat.PKCS8), None
    )
    assert found.certificate == LEAF.certificate


def test_a_certificate_of_another_key_is_a_mismatch() -> None:
    other = certificate("Somebody Else", "p256", ("Drvsign Unit Root", "p256"))
    with pytest.raises(KeyCertificateMismatch):
        load_pair(other.public_bytes(Encoding.DER), key_file(Encoding.PEM, PrivateFormat.PKCS8), None)


@pytest.mark.parametrize(
    "data", [b"", b"garbage", b"\x30\x03abc", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"]
)
def test_a_file_without_a_key_is_refused(data: bytes) -> None:
    with pytest.raises(KeyNotFound):
        load_pair(CERTIFICATES, data, None)
    with pytest.raises(IdentityError):
        load_pfx(data, None)


def test_a_key_type_that_authenticode_does_not_support_is_refused() -> None:
    data = ed25519.Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with pytest.raises(IdentityError, match="does not support this type of key"):
        load_pair(CERTIFICATES, data, None)


def test_an_unencrypted_key_needs_no_prompt(tmp_path: Path) -> None:
    path = tmp_path / "open.pfx"
    path.write_bytes(pfx(None))
    assert open_identity(pfx=path, secret=lambda _: pytest.fail("prompted")).name == "Drvsign Unit Test"


@pytest.mark.parametrize("uri", ["pfx:{pfx}", "file:{key}?cert={cert}"])
def test_identity_uris(uri: str, tmp_path: Path) -> None:
    files = {name: tmp_path / name for name in ("pfx", "key", "cert")}
    files["pfx"].write_bytes(pfx(b"right"))
    files["key"].write_bytes(key_file(Encoding.DER, PrivateFormat.PKCS8, b"right"))
    files["cert"].write_bytes(CERTIFICATES)
    named = uri.format(**{name: path.as_posix() for name, path in files.items()})
    assert open_identity(uri=named, secret=lambda _: "right").certificate == LEAF.certificate
    with pytest.raises(WrongSecret) as raised:
        open_identity(uri=named, secret=lambda _: "wrong")
    assert raised.value.path is not None


@pytest.mark.parametrize("uri", ["", "nothing", "pkcs12:x", "file:key.pem"])
def test_an_invalid_identity_uri_is_a_usage_error(uri: str) -> None:
    with pytest.raises(UsageError):
        open_identity(uri=uri, secret=lambda _: None)


def test_a_missing_file_is_named() -> None:
    with pytest.raises(SignerError, match=r"missing\.pfx"):
        open_identity(pfx=Path("missing.pfx"), secret=lambda _: None)


def test_the_error_for_a_file_without_a_certificate_names_that_file(tmp_path: Path) -> None:
    key, bad = tmp_path / "key.pem", tmp_path / "bad.cer"
    key.write_bytes(b"-----BEGIN PRIVATE KEY-----")
    bad.write_bytes(b"nothing")
    with pytest.raises(CertificateError) as raised:
        open_identity(certificate=bad, key=key, secret=lambda _: None)
    assert raised.value.path == bad


def test_a_certificate_restricted_to_pss_is_refused() -> None:
    plain = LEAF.certificate.public_bytes(Encoding.DER)
    key = der.sequence(der.oid("1.2.840.113549.1.1.1"), der.null())
    # Change only the algorithm of the key. The signature of the certificate becomes invalid, which is not checked here.
    assert plain.count(key) == 1
    pss = der.sequence(der.oid("1.2.840.113549.1.1.10"))
    changed = _with_part(plain, key, pss)
    with pytest.raises(IdentityError, match="PSS"):
        load_pair(changed, key_file(Encoding.PEM, PrivateFormat.PKCS8), None)


def _with_part(data: bytes, old: bytes, new: bytes) -> bytes:
    """Replace one element of a DER structure, and adjust the lengths of the elements around it."""
    if data == old:
        return new
    element = der.read(data)
    if not element.tag & 0x20 or old not in data:
        return data
    parts = (_with_part(child.whole(data), old, new) for child in der.children(data, element))
    return der.tlv(element.tag, *parts)


def test_a_damaged_key_is_detected_when_it_signs() -> None:
    """Loading skips the validation of the numbers, which is slow; the signature is checked instead."""
    numbers = KEY.private_numbers()  # type: ignore[union-attr]
    broken = rsa.RSAPrivateNumbers(
        numbers.p, numbers.q, numbers.d ^ 4, numbers.dmp1 ^ 4, numbers.dmq1, numbers.iqmp, numbers.public_numbers
    ).private_key(unsafe_skip_rsa_key_validation=True)
    file = broken.private_bytes(Encoding.DER, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    found = load_pair(CERTIFICATES, file, None)
    with pytest.raises(IdentityError, match="the private key is damaged"):
        found.key.sign(bytes(32), DigestAlgorithm.SHA256)


def test_a_private_key_that_takes_long_to_sign_is_refused() -> None:
    """OpenSSL signs with RSA keys of any size: one of 32,768 bits took 47 seconds."""

    def key_of(bits: int) -> bytes:
        modulus, half = (1 << bits) - 1, (1 << bits // 2) - 1
        numbers = (0, modulus, 65537, modulus - 2, half, half, half, half, half)
        return der.sequence(*map(der.integer, numbers))

    with pytest.raises(KeyCertificateMismatch):
        load_pair(CERTIFICATES, key_of(MAX_RSA_BITS), None)
    with pytest.raises(IdentityError, match="the private key has 8,194 bits; the limit is 8,192"):
        load_pair(CERTIFICATES, key_of(MAX_RSA_BITS + 2), None)
