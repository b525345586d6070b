"""Issued certificates match their profiles, and the deliberately flawed ones have their flaw."""

from __future__ import annotations

import shutil
import subprocess
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from signer.certificates import extended_key_usages, extensions, spki_sha256, valid_at
from signer.errors import IdentityError, UsageError
from testcerts.issue import Order, issue, key_kind, parse_subject
from testcerts.profiles import ALL_PROFILES, HIERARCHY, PROFILES, KeyKind, select_profiles

MICROSOFT = "1.3.6.1.4.1.311"
CODE_SIGNING = "1.3.6.1.5.5.7.3.3"


@pytest.mark.parametrize(
    ("name", "usages"),
    [
        ("root", None),
        ("issuing-ca", None),
        ("code-signing", {CODE_SIGNING}),
        ("time-stamping", {"1.3.6.1.5.5.7.3.8"}),
        ("whql", {CODE_SIGNING, f"{MICROSOFT}.10.3.5"}),
        ("ev-whql", {CODE_SIGNING, f"{MICROSOFT}.10.3.39"}),
        ("attested", {CODE_SIGNING, f"{MICROSOFT}.10.3.5.1"}),
        ("elam", {CODE_SIGNING, f"{MICROSOFT}.61.4.1"}),
        ("hal", {CODE_SIGNING, f"{MICROSOFT}.61.5.1"}),
        ("lifetime", {CODE_SIGNING, f"{MICROSOFT}.10.3.13"}),
        ("protected-process-light", {CODE_SIGNING, f"{MICROSOFT}.10.3.22"}),
        ("windows-tcb", {CODE_SIGNING, f"{MICROSOFT}.10.3.23"}),
        ("protected-process", {CODE_SIGNING, f"{MICROSOFT}.10.3.24"}),
        ("drm", {CODE_SIGNING, f"{MICROSOFT}.10.5.1"}),
        ("cross", {CODE_SIGNING}),
        ("no-eku", None),
        ("wrong-eku", {"1.3.6.1.5.5.7.3.1"}),
    ],
)
def test_each_profile_has_its_extended_key_usages(hierarchy, name, usages):
    assert extended_key_usages(hierarchy.certificates[name]) == usages


def test_every_profile_is_issued(hierarchy):
    assert list(hierarchy.certificates) == list(ALL_PROFILES)


def test_only_the_time_stamping_usage_is_critical_and_it_is_the_only_usage(hierarchy):
    for name, certificate in hierarchy.certificates.items():
        for extension in extensions(certificate):
            if isinstance(extension.value, x509.ExtendedKeyUsage):
                assert extension.critical == (name == "time-stamping"), name
                assert len(extension.value) == 1 or name != "time-stamping"


def test_authorities_issue_and_others_sign(hierarchy):
    for name, certificate in hierarchy.certificates.items():
        constraints = extensions(certificate).get_extension_for_class(x509.BasicConstraints)
        usage = extensions(certificate).get_extension_for_class(x509.KeyUsage)
        assert constraints.critical, name
        assert usage.critical, name
        assert constraints.value.ca == ALL_PROFILES[name].authority == usage.value.key_cert_sign, name
        assert usage.value.digital_signature != ALL_PROFILES[name].authority, name


def test_each_certificate_is_signed_by_the_issuer_in_its_profile(hierarchy):
    for name, certificate in hierarchy.certificates.items():
        issuer = hierarchy.certificates[ALL_PROFILES[name].issuer or name]
        certificate.verify_directly_issued_by(issuer)


def test_validity_is_within_that_of_the_issuer(hierarchy):
    for name, certificate in hierarchy.certificates.items():
        issuer = hierarchy.certificates[ALL_PROFILES[name].issuer or name]
        assert issuer.not_valid_before_utc <= certificate.not_valid_before_utc, name
        assert certificate.not_valid_after_utc <= issuer.not_valid_after_utc, name


def test_the_cross_certificate_has_the_key_and_subject_of_the_root(hierarchy):
    cross = hierarchy.certificates["cross"]
    assert spki_sha256(cross) == spki_sha256(hierarchy.root)
    assert cross.subject == hierarchy.root.subject
    assert cross.issuer == hierarchy.certificates["code-verification-root"].subject


def test_only_certificates_with_a_flawed_validity_are_not_valid_now(hierarchy, now):
    invalid = {name for name, one in hierarchy.certificates.items() if not valid_at(one, now)}
    assert invalid == {"expired", "not-yet-valid"}


def test_the_expired_certificate_was_valid_together_with_its_issuers(hierarchy, now):
    once = now - timedelta(days=500)
    for name in ("expired", "issuing-ca", "root"):
        assert valid_at(hierarchy.certificates[name], once), name


def test_the_weak_key_is_weak_for_every_kind_of_key(hierarchy):
    kinds = {name: key_kind(one.public_key()) for name, one in hierarchy.certificates.items()}
    assert kinds.pop("weak-key") == "rsa1024"
    assert set(kinds.values()) == {"p256"}


@pytest.mark.parametrize("kind", [KeyKind.RSA2048, KeyKind.RSA3072, KeyKind.P384])
def test_keys_are_of_the_selected_kind(kind, now):
    issued = issue(HIERARCHY[:1], Order(parse_subject("Contoso"), now, kind))
    key = issued["root"].key
    assert key_kind(key) == kind
    assert not isinstance(key, rsa.RSAPrivateKey) or key.public_key().public_numbers().e == 65537


