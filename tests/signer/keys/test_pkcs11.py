"""Keys in a real token: found by their URI, opened with one try of the PIN, given up when the token goes."""

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
    """A token `Release` with three keys and their certificates and root."""
    return filled.copy(tmp_path / "hsm", monkeypatch)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SoftHsm]:
    """The same, made once."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        yield _filled(softhsm_in(tmp_path_factory.mktemp("hsm"), monkeypatch))


def _filled(made: SoftHsm) -> SoftHsm:
    made.add_token("Release")
    for number, (kind, name) in enumerate(NAMES.items(), 1):
        made.add_key("Release", name, f"0{number}", private_key(kind, name))
    for number, kind in enumerate(NAMES, 1):
        made.add_certificate("Release", bytes([number]), CERTIFICATES[kind])
    made.add_certificate("Release", b"\xff", ROOT_CERTIFICATE)
    return made


def opened(token: SoftHsm, path: str, query: str = "", pin: str | None = PIN, cert: Path | None = None):
    return open_identity(uri=token.uri(path, query), certificate=cert, secret=lambda _: pin)


def user_flags(token: SoftHsm, label: str = "Release"):
    return token.library().get_token(token_label=label).flags


@pytest.mark.parametrize("kind", list(NAMES))
@pytest.mark.parametrize("algorithm", [DigestAlgorithm.SHA1, DigestAlgorithm.SHA256, DigestAlgorithm.SHA384])
def test_every_kind_of_key_signs_and_brings_its_certificate(token, kind, algorithm):
    found = opened(token, f"token=Release;object={NAMES[kind].replace(' ', '%20')}")
    assert found.certificate == CERTIFICATES[kind]
    assert found.chain == (ROOT_CERTIFICATE,)
    digest = algorithm.hash(b"content")
    signature = found.key.sign(digest, algorithm)
    assert check_digest(private_key(kind, NAMES[kind]).public_key(), signature, digest, algorithm) is Check.GOOD


@pytest.mark.parametrize(
    "path",
    ["token=Release;id=%02", "object=Token%20P-256;type=private", "model=SoftHSM%20v2;id=%02", "id=%02"],
)
def test_a_key_is_found_by_what_its_uri_says(token, path):
    assert opened(token, path).name == "Token P-256"


def test_a_key_is_found_by_slot_and_serial(token):
    (slot,) = [s for s in token.library().get_slots() if s.get_token().label == "Release"]
    assert opened(token, f"slot-id={slot.slot_id};id=%01").name == "Token RSA"
    assert opened(token, f"serial={slot.get_token().serial.decode()};id=%01").name == "Token RSA"


@pytest.mark.parametrize(
    ("path", "error", "words"),
    [
        ("token=Debug;id=%01", KeyNotFound, "no token fits the URI; those present: 'Release'"),
        ("slot-id=77;id=%01", KeyNotFound, "no token"),
        ("token=Release;id=%09", KeyNotFound, "has no private key that fits"),
        ("token=Release;object=Nobody", KeyNotFound, "has no private key that fits"),
        ("token=Release", IdentityError, "3 keys of the token 'Release' fit the URI: .*id=%0"),
    ],
)
def test_what_is_not_there_or_not_alone_is_named(token, path, error, words):
    with pytest.raises(error, match=words):
        opened(token, path)


def test_two_tokens_of_one_name_are_told_apart_by_serial(token):
    token.add_token("Debug")
    with pytest.raises(IdentityError, match="2 tokens fit the URI"):
        opened(token, "id=%01")
    assert opened(token, "token=Release;id=%01").name == "Token RSA"


def test_a_wrong_pin_is_tried_once(token, monkeypatch):
    from pkcs11 import TokenFlag

    tries = []
    told = pkcs11._login
    monkeypatch.setattr(pkcs11, "_login", lambda *given: tries.append(given) or told(*given))
    with pytest.raises(WrongSecret, match="tried once"):
        opened(token, "token=Release;id=%01", pin="0000")
    assert len(tries) == 1
    assert user_flags(token) & TokenFlag.USER_PIN_COUNT_LOW
    assert opened(token, "token=Release;id=%01").name == "Token RSA"
    assert not user_flags(token) & TokenFlag.USER_PIN_COUNT_LOW


@pytest.mark.parametrize("pin", [None, ""])
def test_no_pin_is_no_try(token, pin):
    from pkcs11 import TokenFlag

    with pytest.raises(WrongSecret, match="none was given"):
        opened(token, "token=Release;id=%01", pin=pin)
    assert not user_flags(token) & TokenFlag.USER_PIN_COUNT_LOW


@pytest.mark.parametrize(
    ("flag", "words"),
    [("USER_PIN_LOCKED", "is locked"), ("USER_PIN_FINAL_TRY", "one try left"), (None, "no PIN yet")],
)
def test_the_last_try_before_a_token_locks_is_not_taken(flag, words):
    flags = pytest.importorskip("pkcs11").TokenFlag
    given = flags.USER_PIN_INITIALIZED | flags[flag] if flag else flags.LOGIN_REQUIRED
    with pytest.raises(WrongSecret, match=words):
        pkcs11._require_tries_left(given, flags, "the token 'x'")


def test_a_key_pad_is_left_to_ask_for_the_pin():
    module = pytest.importorskip("pkcs11")
    flag = module.TokenFlag
    given: list[object] = []

    class PinPad:
        label, slot = "Pad", SimpleNamespace(slot_id=1)
        flags = flag.LOGIN_REQUIRED | flag.USER_PIN_INITIALIZED | flag.PROTECTED_AUTHENTICATION_PATH

        def open(self, user_pin: object) -> object:
            given.append(user_pin)
            return SimpleNamespace(close=lambda: given.append("closed"))

    pkcs11._login(module, "pad.so", PinPad(), lambda _: pytest.fail("asked"))
    assert given == [module.PROTECTED_AUTH, "closed"]


def test_a_second_key_shares_the_login_but_not_without_the_pin(token):
    from pkcs11 import TokenFlag

    first = opened(token, "token=Release;id=%01")
    second = opened(token, "token=Release;id=%02")
    with pytest.raises(WrongSecret, match="not tried"):
        opened(token, "token=Release;id=%03", pin="0000")
    assert not user_flags(token) & TokenFlag.USER_PIN_COUNT_LOW
    del first
    digest = DigestAlgorithm.SHA256.hash(b"after the first key is gone")
    assert second.key.sign(digest, DigestAlgorithm.SHA256)


def test_a_pin_comes_from_the_file_of_the_uri(token, tmp_path):
    path = tmp_path / "pin"
    path.write_text(f"{PIN}\n")
    asked = lambda _: pytest.fail("asked")  # noqa: E731
    for source in (f"file:{path}", f"file://{path}", str(path)):
        uri = token.uri("token=Release;id=%01", f"pin-source={source}")
        assert open_identity(uri=uri, secret=asked).name == "Token RSA"
    with pytest.raises(SignerError, match="missing-pin"):
        open_identity(uri=token.uri("id=%01", "pin-source=file:missing-pin"), secret=asked)


def test_the_certificate_may_be_in_a_file(token, tmp_path):
    path = tmp_path / "release.cer"
    path.write_bytes(CERTIFICATES["rsa2048"].public_bytes(Encoding.DER))
    for found in (
        opened(token, "token=Release;id=%01", f"cert={path}"),
        opened(token, "token=Release;id=%01", cert=path),
    ):
        assert found.name == "Token RSA"
        assert found.chain == (ROOT_CERTIFICATE,), "the issuers are still on the token"
    with pytest.raises(UsageError, match="named twice"):
        opened(token, "token=Release;id=%01", f"cert={path}", cert=path)
    with pytest.raises(KeyCertificateMismatch):
        opened(token, "token=Release;id=%02", cert=path)


def test_a_key_without_a_certificate_wants_one(token):
    token.add_token("Bare")
    token.add_key("Bare", "Token P-256", "01", private_key("p256", "Token P-256"))
    with pytest.raises(KeyNotFound, match="no certificate"):
        opened(token, "token=Bare")


def test_a_token_that_keeps_its_public_key_is_taken_at_its_certificate_s_word(token, tmp_path):
    """EC private keys don't carry their public key; the first signature shows whether the certificate is right."""
    from pkcs11 import Attribute, ObjectClass
    from pkcs11.util.ec import decode_ec_private_key

    traditional = private_key("p256", "Token P-256").private_bytes(
        Encoding.DER, PrivateFormat.TraditionalOpenSSL, NoEncryption()
    )
    token.add_token("Shy")
    made = {
        **decode_ec_private_key(traditional),
        Attribute.CLASS: ObjectClass.PRIVATE_KEY,
        Attribute.TOKEN: True,
        Attribute.PRIVATE: True,
        Attribute.SIGN: True,
        Attribute.ALWAYS_AUTHENTICATE: True,
        Attribute.ID: b"\x01",
    }
    token.add_objects("Shy", made)
    with pytest.raises(KeyNotFound, match="neither the public key nor a certificate"):
        opened(token, "token=Shy")
    right, wrong = tmp_path / "right.cer", tmp_path / "wrong.cer"
    right.write_bytes(CERTIFICATES["p256"].public_bytes(Encoding.DER))
    wrong.write_bytes(identity("p256", "Somebody Else").certificate.public_bytes(Encoding.DER))
    digest = DigestAlgorithm.SHA256.hash(b"content")
    for _ in range(2):
        assert opened(token, "token=Shy", cert=right).key.sign(digest, DigestAlgorithm.SHA256)
    with pytest.raises(IdentityError, match="not a signature by the key of the certificate"):
        opened(token, "token=Shy", cert=wrong).key.sign(digest, DigestAlgorithm.SHA256)


