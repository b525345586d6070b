"""A PFX is opened in a time that its unencrypted parts bound, and its MAC is verified as OpenSSL verifies it."""

from __future__ import annotations

import hashlib
import hmac
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)

from signer import limits
from signer.algorithms import DigestAlgorithm
from signer.asn1 import der, oids
from signer.asn1.iterations import iterations
from signer.asn1.pfx import MAX_CONTENTS, Pfx, parse
from signer.errors import CertificateError, IdentityError, KeyNotFound, WrongSecret
from signer.keys.local import load_pair, load_pfx
from signer.keys.passwords import guesses
from signer.keys.pfx import _derived, open_pfx
from testcerts.inventory import open_contents
from tests.support.identities import identity, private_key

LEAF = identity()
KEY = private_key("rsa2048", "Drvsign Unit Test")
assert isinstance(KEY, rsa.RSAPrivateKey)
PUBLIC = KEY.public_key()
AES, TRIPLE_DES = pkcs12.PBES.PBESv2SHA256AndAES256CBC, pkcs12.PBES.PBESv1SHA1And3KeyTripleDESCBC


def pfx(password: str = "secret", kind: pkcs12.PBES = AES, *, has_certificates: bool = True) -> bytes:
    """Return the PFX that `cryptography` writes: encrypted certificates, then the encrypted key, and a MAC."""
    encryption = PrivateFormat.PKCS12.encryption_builder().kdf_rounds(2).key_cert_algorithm(kind)
    own, others = (LEAF.certificate, list(LEAF.chain)) if has_certificates else (None, None)
    return pkcs12.serialize_key_and_certificates(b"me", KEY, own, others, encryption.build(password.encode()))


def openssl(file: bytes) -> object:
    """Return the public key of what OpenSSL opens."""
    key = pkcs12.load_pkcs12(file, b"secret").key
    return key.public_key() if key is not None else None


def without_mac(*contents: bytes) -> bytes:
    return der.sequence(der.integer(3), data(der.sequence(*contents)))


def data(content: bytes) -> bytes:
    return der.sequence(der.oid(oids.DATA), der.explicit(0, der.octets(content)))


def hidden_key() -> bytes:
    """Return encrypted contents whose plain text is a bag with an encrypted key."""
    (part,) = parse(pfx(has_certificates=False)).plain
    _, content = der.children(part, der.read(part))
    (bags,) = (one.contents(part) for one in der.children(part, content))
    salt = vector = bytes(16)
    hashed = der.sequence(der.oid(oids.HMAC_SHA256), der.null())
    derivation = der.sequence(der.oid(oids.PBKDF2), der.sequence(der.octets(salt), der.integer(2), hashed))
    cipher = der.sequence(der.oid("2.16.840.1.101.3.4.1.42"), der.octets(vector))
    algorithm = der.sequence(der.oid("1.2.840.113549.1.5.13"), der.sequence(derivation, cipher))
    padder = padding.PKCS7(128).padder()
    secret = hashlib.pbkdf2_hmac("sha256", b"secret", salt, 2, 32)
    encryptor = Cipher(algorithms.AES(secret), modes.CBC(vector)).encryptor()
    encrypted = encryptor.update(padder.update(bags) + padder.finalize()) + encryptor.finalize()
    info = der.sequence(der.oid(oids.DATA), algorithm, der.tlv(0x80, encrypted))
    return der.sequence(der.oid("1.2.840.113549.1.7.6"), der.explicit(0, der.sequence(der.integer(0), info)))


def test_a_key_inside_encrypted_contents_is_not_decrypted() -> None:
    """Its iterations are unknown before its contents are decrypted."""
    file = without_mac(hidden_key())
    assert openssl(file) == PUBLIC
    opened = open_pfx(file, "secret")
    assert (opened.key, opened.certificate, opened.others, opened.may_hide_key) == (None, None, (), True)
    with pytest.raises(KeyNotFound, match="can require any number of iterations") as caught:
        load_pfx(file, "secret")
    assert "DRVSIGN_LIMITS=key-iterations=off" in (caught.value.hint or "")


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_the_command_in_the_hint_makes_a_hidden_key_usable(tmp_path: Path) -> None:
    (tmp_path / "OLD.pfx").write_bytes(without_mac(hidden_key(), *parse(pfx()).encrypted))
    (tmp_path / "OLD.pass").write_text("secret")
    with pytest.raises(KeyNotFound) as caught:
        load_pfx((tmp_path / "OLD.pfx").read_bytes(), "secret")
    commands = re.findall(r"openssl pkcs12 .+?\.(?:pem|pfx)(?= &&|\.)", caught.value.hint or "")
    assert len(commands) == 2
    for command in commands:
        call = [*command.split(), "-passin", "file:OLD.pass", "-passout", "stdin"]
        subprocess.run(call, cwd=tmp_path, input=b"secret", capture_output=True, check=True)
    found = load_pfx((tmp_path / "NEW.pfx").read_bytes(), "secret")
    assert found.certificate == LEAF.certificate