def test_rsa1024_cannot_be_selected():
    with pytest.raises(UsageError, match="unknown kind of key 'rsa1024'"):
        KeyKind.named("rsa1024")


def test_exactly_the_flawed_profiles_have_a_flaw():
    flawed = {name for name, profile in ALL_PROFILES.items() if profile.flaw}
    assert flawed == {"expired", "not-yet-valid", "no-eku", "wrong-eku", "weak-key", "revoked"}


def test_selecting_a_profile_selects_its_issuers_first():
    for name in PROFILES:
        order = [profile.name for profile in select_profiles([name])]
        for profile in select_profiles([name]):
            if profile.issuer:
                assert order.index(profile.issuer) < order.index(profile.name)


def test_an_unknown_profile_is_rejected_with_the_known_names(now):
    with pytest.raises(UsageError, match="'whlq'") as caught:
        select_profiles(["whlq"])
    assert "whql" in caught.value.hint


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("CN=Contoso Test,O=Contoso\\, Ltd,C=DE", "Contoso Test"),
        ("CN=Contoso Test, O=Contoso\\, Ltd,  C=DE", "Contoso Test"),
        ("Contoso Test", "Contoso Test"),
        ("E=driver@example.com,CN=Ünïcode 株式会社,S=Bayern", "Ünïcode 株式会社"),
    ],
    ids=["rfc4514", "spaces-after-commas", "common-name-alone", "windows-spellings"],
)
def test_subjects_are_read(text, name):
    assert parse_subject(text).get_attributes_for_oid(NameOID.COMMON_NAME)[0].value == name


@pytest.mark.parametrize(
    "text",
    ["O=Contoso", "CN=", "", "CN=a,C=Germany", "CN=a,,O=b", "NOPE=a,CN=b", "CN=" + "x" * 65],
    ids=["no-name", "empty-name", "empty", "country", "empty-part", "unknown-attribute", "too-long"],
)
def test_invalid_subjects_are_rejected(text):
    with pytest.raises(UsageError):
        parse_subject(text)


@pytest.mark.parametrize("name", ["x" * 60, "株" * 20], ids=["ascii", "three-bytes-each"])
def test_a_common_name_must_leave_space_for_the_suffix(now, name):
    with pytest.raises(UsageError, match="too long") as caught:
        issue(HIERARCHY, Order(parse_subject(name), now, KeyKind.P256))
    assert caught.value.hint == "Shorten it: the suffix ' Root CA' needs 8 bytes."


@pytest.mark.parametrize("days", [0, -1, 36501])
def test_validity_has_limits(days, now):
    with pytest.raises(UsageError, match="1 to 36500 days"):
        Order(parse_subject("Contoso"), now, KeyKind.P256, days)


@pytest.mark.parametrize("year", [1950, 9999])
def test_years_outside_the_range_of_certificates_are_rejected(year, now):
    with pytest.raises(UsageError, match=str(year)):
        Order(parse_subject("Contoso"), now.replace(year=year), KeyKind.P256)


def test_an_expired_authority_cannot_issue(order, now):
    old = Order(order.subject, now.replace(year=1990), KeyKind.P256)
    existing = issue(HIERARCHY[:2], old)
    with pytest.raises(IdentityError, match="is outside that of its issuer"):
        issue([PROFILES["whql"]], order, existing)


@pytest.fixture(scope="session")
def openssl() -> str:
    found = shutil.which("openssl")
    if found is None:
        pytest.skip("openssl is not installed")
    return found


def verify(openssl, hierarchy, name, tmp_path, anchor="root", others=("issuing-ca",)) -> tuple[bool, str]:
    """Run `openssl verify` with revocation lists at the time of the fixtures; return success and output."""
    untrusted = tmp_path / "untrusted.pem"
    untrusted.write_bytes(b"".join(hierarchy.certificates[other].public_bytes(Encoding.PEM) for other in others))
    lists = tmp_path / "lists.pem"
    text = b""
    for authority in ("root", "issuing-ca", "code-verification-root"):
        crl = ["openssl", "crl", "-inform", "DER", "-in", hierarchy.path(authority, ".crl")]
        text += subprocess.run(crl, check=True, capture_output=True).stdout
    lists.write_bytes(text)
    arguments = [
        openssl, "verify", "-x509_strict", "-crl_check_all", "-CRLfile", lists, "-attime", "1772366400",
        "-CAfile", hierarchy.path(anchor, ".pem"), "-untrusted", untrusted, hierarchy.path(name, ".cer"),
    ]  # fmt: skip
    done = subprocess.run(arguments, capture_output=True, text=True)
    return done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("code-signing", None),
        ("time-stamping", None),
        ("whql", None),
        ("elam", None),
        ("lifetime", None),
        ("expired", "certificate has expired"),
        ("not-yet-valid", "certificate is not yet valid"),
        ("revoked", "certificate revoked"),
    ],
)
def test_openssl_agrees(openssl, hierarchy, tmp_path, name, error):
    valid, output = verify(openssl, hierarchy, name, tmp_path)
    assert valid == (error is None), output
    assert error is None or error in output


def test_openssl_builds_the_path_through_the_cross_certificate(openssl, hierarchy, tmp_path):
    anchor, others = "code-verification-root", ("issuing-ca", "cross")
    assert verify(openssl, hierarchy, "code-signing", tmp_path, anchor, others)[0]
    assert not verify(openssl, hierarchy, "code-signing", tmp_path, anchor, ("issuing-ca",))[0]