def test_threads_share_one_session(token):
    found = opened(token, "token=Release;id=%01")
    digests = [DigestAlgorithm.SHA256.hash(bytes([number])) for number in range(40)]
    start = threading.Barrier(4)

    def sign(part: int) -> list[bytes]:
        start.wait()
        return [found.key.sign(digest, DigestAlgorithm.SHA256) for digest in digests[part::4]]

    with ThreadPoolExecutor(4) as pool:
        assert sum(map(len, pool.map(sign, range(4)))) == 40


def test_a_token_that_is_pulled_out_is_not_asked_again(token):
    found = opened(token, "token=Release;id=%01")
    digest = DigestAlgorithm.SHA256.hash(b"content")
    assert found.key.sign(digest, DigestAlgorithm.SHA256)
    token.remove("Release")
    with pytest.raises(IdentityError, match="is gone"):
        found.key.sign(digest, DigestAlgorithm.SHA256)
    with pytest.raises(IdentityError, match=r"not asked again after its first failure: .* is gone"):
        found.key.sign(digest, DigestAlgorithm.SHA256)


def test_a_token_that_is_back_is_opened_anew(token):
    found = opened(token, "token=Release;id=%01")
    digest = DigestAlgorithm.SHA256.hash(b"content")
    token.library().finalize()  # what a driver does that loses its reader
    with pytest.raises(IdentityError):
        found.key.sign(digest, DigestAlgorithm.SHA256)
    token.library().initialize()
    assert opened(token, "token=Release;id=%01").key.sign(digest, DigestAlgorithm.SHA256)


