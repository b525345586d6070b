"""Google Cloud KMS: what its answers become, besides what every backend does (test_conformance)."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from signer.algorithms import DigestAlgorithm
from signer.errors import IdentityError, UsageError, WrongSecret
from tests.support.backends.backend import DIGEST, SHA256
from tests.support.backends.backend import key_without_prompt as key
from tests.support.backends.gcp import Gcp


@pytest.fixture
def kms(start):
    return start(Gcp)


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that would have been made, on a clock that only they move."""
    made: list[float] = []
    for module in ("retry_unary", "retry_base"):
        retry = pytest.importorskip(f"google.api_core.retry.{module}")
        monkeypatch.setattr(retry, "time", SimpleNamespace(sleep=made.append, monotonic=lambda: sum(made)))
    return made


def test_throttling_is_waited_out(kms, waits):
    opened = key(kms.uri("p256"))
    kms.throttled = 3
    assert opened.sign(DIGEST, SHA256)
    assert (kms.signed, len(waits)) == (4, 3)


def test_throttling_without_end_is_given_up(kms, waits):
    opened = key(kms.uri("p256"))
    kms.throttled = 10000
    with pytest.raises(IdentityError, match=r"throttles .* still after 40 seconds"):
        opened.sign(DIGEST, SHA256)
    assert 3 <= kms.signed < 200
    assert sum(waits) <= 40


def test_a_service_that_stays_out_is_not_called_throttling(kms, waits):
    opened = key(kms.uri("p256"))
    kms.out_of_service = True
    with pytest.raises(IdentityError, match=r"has no service for .* still after 40 seconds"):
        opened.sign(DIGEST, SHA256)
    assert kms.signed > 3


@pytest.mark.parametrize("algorithm", [one for one in DigestAlgorithm if one is not DigestAlgorithm.MD5])
def test_a_raw_key_signs_every_digest(kms, algorithm):
    opened = key(kms.key_uri("raw", kms.certificate_file("rsa2048")))
    assert opened.sign(algorithm.hash(b"content"), algorithm)


def test_what_can_t_sign_is_named(kms):
    with pytest.raises(IdentityError, match="is for RSA_SIGN_PSS_2048_SHA256"):
        key(kms.key_uri("pss", kms.certificate_file("rsa2048")))
    with pytest.raises(IdentityError, match="signs sha256 digests alone"):
        key(kms.uri("rsa2048")).sign(DigestAlgorithm.SHA512.hash(b"x"), DigestAlgorithm.SHA512)
    assert kms.signed == 0


def test_what_a_role_forbids_is_not_a_wrong_secret(kms):
    opened = key(kms.uri("p256"))
    kms.forbidden = True
    with pytest.raises(IdentityError, match=r"is not for these credentials \(.*useToSign") as raised:
        opened.sign(DIGEST, SHA256)
    assert not isinstance(raised.value, WrongSecret)


def test_no_credentials_are_named(kms, monkeypatch):
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(kms.folder / "nowhere.json"))
    with pytest.raises(WrongSecret, match=r"does not accept the credentials .*nowhere\.json"):
        key(kms.uri("p256"))


def test_credentials_are_not_sent_in_the_clear(kms):
    with pytest.raises(UsageError, match="in the clear"):
        key(f"{kms.name('p256').partition('?')[0]}?endpoint=http://kms.example")


@pytest.mark.parametrize("name", ["release", "projects/p/locations/l/keyRings/r/cryptoKeys/k"])
def test_what_names_no_version_is_a_usage_error(name):
    with pytest.raises(UsageError, match="no version of a key"):
        key(f"gcp-kms:{name}")


def test_the_missing_extra_is_named(monkeypatch):
    for module in ("google.api_core.exceptions", "google.cloud.kms"):
        monkeypatch.setitem(__import__("sys").modules, module, None)
    with pytest.raises(IdentityError) as raised:
        key("gcp-kms:projects/p/locations/l/keyRings/r/cryptoKeys/k/cryptoKeyVersions/1")
    assert "pip install 'drvsign[gcp]'" in (raised.value.hint or "")
