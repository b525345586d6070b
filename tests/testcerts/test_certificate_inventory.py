"""Reading certificate files, and the validity of certificates and revocation lists."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
    pkcs12,
)

from signer.asn1 import der
from signer.errors import CertificateError, IdentityError, WrongSecret
from testcerts.inventory import days_left, facts, handles, open_contents, revocation_facts, state
from tests.attacks.cases.public_keys import TRUSTED, point_of, reissue, with_key
from tests.support.explicit_curves import explicit_key
from tests.support.program import drvsign
from tests.support.signed_samples import CA, LEAF


def revocations(hierarchy, name="issuing-ca") -> x509.CertificateRevocationList:
    return x509.load_der_x509_crl(hierarchy.path(name, ".crl").read_bytes())


@pytest.mark.parametrize(
    ("suffix", "kind", "count", "has_key"),
    [
        (".cer", "certificate", 1, False),
        (".pem", "certificate", 3, False),
        (".p7b", "bundle", 3, False),
        (".pfx", "pfx", 3, True),
    ],
)
def test_the_end_entity_certificate_comes_first(hierarchy, suffix, kind, count, has_key):
    contents = open_contents(hierarchy.path("whql", suffix).read_bytes(), suffix)
    assert (contents.kind, len(contents.certificates), contents.has_key) == (kind, count, has_key)
    assert contents.certificates[0] == hierarchy.certificates["whql"]


@pytest.mark.parametrize("name", ["root", "issuing-ca"])
def test_an_empty_revocation_list_is_read(hierarchy, name):
    data = hierarchy.path(name, ".crl").read_bytes()
    assert open_contents(data, ".crl").revocations == revocations(hierarchy, name)
    pem = revocations(hierarchy, name).public_bytes(Encoding.PEM)
    assert open_contents(pem, ".pem").revocations == revocations(hierarchy, name)


@pytest.mark.parametrize("name", ["root", "issuing-ca"])
def test_a_damaged_revocation_list_is_read_or_rejected(hierarchy, name):
    """Change every byte in turn: the library parses some parts lazily."""
    data = hierarchy.path(name, ".crl").read_bytes()
    rejected = 0
    for offset in range(len(data)):
        for value in (data[offset] ^ 1, 0xFF):
            try:
                found = open_contents(data[:offset] + bytes([value]) + data[offset + 1 :], ".crl")
            except CertificateError as error:
                rejected += error.hint is not None
            else:
                assert revocation_facts(found.revocations, datetime.now(UTC))["state"]
    assert rejected


@pytest.mark.parametrize("suffix", [".cer", ".pem", ".p7b", ".pfx", ".crl"])
@pytest.mark.parametrize("data", [b"", b"garbage", b"\x30\x82\x01\x00\x02\x01\x03"], ids=["empty", "text", "cut"])
def test_a_file_without_a_certificate_is_rejected(suffix, data):
    with pytest.raises((CertificateError, IdentityError)) as caught:
        open_contents(data, suffix)
    assert caught.value.hint


@pytest.mark.parametrize("kind", ["enveloped", "unknown"])
def test_pkcs7_of_another_type_contains_no_certificate(hierarchy, kind):
    """SignedData with another content type, as in a damaged bundle or catalog."""
    data, name = hierarchy.path("code-signing", ".p7b").read_bytes(), bytes.fromhex("06092a864886f70d0107")
    data = data.replace(name + b"\x02", name + {"enveloped": b"\x03", "unknown": b"\x7f"}[kind], 1)
    with pytest.raises(CertificateError, match="no certificate found in the file"):
        open_contents(data, ".p7b")


@pytest.mark.parametrize("is_encrypted", [False, True])
def test_a_private_key_alone_is_named_as_such(hierarchy, is_encrypted):
    key = load_pem_private_key(hierarchy.path("code-signing", ".key.pem").read_bytes(), None)
    encryption = BestAvailableEncryption(b"secret") if is_encrypted else NoEncryption()
    data = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)
    with pytest.raises(CertificateError, match="the file has a private key and no certificate") as caught:
        open_contents(data, ".pem")
    assert caught.value.hint == "Name the file that has its certificate."


def pfx(hierarchy, password: bytes | None) -> bytes:
    key = load_pem_private_key(hierarchy.path("code-signing", ".key.pem").read_bytes(), None)
    encryption = BestAvailableEncryption(password) if password else NoEncryption()
    return pkcs12.serialize_key_and_certificates(b"x", key, hierarchy.code_signing, None, encryption)


@pytest.mark.parametrize(
    ("password", "given"),
    [(None, None), (b"drvsign", None), (b"secret", "secret"), (None, "not needed"), (b"drvsign", "for another")],
)
def test_a_pfx_opens_with_its_password_or_a_public_one(hierarchy, password, given):
    assert open_contents(pfx(hierarchy, password), ".pfx", given).certificates == (hierarchy.code_signing,)


@pytest.mark.parametrize(
    ("given", "message"),
    [(None, "the PFX is protected by a password, and none was given"), ("wrong", "the password of the PFX is wrong")],
)
def test_a_pfx_rejects_a_wrong_password(hierarchy, given, message):
    with pytest.raises(WrongSecret, match=message):
        open_contents(pfx(hierarchy, b"secret"), ".pfx", given)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("root", "valid"),
        ("code-signing", "valid"),
        ("expired", "expired"),
        ("not-yet-valid", "not yet valid"),
        ("revoked", "revoked"),
    ],
)
def test_states(hierarchy, now, name, expected):
    assert state(hierarchy.certificates[name], now, [revocations(hierarchy)]) == expected


def test_a_certificate_is_expiring_during_its_last_thirty_days(hierarchy):
    end = hierarchy.code_signing.not_valid_after_utc
    assert state(hierarchy.code_signing, end - timedelta(days=30)) == "valid"
    assert state(hierarchy.code_signing, end - timedelta(days=30) + timedelta(seconds=1)) == "expiring"
    assert state(hierarchy.code_signing, end) == "expiring"
    assert state(hierarchy.code_signing, end + timedelta(seconds=1)) == "expired"


def test_a_list_of_another_issuer_revokes_nothing(hierarchy, now):
    assert state(hierarchy.certificates["revoked"], now, [revocations(hierarchy, "root")]) == "valid"


def test_days_left_are_whole_and_negative_after_the_end(now):
    assert days_left(now + timedelta(days=2, hours=23), now) == 2
    assert days_left(now, now) == 0
    assert days_left(now - timedelta(hours=1), now) == -1


def test_facts_of_a_certificate(hierarchy, now):
    found = facts(hierarchy.certificates["whql"], now)
    assert found["common_name"] == "Contoso Test (whql)"
    assert found["issuer"] == hierarchy.issuing_ca.subject.rfc4514_string()
    assert found["usages"] == ["1.3.6.1.4.1.311.10.3.5", "1.3.6.1.5.5.7.3.3"]
    assert (found["key"], found["authority"], found["days_left"], found["error"]) == ("p256", False, 3650, None)


def test_facts_of_a_revocation_list(hierarchy, now):
    found = revocation_facts(revocations(hierarchy), now)
    assert found["revoked"] == [f"{hierarchy.certificates['revoked'].serial_number:x}"]
    assert (found["issuer"], found["state"]) == (hierarchy.issuing_ca.subject.rfc4514_string(), "valid")
    end = hierarchy.issuing_ca.not_valid_after_utc
    assert revocation_facts(revocations(hierarchy), end)["state"] == "expiring"
    assert revocation_facts(revocations(hierarchy), end + timedelta(days=1))["state"] == "expired"
    assert revocation_facts(revocations(hierarchy), now - timedelta(days=1))["state"] == "not yet valid"


@pytest.mark.parametrize(
    ("name", "expected"),
    [("a.cer", True), ("A.PFX", True), ("a.pem", True), ("a.key.pem", False), ("a.sys", False), ("a.cat", False)],
)
def test_folders_are_searched_for_certificates_but_not_keys(name, expected):
    assert handles(Path(name)) == expected


def test_a_pfx_with_too_many_iterations_is_refused() -> None:
    """Opening it would take hours, for each of the passwords that are tried."""
    mac = der.sequence(der.octets(bytes(8)), der.integer((1 << 31) - 1))
    with pytest.raises(IdentityError, match="4,294,967,294 iterations"):
        open_contents(der.sequence(der.integer(3), mac), ".pfx")


def test_a_certificate_whose_key_is_on_another_curve_is_an_error_of_create(tmp_path: Path) -> None:
    folder = tmp_path / "made"
    assert drvsign("certs", "create", folder, "--key", "p256").code == 0
    forged = reissue(with_key(LEAF.certificate, explicit_key(point_of(TRUSTED))), CA)
    (folder / "code-signing.cer").write_bytes(forged.public_bytes(Encoding.DER))
    assert drvsign("certs", "create", folder).errors == [
        "error: the public key of the certificate 'Sample Signer' can't be parsed"
    ]


def test_a_password_with_a_nul_is_wrong() -> None:
    with pytest.raises(WrongSecret, match="NUL"):
        open_contents(der.sequence(), ".pfx", "a\0b")
