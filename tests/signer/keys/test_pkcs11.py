"""Keys in a SoftHSM token: found by URI, opened with a single PIN attempt, not used again after a failure."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from signer.algorithms import DigestAlgorithm
from signer.errors import IdentityError, KeyCertificateMismatch, KeyNotFound, SignerError, UsageError, WrongSecret
from signer.keys import pkcs11
from signer.keys.check import Check, check_digest
from signer.keys.listing import list_keys
from signer.keys.open import open_identity
from signer.keys.pkcs11_uri import Pkcs11Uri
from tests.support.identities import certificate, identity, private_key
from tests.support.tokens import PIN, SoftHsm, softhsm_in

ROOT = ("Drvsign Unit Root", "p256")
NAMES = {"rsa2048": "Token RSA", "p256": "Token P-256", "p384": "Token P-384"}
ROOT_CERTIFICATE = certificate(*ROOT)
CERTIFICATES = {kind: certificate(name, kind, ROOT) for kind, name in NAMES.items()}


@pytest.fixture
def token(filled: SoftHsm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SoftHsm:
    """Provide a token `Release` with three keys, their certificates and the root."""
    return filled.copy(tmp_path / "hsm", monkeypatch)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SoftHsm]:
    """Create that token once for all tests; each test gets a copy."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        yield _filled(softhsm_in(tmp_path_factory.mktemp("hsm"), monkeypatch))


def _filled(hsm: SoftHsm) -> SoftHsm:
    hsm.add_token("Release")
    for number, (kind, name) in enumerate(NAMES.items(), 1):
        hsm.add_key("Release", name, f"0{number}", private_key(kind, name))
    for number, kind in enumerate(NAMES, 1):
        hsm.add_certificate("Release", bytes([number]), CERTIFICATES[kind])
    hsm.add_certificate("Release", b"\xff", ROOT_CERTIFICATE)
    return hsm


def open_key(token: SoftHsm, path: str, query: str = "", pin: str | None = PIN, cert: Path | None = None):
    return open_identity(uri=token.uri(path, query), certificate=cert, secret=lambda _: pin)


def user_flags(token: SoftHsm, label: str = "Release"):
    return token.library().get_token(token_label=label).flags


@pytest.mark.parametrize("kind", list(NAMES))
@pytest.mark.parametrize("algorithm", [DigestAlgorithm.SHA1, DigestAlgorithm.SHA256, DigestAlgorithm.SHA384])
def test_every_type_of_key_signs_and_has_its_certificate(token, kind, algorithm):
    found = open_key(token, f"token=Release;object={NAMES[kind].replace(' ', '%20')}")
    assert found.certificate == CERTIFICATES[kind]
    assert found.chain == (ROOT_CERTIFICATE,)
    digest = algorithm.hash(b"content")
    signature = found.key.sign(digest, algorithm)
    assert check_digest(private_key(kind, NAMES[kind]).public_key(), signature, digest, algorithm) is Check.GOOD


@pytest.mark.parametrize(
    "path",
    ["token=Release;id=%02", "object=Token%20P-256;type=private", "model=SoftHSM%20v2;id=%02", "id=%02"],
)
def test_a_key_is_found_by_the_attributes_in_its_uri(token, path):
    assert open_key(token, path).name == "Token P-256"


def test_a_key_is_found_by_slot_and_serial(token):
    (slot,) = [s for s in token.library().get_slots() if s.get_token().label == "Release"]
    assert open_key(token, f"slot-id={slot.slot_id};id=%01").name == "Token RSA"
    assert open_key(token, f"serial={slot.get_token().serial.decode()};id=%01").name == "Token RSA"


@pytest.mark.parametrize(
    ("path", "error", "message"),
    [
        ("token=Debug;id=%01", KeyNotFound, "no token matches the URI; tokens present: 'Release'"),
        ("slot-id=77;id=%01", KeyNotFound, "no token"),
        ("token=Release;id=%09", KeyNotFound, "has no private key that matches"),
        ("token=Release;object=Nobody", KeyNotFound, "has no private key that matches"),
        ("token=Release", IdentityError, "3 keys of the token 'Release' match the URI: .*id=%0"),
    ],
)
def test_a_missing_or_ambiguous_key_is_refused(token, path, error, message):
    with pytest.raises(error, match=message):
        open_key(token, path)


