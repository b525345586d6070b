"""AWS KMS: what its answers become, besides what every backend does (test_conformance)."""

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


def test_throttling_is_waited_out(aws, waits):
    opened = key(aws.uri("p256"))
    aws.throttled = 3
    assert opened.sign(DIGEST, SHA256)
    assert (aws.signed, len(waits)) == (4, 3)
    assert all(wait <= limit for wait, limit in zip(waits, (1, 2, 4), strict=True))


def test_throttling_without_end_is_given_up(aws, waits):
    opened = key(aws.uri("p256"))
    aws.throttled = 1000
    with pytest.raises(IdentityError, match="still did after 6 tries"):
        opened.sign(DIGEST, SHA256)
    with pytest.raises(IdentityError, match="not asked again"):
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


def test_a_server_that_hashes_the_digest_again_is_not_believed(start):
    """moto as it is: it takes the digest for the message."""
    aws = start(partial(Aws, digests=False))
    with pytest.raises(IdentityError, match="not a signature by the key of the certificate"):
        key(aws.uri("p256")).sign(DIGEST, SHA256)


@pytest.mark.parametrize(
    ("kind", "algorithm", "able"),
    [
        ("rsa2048", DigestAlgorithm.SHA1, "RSASSA_PKCS1_V1_5_SHA_256"),
        ("p256", DigestAlgorithm.SHA384, "only ECDSA_SHA_256"),
        ("p384", DigestAlgorithm.SHA256, "only ECDSA_SHA_384"),
    ],
)
def test_a_digest_that_the_key_can_t_sign_is_told_without_asking(aws, kind, algorithm, able):
    with pytest.raises(IdentityError, match=able):
        key(aws.uri(kind)).sign(algorithm.hash(b"content"), algorithm)
    assert aws.signed == 0


def test_a_key_for_secrets_does_not_sign(aws):
    cert = str(aws.certificate_file("rsa2048"))
    with pytest.raises(IdentityError, match="is for ENCRYPT_DECRYPT, not for signing"):
        key(f"aws-kms:{aws.for_secrets}?{aws.options(region=REGION, cert=cert)}")


def test_what_is_missing_is_named(aws, monkeypatch):
    with pytest.raises(UsageError, match="the region of"):
        key(f"aws-kms:alias/p256?{aws.options()}")
    with pytest.raises(UsageError, match="no option 'regoin'"):
        key("aws-kms:alias/p256?regoin=x")
    with pytest.raises(IdentityError, match=r"gave no usable answer .*\(nobody\)"):
        key(f"aws-kms:alias/p256?{aws.options(region=REGION, profile='nobody')}")
    with pytest.raises(IdentityError, match="gave no usable answer"):
        key("aws-kms:alias/p256?region=eu-central-1&endpoint=nothing")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(WrongSecret, match="no AWS credentials"):
        key(aws.uri("p256"))


def test_an_unknown_access_key_is_a_wrong_secret(aws, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIANOBODY")
    with pytest.raises(WrongSecret, match="does not accept"):
        key(aws.uri("p256"))


def test_what_the_policy_forbids_is_not_a_wrong_secret(aws):
    aws.forbid_signing()
    opened = key(aws.uri("p256"))
    with pytest.raises(IdentityError, match="is not for these credentials") as raised:
        opened.sign(DIGEST, SHA256)
    assert not isinstance(raised.value, WrongSecret)


def test_the_missing_extra_is_named(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "boto3", None)
    with pytest.raises(IdentityError) as raised:
        key("aws-kms:alias/p256")
    assert "pip install 'drvsign[aws]'" in (raised.value.hint or "")
