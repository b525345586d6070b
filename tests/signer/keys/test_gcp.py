"""Google Cloud KMS: results and errors that only this backend has (see test_conformance for the common ones)."""

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
    """Record the pauses in seconds, on a clock that only they advance."""
    recorded: list[float] = []
    for module in ("retry_unary", "retry_base"):
        retry = pytest.importorskip(f"google.api_core.retry.{module}")
        monkeypatch.setattr(retry, "time", SimpleNamespace(sleep=recorded.append, monotonic=lambda: sum(recorded)))
    return recorded


def test_throttled_requests_are_retried(kms, waits):
    opened = key(kms.uri("p256"))
    kms.throttled = 3
    assert opened.sign(DIGEST, SHA256)
    assert (kms.signed, len(waits)) == (4, 3)


def test_retries_end_after_a_limit(kms, waits):
    opened = key(kms.uri("p256"))
    kms.throttled = 10000
    with pytest.raises(IdentityError, match=r"throttles requests .* also after 40 seconds"):
        opened.sign(DIGEST, SHA256)
    assert 3 <= kms.signed < 200
    assert sum(waits) <= 40


def test_an_unavailable_service_is_not_reported_as_throttling(kms, waits):
    opened = key(kms.uri("p256"))
    kms.out_of_service = True
    with pytest.raises(IdentityError, match=r"is not available for .* also after 40 seconds"):
        opened.sign(DIGEST, SHA256)
    assert kms.signed > 3


@pytest.mark.parametrize("algorithm", [one for one in DigestAlgorithm if one is not DigestAlgorithm.MD5])
def test_a_raw_key_signs_every_digest(kms, algorithm):
    opened = key(kms.key_uri("raw", kms.certificate_file("rsa2048")))
    assert opened.sign(algorithm.hash(b"content"), algorithm)


def test_unsupported_keys_and_digests_are_refused(kms):
    with pytest.raises(IdentityError, match="does not support RSA_SIGN_PSS_2048_SHA256"):
        key(kms.key_uri("pss", kms.certificate_file("rsa2048")))
    with pytest.raises(IdentityError, match="signs only sha256 digests"):
        key(kms.uri("rsa2048")).sign(DigestAlgorithm.SHA512.hash(b"x"), DigestAlgorithm.SHA512)
    assert kms.signed == 0


def test_a_missing_permission_is_not_a_wrong_secret(kms):
    opened = key(kms.uri("p256"))
    kms.forbidden = True
    with pytest.raises(IdentityError, match=r"the credentials do not allow the use of .*useToSign") as raised:
        opened.sign(DIGEST, SHA256)
    assert not isinstance(raised.value, WrongSecret)


def test_missing_credentials_are_named(kms, monkeypatch):
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(kms.folder / "nowhere.json"))
    with pytest.raises(WrongSecret, match=r"rejected the credentials .*nowhere\.json"):
        key(kms.uri("p256"))


def test_credentials_are_not_sent_without_encryption(kms):
    with pytest.raises(UsageError, match="without encryption"):
        key(f"{kms.name('p256').partition('?')[0]}?endpoint=http://kms.example")


@pytest.mark.parametrize("name", ["release", "projects/p/locations/l/keyRings/r/cryptoKeys/k"])
def test_a_name_without_a_version_is_a_usage_error(name):
    with pytest.raises(UsageError, match="not the resource name of a key version"):
        key(f"gcp-kms:{name}")


def test_the_missing_extra_is_named(monkeypatch):
    for module in ("google.api_core.exceptions", "google.cloud.kms"):
        monkeypatch.setitem(__import__("sys").modules, module, None)
    with pytest.raises(IdentityError) as raised:
        key("gcp-kms:projects/p/locations/l/keyRings/r/cryptoKeys/k/cryptoKeyVersions/1")
    assert "pip install 'drvsign[gcp]'" in (raised.value.hint or "")
