"""Google Cloud KMS, simulated from its REST API documentation (getPublicKey, asymmetricSign), for a service account.

The client signs its own tokens (JSON Web Token, RFC 7519, RS256); this module verifies them.
"""

from __future__ import annotations

import base64
import json
from pathlib import Path
from urllib.parse import quote

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from tests.support.backends.azure import from_url64
from tests.support.backends.backend import Backend, key_of
from tests.support.backends.server import Answer, Request, Server
from tests.support.identities import private_key

_RING = "projects/drivers/locations/europe-west3/keyRings/release/cryptoKeys"
_ALGORITHMS = {
    "rsa2048": "RSA_SIGN_PKCS1_2048_SHA256",
    "p256": "EC_SIGN_P256_SHA256",
    "p384": "EC_SIGN_P384_SHA384",
    "raw": "RSA_SIGN_RAW_PKCS1_2048",
    "pss": "RSA_SIGN_PSS_2048_SHA256",
}
_ACCOUNT = "signer@drivers.iam.gserviceaccount.com"


class Gcp(Backend):
    """`gcp-kms:`"""

    wrong_secret_message = "Google Cloud rejected the credentials"
    missing_key_message = "the Google Cloud key 'nobody/1' was not found"

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__(folder)
        pytest.importorskip("google.cloud.kms", reason="google-cloud-kms is not installed (drvsign[gcp])")
        self.monkeypatch = monkeypatch
        self.throttled = 0
        self.forbidden = self.out_of_service = False
        self.signed = 0
        self.server = Server(self._answer)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        monkeypatch.setenv("NO_GCE_CHECK", "true")
        monkeypatch.setenv("CLOUDSDK_CONFIG", str(folder))
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(self._account("right")))

    def _account(self, name: str) -> Path:
        """Write the key file of the service account, with a key of this name."""
        key = private_key("rsa2048", f"service account {name}")
        path = self.folder / f"{name}.json"
        path.write_text(
            json.dumps(
                {
                    "type": "service_account",
                    "project_id": "drivers",
                    "private_key_id": "1",
                    "private_key": key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
                    "client_email": _ACCOUNT,
                    "client_id": "1",
                    "token_uri": f"{self.server.url}/token",
                }
            )
        )
        return path

    def _answer(self, request: Request) -> Answer:
        if not _is_ours(request.headers.get("authorization", "")):
            return _error("UNAUTHENTICATED", "Request had invalid authentication credentials.", 401)
        path, _, verb = request.path.removeprefix(f"/v1/{_RING}/").partition(":")
        name = path.partition("/")[0]
        if name not in _ALGORITHMS or not path.startswith(f"{name}/cryptoKeyVersions/1"):
            return _error("NOT_FOUND", f"CryptoKeyVersion {path} not found.", 404)
        if request.method == "GET" and path.endswith("/publicKey"):
            return Answer({"pem": self._pem(name), "algorithm": _ALGORITHMS[name], "name": request.path[4:]})
        assert (request.method, verb) == ("POST", "asymmetricSign")
        return self._sign(name, request)

    def key(self, name: str):
        return key_of("rsa2048" if name in ("raw", "pss") else name)

    def _pem(self, name: str) -> str:
        return self.key(name).public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()

    def _sign(self, name: str, request: Request) -> Answer:
        self.signed += 1
        if self.forbidden:
            return _error("PERMISSION_DENIED", "Permission 'useToSign' denied on resource", 403)
        if self.out_of_service:
            return _error("UNAVAILABLE", "The service is currently unavailable", 503)
        if self.throttled:
            self.throttled -= 1
            return _error("RESOURCE_EXHAUSTED", "Quota exceeded for quota metric 'Cryptographic requests'", 429)
        key = self.key(name)
        if name == "raw":
            signature = _raw(key, base64.b64decode(request.json["data"]))
        else:
            ((hashed, digest),) = request.json["digest"].items()
            assert _ALGORITHMS[name].endswith(hashed.upper())
            algorithm = utils.Prehashed(getattr(hashes, hashed.upper())())
            arguments = (
                (ec.ECDSA(algorithm),)
                if isinstance(key, ec.EllipticCurvePrivateKey)
                else (padding.PKCS1v15(), algorithm)
            )
            signature = key.sign(base64.b64decode(digest), *arguments)
        return Answer({"signature": base64.b64encode(signature).decode(), "name": request.path[4:]})

    def name(self, key: str) -> str:
        return f"gcp-kms:{_RING}/{key}/cryptoKeyVersions/1?endpoint={quote(self.server.url)}"

    def key_uri(self, kind: str, cert: Path) -> str:
        return f"{self.name(kind)}&cert={quote(str(cert))}"

    def missing_uri(self) -> str:
        return self.key_uri("nobody", self.certificate_file("p256"))

    def take_wrong_secret(self) -> None:
        self.monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(self._account("wrong")))

    def go(self) -> None:
        self.server.stop()

    def answer_with(self, body: object) -> None:
        self.server.answer = lambda _: Answer(body)

    def close(self) -> None:
        self.server.stop()


def _is_ours(authorization: str) -> bool:
    """Tell whether it is a self-signed token of the service account."""
    header, _, rest = authorization.removeprefix("Bearer ").partition(".")
    claims, _, signature = rest.partition(".")
    public = private_key("rsa2048", "service account right").public_key()
    assert isinstance(public, rsa.RSAPublicKey)
    try:
        public.verify(from_url64(signature), f"{header}.{claims}".encode(), padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature:
        return False
    return json.loads(from_url64(claims))["iss"] == _ACCOUNT


def _raw(key: rsa.RSAPrivateKey, data: bytes) -> bytes:
    """Sign a given DigestInfo with RSASSA-PKCS1-v1_5 (RFC 8017, 9.2, from step 3 on)."""
    numbers = key.private_numbers()
    size = (key.key_size + 7) // 8
    padded = b"\0\1" + b"\xff" * (size - len(data) - 3) + b"\0" + data
    return pow(int.from_bytes(padded), numbers.d, numbers.public_numbers.n).to_bytes(size)


def _error(status: str, message: str, code: int) -> Answer:
    return Answer({"error": {"code": code, "message": message, "status": status}}, code)