def test_a_uri_that_matches_two_tokens_is_refused(token):
    token.add_token("Debug")
    with pytest.raises(IdentityError, match="2 tokens match the URI"):
        open_key(token, "id=%01")
    assert open_key(token, "token=Release;id=%01").name == "Token RSA"


def test_a_wrong_pin_is_tried_once(token, monkeypatch):
    from pkcs11 import TokenFlag

    tries = []
    login = pkcs11._login
    monkeypatch.setattr(pkcs11, "_login", lambda *given: tries.append(given) or login(*given))
    with pytest.raises(WrongSecret, match="tried once"):
        open_key(token, "token=Release;id=%01", pin="0000")
    assert len(tries) == 1
    assert user_flags(token) & TokenFlag.USER_PIN_COUNT_LOW
    assert open_key(token, "token=Release;id=%01").name == "Token RSA"
    assert not user_flags(token) & TokenFlag.USER_PIN_COUNT_LOW


@pytest.mark.parametrize("pin", [None, ""])
def test_without_a_pin_no_login_is_tried(token, pin):
    from pkcs11 import TokenFlag

    with pytest.raises(WrongSecret, match="none was given"):
        open_key(token, "token=Release;id=%01", pin=pin)
    assert not user_flags(token) & TokenFlag.USER_PIN_COUNT_LOW


@pytest.mark.parametrize(
    ("flag", "message"),
    [("USER_PIN_LOCKED", "is locked"), ("USER_PIN_FINAL_TRY", "one attempt left"), (None, "no PIN yet")],
)
def test_the_last_attempt_before_a_token_locks_is_not_used(flag, message):
    flags = pytest.importorskip("pkcs11").TokenFlag
    given = flags.USER_PIN_INITIALIZED | flags[flag] if flag else flags.LOGIN_REQUIRED
    with pytest.raises(WrongSecret, match=message):
        pkcs11._require_tries_left(given, flags, "the token 'x'")


def test_a_token_with_a_key_pad_gets_no_pin_from_us():
    module = pytest.importorskip("pkcs11")
    flag = module.TokenFlag
    given: list[object] = []

    class PinPad:
        label, slot = "Pad", SimpleNamespace(slot_id=1)
        flags = flag.LOGIN_REQUIRED | flag.USER_PIN_INITIALIZED | flag.PROTECTED_AUTHENTICATION_PATH

        def open(self, user_pin: object) -> object:
            given.append(user_pin)
            return SimpleNamespace(close=lambda: given.append("closed"))

    pkcs11._login(module, "pad.so", PinPad(), lambda _: pytest.fail("prompted"))
    assert given == [module.PROTECTED_AUTH, "closed"]


def test_a_second_key_shares_the_login_only_with_the_same_pin(token):
    from pkcs11 import TokenFlag

    first = open_key(token, "token=Release;id=%01")
    second = open_key(token, "token=Release;id=%02")
    with pytest.raises(WrongSecret, match="not tried"):
        open_key(token, "token=Release;id=%03", pin="0000")
    assert not user_flags(token) & TokenFlag.USER_PIN_COUNT_LOW
    del first
    digest = DigestAlgorithm.SHA256.hash(b"after the first key was released")
    assert second.key.sign(digest, DigestAlgorithm.SHA256)


def test_the_pin_source_of_the_uri_is_read(token, tmp_path):
    path = tmp_path / "pin"
    path.write_text(f"{PIN}\n")
    no_prompt = lambda _: pytest.fail("prompted")  # noqa: E731
    for source in (f"file:{path}", f"file://{path}", str(path)):
        uri = token.uri("token=Release;id=%01", f"pin-source={source}")
        assert open_identity(uri=uri, secret=no_prompt).name == "Token RSA"
    with pytest.raises(SignerError, match="missing-pin"):
        open_identity(uri=token.uri("id=%01", "pin-source=file:missing-pin"), secret=no_prompt)


