"""Azure Key Vault (Get Key, Sign, challenge) and a managed identity endpoint, simulated from their documentation.

The client requires TLS, and a vault whose host name ends with that of the resource in the challenge.
"""

from __future__ import annotations

import base64
import ssl
import time
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import quote

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, utils
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from tests.support.backends.backend import SECRET, Backend, key_of
from tests.support.backends.server import Answer, Request, Server
from tests.support.identities import private_key

_TOKEN = "token-of-the-managed-identity"
VERSION = "0123456789abcdef0123456789abcdef"


def url64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def from_url64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Azure(Backend):
    """`azure-kv:`"""

    wrong_secret_message = "Azure rejected the credentials"
    missing_key_message = "/nobody' was not found ((KeyNotFound) A key with this name was not found in this key vault)"

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__(folder)
        for module, extra in (("azure.keyvault.keys", "azure-keyvault-keys"), ("azure.identity", "azure-identity")):
            pytest.importorskip(module, reason=f"{extra} is not installed (drvsign[azure])")
        self.monkeypatch = monkeypatch
        self.throttled = 0
        self.forbidden = False
        self.signed = 0
        self.server = Server(self._answer, _tls(folder))
        self.host = self.server.host
        for name in ("AZURE_CLIENT_ID", "AZURE_TENANT_ID", "AZURE_CLIENT_SECRET"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "ManagedIdentityCredential")
        monkeypatch.setenv("IDENTITY_ENDPOINT", f"{self.server.url}/msi/token")
        monkeypatch.setenv("IDENTITY_HEADER", SECRET)
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(folder / "server.pem"))
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")

    def _answer(self, request: Request) -> Answer:
        if request.path == "/msi/token":
            return self._token(request)
        if request.headers.get("authorization") != f"Bearer {_TOKEN}":
            domain = self.host.removeprefix("127.")
            challenge = f'Bearer authorization="{self.server.url}/tenant", resource="https://{domain}"'
            return _error(
                "Unauthorized", "AKV10000: Request is missing a Bearer token", 401, ("WWW-Authenticate", challenge)
            )
        match request.method, [part for part in request.path.split("/") if part]:
            case "GET", ["keys", name, *rest] if name in self.kinds and rest in ([], [VERSION]):
                return Answer({"key": self._jwk(name), "attributes": {"enabled": True}})
            case "GET", ["keys", "no-sign"]:
                return Answer({"key": {**self._jwk("rsa2048"), "key_ops": ["encrypt"]}, "attributes": {}})
            case "POST", ["keys", name, version, "sign"] if name in self.kinds and version == VERSION:
                return self._sign(name, request)
        return _error("KeyNotFound", "A key with this name was not found in this key vault", 404)

    def _token(self, request: Request) -> Answer:
        if request.headers.get("x-identity-header") != SECRET:
            return Answer({"statusCode": 401, "message": "The header is wrong"}, 401)
        expires = str(int(time.time()) + 3600)
        return Answer({"access_token": _TOKEN, "expires_on": expires, "resource": "x", "token_type": "Bearer"})

    def _jwk(self, name: str) -> dict[str, object]:
        kid = f"{self.server.url}/keys/{name}/{VERSION}"
        numbers = key_of(name).public_key().public_numbers()
        if isinstance(numbers, ec.EllipticCurvePublicNumbers):
            size = (numbers.curve.key_size + 7) // 8
            crv = {256: "P-256", 384: "P-384"}[numbers.curve.key_size]
            point = {"x": url64(numbers.x.to_bytes(size)), "y": url64(numbers.y.to_bytes(size))}
            return {"kid": kid, "kty": "EC-HSM", "crv": crv, **point, "key_ops": ["sign", "verify"]}
        n, e = numbers.n.to_bytes(256), numbers.e.to_bytes(3)
        return {"kid": kid, "kty": "RSA", "n": url64(n), "e": url64(e), "key_ops": ["sign", "verify"]}

    def _sign(self, name: str, request: Request) -> Answer:
        self.signed += 1
        if self.forbidden:
            return _error("Forbidden", "The user does not have keys sign permission", 403)
        if self.throttled:
            self.throttled -= 1
            return _error("Throttled", "Request was not processed because too many requests were received", 429)
        alg, digest = request.json["alg"], from_url64(request.json["value"])
        hashed = utils.Prehashed({"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}[alg[2:]])
        key = key_of(name)
        if isinstance(key, ec.EllipticCurvePrivateKey):
            assert alg == f"ES{key.curve.key_size}"
            size = (key.curve.key_size + 7) // 8
            r, s = utils.decode_dss_signature(key.sign(digest, ec.ECDSA(hashed)))
            signature = r.to_bytes(size) + s.to_bytes(size)
        else:
            assert alg.startswith("RS")
            signature = key.sign(digest, padding.PKCS1v15(), hashed)
        return Answer({"kid": self._jwk(name)["kid"], "value": url64(signature)})

    def key_uri(self, kind: str, cert: Path) -> str:
        return f"azure-kv:{self.host}/{kind}?cert={quote(str(cert))}"

    def missing_uri(self) -> str:
        return f"azure-kv:{self.host}/nobody?cert={quote(str(self.certificate_file('p256')))}"

    def take_wrong_secret(self) -> None:
        self.monkeypatch.setenv("IDENTITY_HEADER", "0000")

    def go(self) -> None:
        self.server.stop()

    def answer_with(self, body: object) -> None:
        self.server.answer = lambda _: Answer(body)

    def close(self) -> None:
        self.server.stop()


def _error(code: str, message: str, status: int, *headers: tuple[str, str]) -> Answer:
    return Answer({"error": {"code": code, "message": message}}, status, headers)


def _tls(folder: Path) -> ssl.SSLContext:
    """Return a TLS context with a self-signed certificate for 127.0.0.1, written to server.pem."""
    key = private_key("p256", "loopback")
    name, now = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "loopback")]), datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / "server.pem"
    path.write_bytes(
        made.public_bytes(Encoding.PEM) + key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context
