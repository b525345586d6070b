"""Every key backend signs, tries a wrong secret only once, and leaves files intact when it fails in the middle."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

from signer.algorithms import DigestAlgorithm
from signer.certificates import common_name
from signer.errors import IdentityError, KeyCertificateMismatch, UsageError
from signer.keys.open import SCHEMES, open_identity
from signer.keys.remote import RemoteKey
from signer.verify.gather import gather
from tests.support.backends.aws import Aws
from tests.support.backends.azure import Azure
from tests.support.backends.backend import SECRET, Backend, Make, Start, key_of, name_of
from tests.support.backends.command import Command
from tests.support.backends.gcp import Gcp
from tests.support.backends.token import Token
from tests.support.backends.vault import Vault
from tests.support.images import PeSpec
from tests.support.inf_files import HELLO
from tests.support.program import drvsign, state

BACKENDS: dict[str, Make] = {
    "pkcs11": Token,
    "exec": Command,
    "aws-kms": Aws,
    "azure-kv": Azure,
    "gcp-kms": Gcp,
    "vault": Vault,
}
KINDS = ["rsa2048", "p256", "p384"]
SECRETS = ("--password-env", "TEST_SECRET")
OPTIONS = (*SECRETS, "--jobs", 1)


def test_every_scheme_of_a_key_elsewhere_is_tried_here() -> None:
    assert set(BACKENDS) | {"pfx", "file"} == set(SCHEMES)


@pytest.fixture(params=list(BACKENDS))
def backend(request: pytest.FixtureRequest, start: Start, monkeypatch: pytest.MonkeyPatch) -> Backend:
    """Start each backend with its server, token or command."""
    monkeypatch.setenv("TEST_SECRET", SECRET)
    return start(BACKENDS[request.param])


@pytest.fixture
def drivers(tmp_path: Path) -> list[Path]:
    """Create five unsigned drivers, each different."""
    folder = tmp_path / "drivers"
    folder.mkdir()
    paths = [folder / f"{number}.sys" for number in range(5)]
    for number, path in enumerate(paths):
        path.write_bytes(PeSpec(fill=number).build())
    return paths


class SignCalls:
    """Counts the signing requests to a backend. `before[n]` is called just before request `n`."""

    def __init__(self) -> None:
        self.times = 0
        self.before: dict[int, Callable[[], None]] = {}

    def count(self) -> None:
        self.times += 1
        self.before.get(self.times, lambda: None)()


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> SignCalls:
    """Count the signing requests to any backend."""
    recorded, init = SignCalls(), RemoteKey.__init__

    def counting(self: RemoteKey, holder, public_key, signer, **options) -> None:
        def counted(digest: bytes, algorithm: DigestAlgorithm) -> bytes:
            recorded.count()
            return signer(digest, algorithm)

        init(self, holder, public_key, counted, **options)

    monkeypatch.setattr(RemoteKey, "__init__", counting)
    return recorded


def open_uri(backend: Backend, uri: str):
    return open_identity(uri=uri, secret=lambda _: SECRET)


def signed_by(path: Path) -> str | None:
    """Return the common name of the signer of an image, or None without an intact signature."""
    signature = next(iter(gather(path.read_bytes(), "image", path.name).signatures), None)
    return common_name(signature.signer) if signature and signature.intact and signature.signer else None


@pytest.mark.parametrize("kind", KINDS)
def test_it_signs_digests(backend, kind):
    if kind not in backend.kinds:
        pytest.skip(f"the backend has no {kind} keys")
    algorithm = DigestAlgorithm.SHA384 if kind == "p384" else DigestAlgorithm.SHA256
    found = open_uri(backend, backend.uri(kind))
    assert found.name == name_of(kind)
    assert len(found.chain) == 1
    digest = algorithm.hash(b"content")
    signature, public, hashed = (
        found.key.sign(digest, algorithm),
        key_of(kind).public_key(),
        algorithm.for_cryptography(),
    )
    if isinstance(public, ec.EllipticCurvePublicKey):
        public.verify(signature, digest, ec.ECDSA(Prehashed(hashed)))
    else:
        public.verify(signature, digest, padding.PKCS1v15(), Prehashed(hashed))


def test_it_signs_files_four_at_a_time(backend, drivers):
    ran = drvsign("sign", *drivers, "--identity", backend.uri("rsa2048"), *SECRETS, "--jobs", 4)
    assert ran.code == 0, ran.stderr
    assert [signed_by(path) for path in drivers] == [name_of("rsa2048")] * 5


def test_the_certificate_can_be_given_as_an_option(backend, drivers):
    uri = backend.uri("p256")
    before, _, after = uri.partition("cert=")
    cert, _, rest = after.partition("&")
    without = (before + rest).rstrip("?&")
    ran = drvsign("sign", drivers[0], "--identity", without, "--cert", unquote(cert), *OPTIONS)
    assert ran.code == 0, ran.stderr
    assert signed_by(drivers[0]) == name_of("p256")
    with pytest.raises(UsageError, match="named twice"):
        open_identity(uri=uri, certificate=Path(unquote(cert)), secret=lambda _: SECRET)


def test_a_wrong_secret_is_tried_once(backend, drivers, calls):
    before = state(drivers[0].parent)
    backend.take_wrong_secret()
    ran = drvsign("sign", *drivers, "--identity", backend.uri("rsa2048"), *SECRETS, "--jobs", 4)
    assert ran.code == 3
    assert all(backend.wrong_secret_message in error for error in ran.errors) and ran.errors
    assert state(drivers[0].parent) == before
    assert calls.times <= 1


def test_a_missing_key_is_named(backend, drivers, calls):
    before = state(drivers[0].parent)
    ran = drvsign("sign", *drivers, "--identity", backend.missing_uri(), *OPTIONS)
    assert ran.code == 3
    assert all(backend.missing_key_message in error for error in ran.errors) and ran.errors
    assert state(drivers[0].parent) == before
    assert calls.times <= 1


def test_a_certificate_of_another_key_is_refused(backend, drivers, calls):
    before = state(drivers[0].parent)
    uri = backend.key_uri("p256", backend.certificate_file("p256", "Somebody Else"))
    expected = KeyCertificateMismatch if backend.knows_its_key else IdentityError
    with pytest.raises(expected):
        digest = DigestAlgorithm.SHA256.hash(b"content")
        open_uri(backend, uri).key.sign(digest, DigestAlgorithm.SHA256)
    calls.times = 0
    ran = drvsign("sign", *drivers, "--identity", uri, *OPTIONS)
    assert (ran.code, calls.times) == (3, 0 if backend.knows_its_key else 1)
    assert state(drivers[0].parent) == before


def test_a_backend_that_fails_in_the_middle_of_a_package_changes_no_file(backend, drivers, calls):
    folder = drivers[0].parent
    for path in drivers[2:]:
        path.unlink()
    (folder / "hello.inf").write_bytes(HELLO.replace("hello.sys", "0.sys").replace("\n", "\r\n").encode())
    before = state(folder)
    calls.before[2] = backend.go
    ran = drvsign("package", folder, "--identity", backend.uri("rsa2048"), *SECRETS)
    assert (ran.code, calls.times) == (3, 2), ran.stderr
    assert state(folder) == before


def test_a_backend_that_fails_in_the_middle_of_a_batch_leaves_files_intact(backend, drivers, calls):
    before = state(drivers[0].parent)
    calls.before[3] = backend.go
    ran = drvsign("sign", *drivers, "--identity", backend.uri("rsa2048"), *OPTIONS, "--json")
    assert ran.code == 3
    assert [entry["action"] for entry in ran.document["files"]] == ["signed", "signed", "failed", "failed", "failed"]
    assert calls.times == 3, "a failed key is not used again for the next file"
    assert [signed_by(path) for path in drivers[:2]] == [name_of("rsa2048")] * 2
    after = state(drivers[0].parent)
    assert {name: after[name] for name in ("2.sys", "3.sys", "4.sys")} == {
        name: before[name] for name in ("2.sys", "3.sys", "4.sys")
    }
    assert len(after) == 5
    assert "because the key failed before" in ran.errors[1] and drivers[3].name in ran.errors[1]
