"""What the conformance test wants of a key backend."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from signer.algorithms import DigestAlgorithm
from signer.keys.identity import SigningKey
from signer.keys.local import PrivateKey
from signer.keys.open import open_identity
from tests.support.identities import certificate, private_key

ROOT = ("Drvsign Unit Root", "p256")
SECRET = "4711-right"
SHA256 = DigestAlgorithm.SHA256
DIGEST = SHA256.hash(b"content")


def name_of(kind: str) -> str:
    """The signer whose key is of this kind."""
    return f"Backend {kind}"


def key_of(kind: str) -> PrivateKey:
    """The key that a backend holds."""
    return private_key(kind, name_of(kind))


def key_unasked(uri: str) -> SigningKey:
    """The key that a URI names, of a backend that has its credentials from elsewhere and must not ask for them."""
    return open_identity(uri=uri, secret=lambda _: pytest.fail("asked")).key


class Backend(ABC):
    """A key backend with one key of each kind, the other side of it included."""

    kinds: tuple[str, ...] = ("rsa2048", "p256", "p384")
    knows_its_key = True
    """Whether the backend tells its public key, so that a wrong certificate is seen before anything is signed."""

    says_wrong_secret = ""
    """What stands in the error when the secret is wrong."""
    says_missing = ""
    """What stands in the error when the key is not there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)

    def certificate_file(self, kind: str, name: str | None = None) -> Path:
        """The certificate of the key of this kind, or of somebody else's, with the root."""
        path = self.folder / f"{name or name_of(kind)}.pem".replace(" ", "-")
        if not path.exists():
            made: list[x509.Certificate] = [certificate(name or name_of(kind), kind, ROOT), certificate(*ROOT)]
            path.write_bytes(b"".join(c.public_bytes(Encoding.PEM) for c in made))
        return path

    def uri(self, kind: str) -> str:
        """The key with its own certificate."""
        return self.key_uri(kind, self.certificate_file(kind))

    @abstractmethod
    def key_uri(self, kind: str, cert: Path) -> str:
        """The key with this certificate."""

    @abstractmethod
    def missing_uri(self) -> str:
        """A key that is not there, with a certificate."""

    @abstractmethod
    def take_wrong_secret(self) -> None:
        """From now on the secret is a wrong one."""

    @abstractmethod
    def go(self) -> None:
        """From now on the backend is gone."""

    def close(self) -> None:
        """The test is over."""
        return


Make = Callable[[Path, pytest.MonkeyPatch], Backend]
"""A kind of backend: it is made in a folder, with what the program looks for in the environment."""
Start = Callable[[Make], Backend]
"""The fixture `start`."""