def test_a_file_with_nothing_but_a_hidden_key_is_not_shown_as_empty() -> None:
    with pytest.raises(KeyNotFound, match="can require any number of iterations"):
        open_contents(without_mac(hidden_key()), ".pfx", "secret")


def test_a_key_inside_encrypted_contents_is_used_without_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(limits.LIMITS, "key-iterations", limits.OFF)
    key = open_pfx(without_mac(hidden_key()), "secret").key
    assert key is not None
    assert key.public_key() == PUBLIC


def test_a_key_outside_encrypted_contents_is_found_behind_one_inside() -> None:
    contents = parse(pfx())
    opened = open_pfx(without_mac(hidden_key(), *contents.encrypted, *contents.plain), "secret")
    assert opened.key is not None
    assert opened.key.public_key() == PUBLIC
    assert (opened.certificate, opened.may_hide_key) == (LEAF.certificate, False)
    assert opened.others == LEAF.chain


@pytest.mark.parametrize("kind", [AES, TRIPLE_DES], ids=["aes", "3des"])
@pytest.mark.parametrize("password", ["secret", "pässwörd", "🔑"])
def test_the_mac_is_verified_with_the_password(password: str, kind: pkcs12.PBES) -> None:
    file = pfx(password, kind)
    assert load_pfx(file, password).chain == LEAF.chain
    for wrong in (None, "", "wrong", f"{password} "):
        with pytest.raises(WrongSecret):
            load_pfx(file, wrong)


@pytest.mark.parametrize("written", [b"", b"\0\0"], ids=["no-password", "an-empty-one"])
@pytest.mark.parametrize("given", [None, ""])
def test_a_file_without_a_password_is_opened(written: bytes, given: str | None) -> None:
    """RFC 7292 has no rule for it: the key of the MAC is derived from nothing, or from a final NUL."""
    contents = parse(pkcs12.serialize_key_and_certificates(b"me", KEY, LEAF.certificate, None, NoEncryption()))
    secret = _derived("sha256", written, bytes(8), 1)
    file = macked(contents, "sha256", DigestAlgorithm.SHA256.oid, secret, der.null())
    opened = open_pfx(file, given)
    assert opened.key is not None
    assert opened.key.public_key() == PUBLIC
    with pytest.raises(WrongSecret):
        open_pfx(file, "secret")


def test_two_ways_to_write_no_password_take_no_more_than_the_limit() -> None:
    contents = parse(pkcs12.serialize_key_and_certificates(b"me", KEY, LEAF.certificate, None, NoEncryption()))
    file = macked(contents, "sha256", DigestAlgorithm.SHA256.oid, _derived("sha256", b"\0\0", bytes(8), 1), der.null())
    assert open_pfx(file, None, 2 * iterations(file)).key is not None
    with pytest.raises(WrongSecret):
        open_pfx(file, None, 2 * iterations(file) - 1)


def test_a_changed_byte_of_what_the_mac_covers_is_refused() -> None:
    """Of contents that are not encrypted, nothing else would notice it."""
    plain = pkcs12.serialize_key_and_certificates(
        b"me", KEY, LEAF.certificate, None, BestAvailableEncryption(b"secret")
    )
    at = plain.index("me".encode("utf-16-be"))
    changed = plain[: at + 1] + b"M" + plain[at + 2 :]
    with pytest.raises(WrongSecret):
        load_pfx(changed, "secret")


def macked(contents: Pfx, name: str, oid: str, secret: bytes, *parameters: bytes) -> bytes:
    value = hmac.digest(secret, contents.content, name)
    digest = der.sequence(der.sequence(der.oid(oid), *parameters), der.octets(value))
    mac = der.sequence(digest, der.octets(bytes(8)), der.integer(1))
    return der.sequence(der.integer(3), data(contents.content), mac)