def test_a_library_that_is_not_there_is_named(token):
    with pytest.raises(IdentityError, match=r"'/nowhere/lib\.so' can't be used"):
        open_identity(uri="pkcs11:token=x?module-path=/nowhere/lib.so", secret=lambda _: PIN)
    with pytest.raises(IdentityError, match=r"'libnowhere\.so' can't be used"):
        open_identity(uri="pkcs11:token=x?module-name=nowhere", secret=lambda _: PIN)


def test_the_missing_extra_is_named(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pkcs11", None)
    with pytest.raises(IdentityError) as raised:
        open_identity(uri="pkcs11:token=x?module-path=/nowhere/lib.so", secret=lambda _: PIN)
    assert "pip install 'drvsign[pkcs11]'" in (raised.value.hint or "")


def test_a_uri_is_read_by_the_rfc():
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
    ("uri", "words"),
    [
        ("pkcs11:token=x", "which library"),
        ("pkcs11:token=x;token=y?module-path=a", "stands twice"),
        ("pkcs11:tokn=x?module-path=a", "no attribute 'tokn'"),
        ("pkcs11:token=x?module-path=a&pin-value=1234", "a PIN does not belong in a URI"),
        ("pkcs11:token=x?module-path=a&pin-source=|cat", "a PIN can't come from"),
        ("pkcs11:token=x?module-path=a&pin-source=https://x/pin", "a PIN can't come from"),
        ("pkcs11:type=cert?module-path=a", "only a private key"),
        ("pkcs11:slot-id=one?module-path=a", "not a number"),
        ("pkcs11:token=%ff?module-path=a", "not UTF-8"),
        ("pkcs11:token=x?module-path=%00", "has a NUL in it"),
        ("pkcs11:token?module-path=a", "no attribute 'token' here"),
    ],
)
def test_what_is_no_uri_of_a_key_is_a_usage_error(uri, words):
    pytest.importorskip("pkcs11")
    with pytest.raises(UsageError, match=words):
        open_identity(uri=uri, secret=lambda _: pytest.fail("asked"))
