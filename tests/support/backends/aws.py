"""AWS KMS, simulated by moto over HTTP with credential checks enabled.

moto 5 ignores MessageType and hashes a digest again (see its documentation), and it rejects credentials with the XML of
IAM instead of the JSON of KMS (AWS KMS API Reference, "Common Errors"); this module adds both.
"""

from __future__ import annotations

import json
import threading
from pathlib import Path
from urllib.parse import quote
from urllib.request import Request, urlopen

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, utils

from tests.support.backends.backend import Backend, key_of
from tests.support.backends.server import Answer, Server

REGION = "eu-central-1"
SPECS = {"rsa2048": "RSA_2048", "p256": "ECC_NIST_P256", "p384": "ECC_NIST_P384"}
_NAMES = {
    "InvalidClientTokenId": "UnrecognizedClientException",
    "SignatureDoesNotMatch": "InvalidSignatureException",
    "AccessDenied": "AccessDeniedException",
}
_ACCOUNT = "123456789012"


class Aws(Backend):
    """`aws-kms:`"""

    wrong_secret_message = "AWS rejected the credentials"
    missing_key_message = "the AWS KMS key 'alias/nobody' was not found"

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, *, digests: bool = True) -> None:
        super().__init__(folder)
        pytest.importorskip("boto3", reason="boto3 is not installed (drvsign[aws])")
        server = pytest.importorskip("moto.server", reason="moto is not installed (moto[server])")
        self.monkeypatch = monkeypatch
        self.throttled = 0
        """Number of next Sign calls to throttle."""
        self.signed = 0
        self.other: Server | None = None
        self._environment()
        self._patch(digests)
        self._server = server.ThreadedMotoServer("127.0.0.1", 0, verbose=False)
        self._server.start()
        self._running = True
        self.endpoint = "http://{}:{}".format(*self._server.get_host_and_port())
        self._fill()

    def _environment(self) -> None:
        for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_REGION", "AWS_DEFAULT_REGION"):
            self.monkeypatch.delenv(name, raising=False)
        self.monkeypatch.setenv("AWS_CONFIG_FILE", str(self.folder / "none"))
        self.monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(self.folder / "none"))
        self.monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        self.monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        self.monkeypatch.setenv("AWS_ACCESS_KEY_ID", "setup")
        self.monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "setup")

    def _patch(self, digests: bool) -> None:
        """Make moto check MessageType, and throttle on request."""
        from moto.core.exceptions import JsonRESTError
        from moto.core.exceptions import _RESTError as AnyRestError
        from moto.kms import responses
        from moto.kms import utils as keys

        seen, call = threading.local(), responses.KmsResponse.sign

        def sign(response):
            self.signed += 1
            if self.throttled:
                self.throttled -= 1
                raise JsonRESTError("ThrottlingException", "Rate exceeded")
            seen.digest = response._get_param("MessageType") == "DIGEST"
            return call(response)

        authorize = responses.KmsResponse._authenticate_and_authorize_normal_action

        def authorized(response, *resource) -> None:
            try:
                authorize(response, *resource)
            except AnyRestError as error:
                raise JsonRESTError(_NAMES[error.error_type], error.message) from error

        self.monkeypatch.setattr(responses.KmsResponse, "_authenticate_and_authorize_normal_action", authorized)
        self.monkeypatch.setattr(responses.KmsResponse, "sign", sign)
        for kind in (keys.RSAPrivateKey, keys.ECDSAPrivateKey) if digests else ():
            self.monkeypatch.setattr(kind, "sign", _heeding(kind, seen))

    def _fill(self) -> None:
        import boto3
        from moto.kms.models import kms_backends

        urlopen(Request(f"{self.endpoint}/moto-api/reset", method="POST")).close()

        session = boto3.session.Session(region_name=REGION)
        kms, iam = (session.client(name, endpoint_url=self.endpoint) for name in ("kms", "iam"))
        for kind, spec in SPECS.items():
            made = kms.create_key(KeySpec=spec, KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]
            kms.create_alias(AliasName=f"alias/{kind}", TargetKeyId=made)
            kms_backends[_ACCOUNT][REGION].keys[made].private_key.private_key = key_of(kind)
        self.arn = kms.describe_key(KeyId="alias/p256")["KeyMetadata"]["Arn"]
        other = kms.create_key(KeySpec="RSA_2048", KeyUsage="ENCRYPT_DECRYPT")
        self.for_secrets = other["KeyMetadata"]["KeyId"]
        iam.create_user(UserName="signer")
        self._allow(iam, "kms:Sign", "kms:GetPublicKey")
        key = iam.create_access_key(UserName="signer")["AccessKey"]
        self.monkeypatch.setenv("AWS_ACCESS_KEY_ID", key["AccessKeyId"])
        self.monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", key["SecretAccessKey"])
        self._check_credentials(0)

    def _allow(self, iam, *actions: str) -> None:
        allowed = {"Effect": "Allow", "Action": actions, "Resource": "*"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
        iam.put_user_policy(UserName="signer", PolicyName="sign", PolicyDocument=policy)

    def _check_credentials(self, after: float) -> None:
        from moto.core import responses

        self.monkeypatch.setattr(responses.settings, "INITIAL_NO_AUTH_ACTION_COUNT", after)
        self.monkeypatch.setattr(responses.ActionAuthenticatorMixin, "request_count", 0)

    def allow_all(self) -> None:
        """Disable credential checks."""
        self._check_credentials(float("inf"))

    def forbid_signing(self) -> None:
        """Restrict the user to reading the public key."""
        import boto3

        self.allow_all()
        self._allow(boto3.client("iam", endpoint_url=self.endpoint, region_name=REGION), "kms:GetPublicKey")
        self._check_credentials(0)

    def options(self, **more: str) -> str:
        return "&".join(f"{name}={quote(value)}" for name, value in {"endpoint": self.endpoint, **more}.items())

    def key_uri(self, kind: str, cert: Path) -> str:
        return f"aws-kms:alias/{kind}?{self.options(region=REGION, cert=str(cert))}"

    def missing_uri(self) -> str:
        return f"aws-kms:alias/nobody?{self.options(region=REGION, cert=str(self.certificate_file('p256')))}"

    def take_wrong_secret(self) -> None:
        self.monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong" * 8)

    def go(self) -> None:
        if self._running:
            self._running = False
            self._server.stop()
            self._server._server.server_close()

    def answer_with(self, body: object) -> None:
        """Make the service respond with this."""
        self.other = self.other or Server(lambda _: Answer(body))
        self.other.answer = lambda _: Answer(body)
        self.endpoint = self.other.url

    def close(self) -> None:
        if self.other is not None:
            self.other.stop()
        self.go()


def _heeding(kind, seen):
    hashing = kind.sign

    def sign(self, message: bytes, signing_algorithm: str) -> bytes:
        if not seen.digest:
            return hashing(self, message, signing_algorithm)
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import padding

        hashed = utils.Prehashed(getattr(hashes, f"SHA{signing_algorithm[-3:]}")())
        if isinstance(self.private_key, ec.EllipticCurvePrivateKey):
            return self.private_key.sign(message, ec.ECDSA(hashed))
        assert "PKCS1" in signing_algorithm
        return self.private_key.sign(message, padding.PKCS1v15(), hashed)

    return sign