def test_the_certificate_can_be_in_a_file(token, tmp_path):
    path = tmp_path / "release.cer"
    path.write_bytes(CERTIFICATES["rsa2048"].public_bytes(Encoding.DER))
    for found in (
        open_key(token, "token=Release;id=%01", f"cert={path}"),
        open_key(token, "token=Release;id=%01", cert=path),
    ):
        assert found.name == "Token RSA"
        assert found.chain == (ROOT_CERTIFICATE,), "the issuers come from the token"
    with pytest.raises(UsageError, match="named twice"):
        open_key(token, "token=Release;id=%01", f"cert={path}", cert=path)
    with pytest.raises(KeyCertificateMismatch):
        open_key(token, "token=Release;id=%02", cert=path)


def test_a_key_without_a_certificate_is_refused(token):
    token.add_token("Bare")
    token.add_key("Bare", "Token P-256", "01", private_key("p256", "Token P-256"))
    with pytest.raises(KeyNotFound, match="the key has no certificate"):
        open_key(token, "token=Bare")


def test_without_a_public_key_on_the_token_the_first_signature_checks_the_certificate(token, tmp_path):
    """EC private keys on a token don't contain the public key."""
    from pkcs11 import Attribute, ObjectClass
    from pkcs11.util.ec import decode_ec_private_key

    traditional = private_key("p256", "Token P-256").private_bytes(
        Encoding.DER, PrivateFormat.TraditionalOpenSSL, NoEncryption()
    )
    token.add_token("Private")
    attributes = {
        **decode_ec_private_key(traditional),
        Attribute.CLASS: ObjectClass.PRIVATE_KEY,
        Attribute.TOKEN: True,
        Attribute.PRIVATE: True,
        Attribute.SIGN: True,
        Attribute.ALWAYS_AUTHENTICATE: True,
        Attribute.ID: b"\x01",
    }
    token.add_objects("Private", attributes)
    with pytest.raises(KeyNotFound, match="neither the public key nor a certificate"):
        open_key(token, "token=Private")
    right, wrong = tmp_path / "right.cer", tmp_path / "wrong.cer"
    right.write_bytes(CERTIFICATES["p256"].public_bytes(Encoding.DER))
    wrong.write_bytes(identity("p256", "Somebody Else").certificate.public_bytes(Encoding.DER))
    digest = DigestAlgorithm.SHA256.hash(b"content")
    for _ in range(2):
        assert open_key(token, "token=Private", cert=right).key.sign(digest, DigestAlgorithm.SHA256)
    with pytest.raises(IdentityError, match="not a signature with the key of the certificate"):
        open_key(token, "token=Private", cert=wrong).key.sign(digest, DigestAlgorithm.SHA256)


def test_threads_share_one_session(token):
    found = open_key(token, "token=Release;id=%01")
    digests = [DigestAlgorithm.SHA256.hash(bytes([number])) for number in range(40)]
    start = threading.Barrier(4)

    def sign(part: int) -> list[bytes]:
        start.wait()
        return [found.key.sign(digest, DigestAlgorithm.SHA256) for digest in digests[part::4]]

    with ThreadPoolExecutor(4) as pool:
        assert sum(map(len, pool.map(sign, range(4)))) == 40


def test_a_removed_token_is_not_used_again(token):
    found = open_key(token, "token=Release;id=%01")
    digest = DigestAlgorithm.SHA256.hash(b"content")
    assert found.key.sign(digest, DigestAlgorithm.SHA256)
    token.remove("Release")
    with pytest.raises(IdentityError, match="is not connected any more"):
        found.key.sign(digest, DigestAlgorithm.SHA256)
    with pytest.raises(IdentityError, match=r"because the key failed before: .* is not connected any more"):
        found.key.sign(digest, DigestAlgorithm.SHA256)


def test_a_reconnected_token_is_opened_again(token):
    found = open_key(token, "token=Release;id=%01")
    digest = DigestAlgorithm.SHA256.hash(b"content")
    token.library().finalize()  # as a PKCS #11 library does when its reader is disconnected
    with pytest.raises(IdentityError):
        found.key.sign(digest, DigestAlgorithm.SHA256)
    token.library().initialize()
    assert open_key(token, "token=Release;id=%01").key.sign(digest, DigestAlgorithm.SHA256)


