"""AWS KMS: results and errors that only this backend has (see test_conformance for the common ones)."""

from __future__ import annotations

from functools import partial

import pytest

from signer.algorithms import DigestAlgorithm
from signer.errors import IdentityError, UsageError, WrongSecret
from tests.support.backends.aws import REGION, Aws
from tests.support.backends.backend import DIGEST, SHA256
from tests.support.backends.backend import key_without_prompt as key


@pytest.fixture
def aws(start):
    return start(Aws)


def test_throttled_requests_are_retried(aws, waits):
    opened = key(aws.uri("p256"))
    aws.throttled = 3
    assert opened.sign(DIGEST, SHA256)
    assert (aws.signed, len(waits)) == (4, 3)
    assert all(wait <= limit for wait, limit in zip(waits, (1, 2, 4), strict=True))


def test_retries_end_after_a_limit(aws, waits):
    opened = key(aws.uri("p256"))
    aws.throttled = 1000
    with pytest.raises(IdentityError, match="also after 6 attempts"):
        opened.sign(DIGEST, SHA256)
    with pytest.raises(IdentityError, match="because the key failed before"):
        opened.sign(DIGEST, SHA256)
    assert aws.signed == 6


def test_an_arn_names_its_region(aws):
    assert key(f"aws-kms:{aws.arn}?{aws.options(cert=str(aws.certificate_file('p256')))}").sign(DIGEST, SHA256)


def test_an_alias_that_moves_does_not_change_the_key(aws):
    import boto3

    opened = key(aws.uri("p256"))
    aws.allow_all()
    client = boto3.client("kms", endpoint_url=aws.endpoint, region_name=REGION)
    other = client.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]
    client.update_alias(AliasName="alias/p256", TargetKeyId=other)
    assert opened.sign(DIGEST, SHA256)


def test_a_signature_over_the_hashed_digest_is_refused(start):
    """moto treats the digest as the message and hashes it again."""
    aws = start(partial(Aws, digests=False))
    with pytest.raises(IdentityError, match="not a signature with the key of the certificate"):
        key(aws.uri("p256")).sign(DIGEST, SHA256)


@pytest.mark.parametrize(
    ("kind", "algorithm", "message"),
    [
        ("rsa2048", DigestAlgorithm.SHA1, "RSASSA_PKCS1_V1_5_SHA_256"),
        ("p256", DigestAlgorithm.SHA384, "only ECDSA_SHA_256"),
        ("p384", DigestAlgorithm.SHA256, "only ECDSA_SHA_384"),
    ],
)
def test_an_unsupported_digest_is_refused_without_a_request(aws, kind, algorithm, message):
    with pytest.raises(IdentityError, match=message):
        key(aws.uri(kind)).sign(algorithm.hash(b"content"), algorithm)
    assert aws.signed == 0


def test_an_encryption_key_is_refused(aws):
    cert = str(aws.certificate_file("rsa2048"))
    with pytest.raises(IdentityError, match="is ENCRYPT_DECRYPT, not SIGN_VERIFY"):
        key(f"aws-kms:{aws.for_secrets}?{aws.options(region=REGION, cert=cert)}")


def test_missing_settings_are_named(aws, monkeypatch):
    with pytest.raises(UsageError, match="the AWS region of"):
        key(f"aws-kms:alias/p256?{aws.options()}")
    with pytest.raises(UsageError, match="unknown option 'regoin'"):
        key("aws-kms:alias/p256?regoin=x")
    with pytest.raises(IdentityError, match=r"gave no valid answer .*\(nobody\)"):
        key(f"aws-kms:alias/p256?{aws.options(region=REGION, profile='nobody')}")
    with pytest.raises(IdentityError, match="gave no valid answer"):
        key("aws-kms:alias/p256?region=eu-central-1&endpoint=nothing")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(WrongSecret, match="no AWS credentials"):
        key(aws.uri("p256"))


def test_an_unknown_access_key_is_a_wrong_secret(aws, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIANOBODY")
    with pytest.raises(WrongSecret, match="AWS rejected the credentials"):
        key(aws.uri("p256"))


def test_a_missing_permission_is_not_a_wrong_secret(aws):
    aws.forbid_signing()
    opened = key(aws.uri("p256"))
    with pytest.raises(IdentityError, match="the credentials do not allow the use") as raised:
        opened.sign(DIGEST, SHA256)
    assert not isinstance(raised.value, WrongSecret)


def test_the_missing_extra_is_named(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "boto3", None)
    with pytest.raises(IdentityError) as raised:
        key("aws-kms:alias/p256")
    assert "pip install 'drvsign[aws]'" in (raised.value.hint or "")
