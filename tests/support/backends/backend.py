"""Interface of key backends for the conformance tests."""

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
    """Return the name of the signer with this kind of key."""
    return f"Backend {kind}"


def key_of(kind: str) -> PrivateKey:
    """Return the private key of a backend."""
    return private_key(kind, name_of(kind))


def key_without_prompt(uri: str) -> SigningKey:
    """Open the key of a URI; fail if the backend prompts for a secret."""
    return open_identity(uri=uri, secret=lambda _: pytest.fail("the backend prompted for a secret")).key


class Backend(ABC):
    """A key backend with one key of each kind, including its server side."""

    kinds: tuple[str, ...] = ("rsa2048", "p256", "p384")
    knows_its_key = True
    """True if the backend provides its public key, so that a wrong certificate is detected before signing."""

    wrong_secret_message = ""
    """Text in the error for a wrong secret."""
    missing_key_message = ""
    """Text in the error for a missing key."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)

    def certificate_file(self, kind: str, name: str | None = None) -> Path:
        """Return the path of the certificate (for this or another signer) and root of this kind of key."""
        path = self.folder / f"{name or name_of(kind)}.pem".replace(" ", "-")
        if not path.exists():
            made: list[x509.Certificate] = [certificate(name or name_of(kind), kind, ROOT), certificate(*ROOT)]
            path.write_bytes(b"".join(c.public_bytes(Encoding.PEM) for c in made))
        return path

    def uri(self, kind: str) -> str:
        """Return the URI of the key with its own certificate."""
        return self.key_uri(kind, self.certificate_file(kind))

    @abstractmethod
    def key_uri(self, kind: str, cert: Path) -> str:
        """Return the URI of the key with this certificate."""

    @abstractmethod
    def missing_uri(self) -> str:
        """Return the URI of a missing key, with a certificate."""

    @abstractmethod
    def take_wrong_secret(self) -> None:
        """Replace the secret by a wrong one."""

    @abstractmethod
    def go(self) -> None:
        """Make the backend unavailable."""

    def close(self) -> None:
        """Clean up after the test."""
        return


Make = Callable[[Path, pytest.MonkeyPatch], Backend]
"""Factory of a backend: takes a folder, and sets the environment of the program."""
Start = Callable[[Make], Backend]
"""Type of the fixture `start`."""