def test_a_mac_of_pbmac1_is_verified() -> None:
    """RFC 9579; OpenSSL agrees that it is right."""
    hashed = der.sequence(der.oid("1.2.840.113549.2.11"), der.null())
    derivation = der.sequence(
        der.oid(oids.PBKDF2), der.sequence(der.octets(bytes(8)), der.integer(5), der.integer(32), hashed)
    )
    secret = hashlib.pbkdf2_hmac("sha512", b"secret", bytes(8), 5, 32)
    parameters = der.sequence(derivation, der.sequence(der.oid(oids.HMAC_SHA256), der.null()))
    file = macked(parse(pfx()), "sha256", oids.PBMAC1, secret, parameters)
    assert openssl(file) == PUBLIC
    assert load_pfx(file, "secret").certificate == LEAF.certificate
    with pytest.raises(WrongSecret):
        load_pfx(file, "wrong")


def test_a_mac_of_an_unknown_algorithm_is_an_error() -> None:
    with pytest.raises(IdentityError, match=r"MAC algorithm of the PFX is not supported \(1\.2\.3\.4\)"):
        load_pfx(macked(parse(pfx()), "sha256", "1.2.3.4", b""), "secret")


def indefinite(whole: bytes) -> bytes:
    """Return a SEQUENCE in BER, without a length."""
    element = der.read(whole)
    return b"\x30\x80" + whole[element.body : element.end] + b"\0\0"


def test_a_pfx_in_ber_is_opened() -> None:
    """NSS and macOS write indefinite lengths and octet strings in pieces."""
    contents = parse(pfx())
    pieces = [contents.content[at : at + 100] for at in range(0, len(contents.content), 100)]
    split = b"\x24\x80" + b"".join(map(der.octets, pieces)) + b"\0\0"
    auth_safe = indefinite(der.sequence(der.oid(oids.DATA), b"\xa0\x80" + split + b"\0\0"))
    file = indefinite(der.sequence(der.integer(3), auth_safe))
    assert openssl(file) == PUBLIC
    assert load_pfx(file, "secret").certificate == LEAF.certificate


def test_a_pfx_with_too_many_certificates_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(limits.LIMITS, "certificates", 1 + len(LEAF.chain))
    load_pfx(pfx(), "secret")
    monkeypatch.setitem(limits.LIMITS, "certificates", len(LEAF.chain))
    with pytest.raises(CertificateError, match="the limit is 1"):
        load_pfx(pfx(), "secret")


def test_a_pfx_with_too_many_contents_is_refused() -> None:
    contents = parse(pfx())
    empty = data(der.sequence())
    padding_ = [empty] * (MAX_CONTENTS - len(contents.plain) - len(contents.encrypted))
    load_pfx(without_mac(*contents.plain, *contents.encrypted, *padding_), "secret")
    with pytest.raises(IdentityError, match="not a valid PFX"):
        load_pfx(without_mac(*contents.plain, *contents.encrypted, *padding_, empty), "secret")


@pytest.mark.parametrize("encoding", [Encoding.PEM, Encoding.DER])
def test_a_private_key_with_too_many_iterations_is_refused(encoding: Encoding, monkeypatch: pytest.MonkeyPatch) -> None:
    encrypted = KEY.private_bytes(encoding, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret"))
    certificate = LEAF.certificate.public_bytes(Encoding.DER)
    count = iterations(KEY.private_bytes(Encoding.DER, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret")))
    monkeypatch.setitem(limits.LIMITS, "key-iterations", count)
    assert load_pair(certificate, encrypted, "secret").certificate == LEAF.certificate
    monkeypatch.setitem(limits.LIMITS, "key-iterations", count - 1)
    with pytest.raises(
        IdentityError, match=rf"private key requires {count:,} iterations .* limit is {count - 1:,}"
    ) as caught:
        load_pair(certificate, encrypted, "secret")
    assert re.search(rf"DRVSIGN_LIMITS=key-iterations={count}$", caught.value.hint or "")


def test_the_first_key_of_a_pem_file_is_used() -> None:
    other = private_key("p256", "another")
    encrypted = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret"))
    text = LEAF.certificate.public_bytes(Encoding.PEM) + encrypted
    text += other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret"))
    assert load_pair(text, text.replace(b"\n", b"\r\n"), "secret").certificate == LEAF.certificate


def test_no_password_is_guessed_for_a_file_of_many_iterations(
    tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each guess takes as long as opening the file."""
    file = pfx()
    monkeypatch.setitem(limits.LIMITS, "key-iterations", 6 * iterations(file))
    assert guesses(file) == (None, "")
    monkeypatch.setitem(limits.LIMITS, "key-iterations", 6 * iterations(file) - 1)
    assert guesses(file) == ()
