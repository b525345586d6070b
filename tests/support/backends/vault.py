"""Vault's transit engine, simulated from its HTTP API documentation: Read Key, Sign Data, errors, tokens, quotas."""

from __future__ import annotations

import base64
from pathlib import Path
from urllib.parse import quote

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, utils
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.support.backends.backend import SECRET, Backend, key_of
from tests.support.backends.server import Answer, Request, Server
from tests.support.identities import private_key

_TYPES = {"rsa2048": "rsa-2048", "p256": "ecdsa-p256", "p384": "ecdsa-p384"}


class Vault(Backend):
    """`vault:`"""

    wrong_secret_message = "Vault rejected the token"
    missing_key_message = "the Vault key 'signing/nobody' was not found"

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__(folder)
        pytest.importorskip("hvac", reason="hvac is not installed (drvsign[vault])")
        self.monkeypatch = monkeypatch
        self.throttled = 0
        """Number of next requests that exceed the quota."""
        self.garbled = False
        for name in ("VAULT_TOKEN", "VAULT_NAMESPACE"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("HOME", str(folder))
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        self.server = Server(self._answer)
        monkeypatch.setenv("VAULT_ADDR", self.server.url)

    def _answer(self, request: Request) -> Answer:
        if self.throttled:
            self.throttled -= 1
            return Answer({"errors": ["request path: rate limit quota exceeded"]}, 429, (("Retry-After", "3600"),))
        if request.headers.get("x-vault-token") != SECRET:
            return Answer({"errors": ["2 errors occurred:\n\t* permission denied\n\t* invalid token\n\n"]}, 403)
        match request.method, request.path.split("/")[1:]:
            case "GET", ["v1", "signing", "keys", name] if name in _TYPES:
                return Answer({"data": self._read(name)})
            case "GET", ["v1", "signing", "keys", "aes"]:
                made = {"type": "aes256-gcm96", "latest_version": 1, "keys": {"1": 1442851412}}
                return Answer({"data": {**made, "supports_signing": False}})
            case (("POST" | "PUT"), ["v1", "signing", "sign", name, *rest]) if name in _TYPES:
                return self._sign(name, rest, request)
        return Answer({"errors": []}, 404)

    def _read(self, name: str) -> dict[str, object]:
        def version(key) -> dict[str, str]:
            pem = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
            return {"creation_time": "2026-01-01T00:00:00Z", "name": _TYPES[name], "public_key": pem}

        keys = {"1": version(private_key(name, "Before the rotation")), "2": version(key_of(name))}
        return {"type": _TYPES[name], "latest_version": 2, "keys": keys, "supports_signing": True, "name": name}

    def _sign(self, name: str, rest: list[str], request: Request) -> Answer:
        body = request.json
        hashed = rest[0] if rest else body["hash_algorithm"]
        digest = base64.b64decode(body["input"], validate=True)
        assert body["prehashed"] is True and body["signature_algorithm"] == "pkcs1v15"
        assert body.get("marshaling_algorithm", "asn1") == "asn1"
        version = body.get("key_version", 2)
        key = key_of(name) if version == 2 else private_key(name, "Before the rotation")
        algorithm = utils.Prehashed(getattr(hashes, hashed.replace("sha2-", "SHA"))())
        if isinstance(key, ec.EllipticCurvePrivateKey):
            signature = key.sign(digest, ec.ECDSA(algorithm))
        else:
            signature = key.sign(digest, padding.PKCS1v15(), algorithm)
        text = "?" if self.garbled else base64.b64encode(signature).decode()
        return Answer({"data": {"signature": f"vault:v{version}:{text}", "key_version": version}})

    def key_uri(self, kind: str, cert: Path) -> str:
        return f"vault:signing/{kind}?cert={quote(str(cert))}"

    def missing_uri(self) -> str:
        return f"vault:signing/nobody?cert={quote(str(self.certificate_file('p256')))}"

    def take_wrong_secret(self) -> None:
        self.monkeypatch.setenv("TEST_SECRET", "hvs.wrong")

    def go(self) -> None:
        self.server.stop()

    def answer_with(self, body: object) -> None:
        self.server.answer = lambda _: Answer(body)

    def close(self) -> None:
        self.server.stop()