def test_a_missing_library_is_named(token):
    with pytest.raises(IdentityError, match=r"'/nowhere/lib\.so' can't be loaded"):
        open_identity(uri="pkcs11:token=x?module-path=/nowhere/lib.so", secret=lambda _: PIN)
    with pytest.raises(IdentityError, match=r"'libnowhere\.so' can't be loaded"):
        open_identity(uri="pkcs11:token=x?module-name=nowhere", secret=lambda _: PIN)


def test_the_missing_extra_is_named(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pkcs11", None)
    with pytest.raises(IdentityError) as raised:
        open_identity(uri="pkcs11:token=x?module-path=/nowhere/lib.so", secret=lambda _: PIN)
    assert "pip install 'drvsign[pkcs11]'" in (raised.value.hint or "")


def test_a_uri_is_parsed_as_rfc_7512_defines():
    found = Pkcs11Uri.parse(
        "pkcs11:token=The%20Software%20PKCS%2311%20Softtoken;manufacturer=Snake%20Oil,%20Inc.;serial=;model=1.0;"
        "object=my-certificate;type=private;id=%69%95%3E%5C%F4%BD%EC%91;slot-id=327"
        "?pin-source=file:/etc/token_pin&module-name=snake"
    )
    assert found == Pkcs11Uri(
        token="The Software PKCS#11 Softtoken",
        manufacturer="Snake Oil, Inc.",
        serial="",
        model="1.0",
        object="my-certificate",
        id=bytes.fromhex("69953e5cf4bdec91"),
        slot_id=327,
        pin_source="/etc/token_pin",
        module_name="snake",
    )


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("pkcs11:token=x", "does not name the library"),
        ("pkcs11:token=x;token=y?module-path=a", "occurs twice"),
        ("pkcs11:tokn=x?module-path=a", "unknown or empty attribute 'tokn'"),
        ("pkcs11:token=x?module-path=a&pin-value=1234", "must not contain a PIN"),
        ("pkcs11:token=x?module-path=a&pin-source=|cat", "the PIN source .* is not supported"),
        ("pkcs11:token=x?module-path=a&pin-source=https://x/pin", "the PIN source .* is not supported"),
        ("pkcs11:type=cert?module-path=a", "only a private key"),
        ("pkcs11:slot-id=one?module-path=a", "not a number"),
        ("pkcs11:token=%ff?module-path=a", "not UTF-8"),
        ("pkcs11:token=x?module-path=%00", "contains a NUL character"),
        ("pkcs11:token?module-path=a", "unknown or empty attribute 'token'"),
    ],
)
def test_an_invalid_uri_is_a_usage_error(uri, message):
    pytest.importorskip("pkcs11")
    with pytest.raises(UsageError, match=message):
        open_identity(uri=uri, secret=lambda _: pytest.fail("prompted"))


def test_a_wrong_label_names_the_keys_that_exist(token: SoftHsm) -> None:
    with pytest.raises(KeyNotFound) as raised:
        open_key(token, "token=Release;object=Nobody")
    assert all(f"object={name}" in str(raised.value) for name in NAMES.values())


def test_a_token_is_listed_with_its_keys_and_certificates(token: SoftHsm) -> None:
    """The listed part of a URI opens the key."""
    found = list_keys(token.uri("token=Release"), lambda _: PIN)
    keys = {one.name: one for one in found if one.kind == "key"}
    assert {name: one.detail for name, one in keys.items()} == {name: kind for kind, name in NAMES.items()}
    names = [one.name for one in found if one.kind == "certificate"]
    assert sorted(names) == sorted([*NAMES.values(), ROOT[0]])
    for kind, name in NAMES.items():
        assert open_key(token, str(keys[name].uri)).certificate == CERTIFICATES[kind]


def test_without_a_matching_token_the_tokens_are_listed_without_a_login(token: SoftHsm) -> None:
    found = list_keys(token.uri("token=Nobody"), lambda _: pytest.fail("the PIN is not needed"))
    assert [(one.kind, one.name, one.uri) for one in found] == [("token", "Release", "token=Release")]
