"""Cabinets through `drvsign sign`, `strip`, `extract`, and as evidence."""

from __future__ import annotations

from pathlib import Path

import pytest

from signer.pkcs7.parse import parse
from signer.verify.gather import gather
from tests.support.cabinets import cabinet
from tests.support.program import drvsign

PLAIN = cabinet({"a.inf": b"[Version]", "b.sys": bytes(range(256)) * 4})


@pytest.fixture
def path(work: Path) -> Path:
    file = work / "submission.cab"
    file.write_bytes(PLAIN)
    return file


def test_a_cabinet_is_signed_checked_and_stripped(path: Path) -> None:
    assert drvsign("sign", path).code == 0
    evidence = gather(path.read_bytes(), "cabinet", path.name)
    assert [(signature.intact, signature.source) for signature in evidence.signatures] == [(True, "embedded")]
    assert drvsign("extract", path, "--output", path.with_suffix(".p7")).code == 0
    assert parse(path.with_suffix(".p7").read_bytes()).signers
    assert drvsign("strip", path).code == 0
    assert path.read_bytes() == PLAIN


def test_appended_signatures_are_found(path: Path) -> None:
    drvsign("sign", path)
    assert drvsign("sign", path, "--append").code == 0
    sources = [signature.source for signature in gather(path.read_bytes(), "cabinet", "x").signatures]
    assert sources == ["embedded", "nested"]


def test_a_changed_cabinet_is_found_out(path: Path) -> None:
    drvsign("sign", path)
    data = bytearray(path.read_bytes())
    data[200] ^= 1
    (signature,) = gather(bytes(data), "cabinet", "x").signatures
    assert [problem.code for problem in signature.problems] == ["digest-mismatch"]


@pytest.mark.parametrize("option", ["--page-hashes", "--dual"])
def test_what_only_images_can_have_is_refused(path: Path, option: str) -> None:
    ran = drvsign("sign", path, option)
    assert ran.code == 3
    assert "only images can have" in ran.stderr
    assert path.read_bytes() == PLAIN


def test_an_unsigned_cabinet_has_nothing_to_strip_or_extract(path: Path) -> None:
    assert "not signed" in drvsign("strip", path).stdout
    assert drvsign("extract", path, "--output", path.with_suffix(".p7")).code == 3


def test_one_of_several_signatures_is_stripped(path: Path) -> None:
    drvsign("sign", path, "--digest", "sha1")
    drvsign("sign", path, "--append")
    assert drvsign("strip", path, "--index", "0").code == 0
    (signature,) = gather(path.read_bytes(), "cabinet", "x").signatures
    assert (str(signature.digest_algorithm), signature.intact) == ("sha256", True)
    assert drvsign("strip", path, "--index", "1").code == 3
    assert drvsign("strip", path, "--index", "0").code == 0
    assert path.read_bytes() == PLAIN


def test_what_is_extracted_is_attached_again_and_fits_no_other_cabinet(path: Path, work: Path) -> None:
    drvsign("sign", path)
    signed = path.read_bytes()
    drvsign("extract", path, "--output", "cab.p7")
    drvsign("strip", path)
    assert drvsign("attach", path, "--signature", "cab.p7").code == 0
    assert path.read_bytes() == signed
    other = work / "other.cab"
    other.write_bytes(cabinet({"a.inf": b"[Version]x"}))
    ran = drvsign("attach", other, "--signature", "cab.p7")
    assert (ran.code, "the signature is for a different cabinet" in ran.stderr) == (3, True)


def test_a_cabinet_is_signed_in_two_steps(path: Path, work: Path) -> None:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding
    from cryptography.hazmat.primitives.serialization import Encoding

    from tests.support.identities import identity, private_key

    assert drvsign("sign", path, "--detached-request", "tbs").code == 0
    key = private_key("rsa2048", "Drvsign Unit Test")
    (work / "sig").write_bytes(key.sign((work / "tbs").read_bytes(), padding.PKCS1v15(), hashes.SHA256()))
    (work / "who.pem").write_bytes(identity().certificate.public_bytes(Encoding.PEM))
    answer = ("--signed-digest", "sig", "--request", "tbs", "--cert", "who.pem")
    assert drvsign("attach", path, *answer).code == 0
    (signature,) = gather(path.read_bytes(), "cabinet", "x").signatures
    assert signature.intact


def test_a_cabinet_is_verified_and_inspected(path: Path) -> None:
    drvsign("sign", path)
    trusted = ("--policy", "authenticode", "--roots", "test-signing", "--json")
    ran = drvsign("verify", path, *trusted)
    assert (ran.code, ran.document["files"][0]["kind"]) == (0, "cabinet")
    assert drvsign("inspect", path, "--json").document["files"][0]["signatures"][0]["intact"] is True
    data = bytearray(path.read_bytes())
    data[200] ^= 1
    path.write_bytes(data)
    assert drvsign("verify", path, *trusted).code == 1
