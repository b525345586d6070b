"""Every command that prints, signs or requests a digest of a file has the same one, signed or not."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.serialization import Encoding

from catalogs.build import CatalogOptions, assemble
from tests.support.cabinets import cabinet
from tests.support.identities import identity, private_key
from tests.support.images import PeSpec
from tests.support.program import drvsign

FILES = {
    "a.sys": PeSpec().build(),
    "a.cab": cabinet({"a.inf": b"[Version]", "b.sys": bytes(range(256)) * 4}),
    "a.cat": assemble([], [], CatalogOptions(datetime(2026, 5, 14, tzinfo=UTC)), "a.cat").to_bytes(),
}


@pytest.fixture(params=FILES)
def path(request: pytest.FixtureRequest, work: Path) -> Path:
    """An unsigned file of each format."""
    file = work / request.param
    file.write_bytes(FILES[request.param])
    return file


def printed(path: Path, algorithm: str = "sha256") -> str:
    (found,) = drvsign("digest", path, "--digest", algorithm, "--json").document["files"]
    return str(found["digests"][algorithm])


def reported(*arguments: object) -> str:
    (found,) = drvsign(*arguments, "--json").document["files"]
    assert found["error"] is None
    return str(found["digest"])


@pytest.mark.parametrize("algorithm", ["sha1", "sha256", "sha384"])
def test_digest_prints_what_sign_signs_and_what_inspect_shows(path: Path, algorithm: str) -> None:
    before = printed(path, algorithm)
    assert reported("sign", path, "--digest", algorithm) == before
    (inspected,) = drvsign("inspect", path, "--json").document["files"]
    assert inspected["digests"][algorithm] == before
    assert [one["digest"] for one in inspected["signatures"]] == [before]
    assert printed(path, algorithm) == before


def test_a_request_holds_it(path: Path) -> None:
    assert reported("sign", path, "--detached-request", "tbs") == printed(path)


def test_a_detached_signature_holds_it_and_is_attached_by_it(path: Path, work: Path) -> None:
    before = printed(path)
    assert reported("sign", path, "--detached", "a.p7") == before
    assert reported("attach", path, "--signature", "a.p7") == before


@pytest.mark.parametrize("with_request", [True, False], ids=["with-the-request", "without-it"])
def test_an_external_signature_is_attached_by_it(path: Path, work: Path, with_request: bool) -> None:
    before = printed(path)
    drvsign("sign", path, "--detached-request", "tbs")
    key = private_key("rsa2048", "Drvsign Unit Test")
    (work / "sig").write_bytes(key.sign((work / "tbs").read_bytes(), padding.PKCS1v15(), hashes.SHA256()))
    (work / "who.pem").write_bytes(identity().certificate.public_bytes(Encoding.PEM))
    request = ("--request", "tbs") if with_request else ()
    assert reported("attach", path, "--signed-digest", "sig", "--cert", "who.pem", *request) == before


def test_a_cabinet_of_a_set_can_t_be_signed_and_has_the_digest_of_its_bytes_as_they_are(work: Path) -> None:
    data = bytearray(FILES["a.cab"])
    data[30] |= 2  # cfhdrNEXT_CABINET
    (work / "set.cab").write_bytes(data)
    digest = hashes.Hash(hashes.SHA256())
    digest.update(bytes(data[:4] + data[8:]))  # all but reserved1
    assert printed(work / "set.cab") == digest.finalize().hex()
    assert "part of a multi-cabinet set" in drvsign("sign", work / "set.cab", "--detached-request", "tbs").stderr
