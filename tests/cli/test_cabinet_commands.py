"""Cabinets through `drvsign sign`, `strip`, `extract`, and as evidence."""

from __future__ import annotations

from pathlib import Path

import pytest

from signer.pkcs7.parse import parse
from signer.verify.gather import gather
from tests.cabinets import cabinet
from tests.cli.program import drvsign

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
    assert "only images" in ran.stderr
    assert path.read_bytes() == PLAIN


def test_an_unsigned_cabinet_has_nothing_to_strip_or_extract(path: Path) -> None:
    assert "not signed" in drvsign("strip", path).stdout
    assert drvsign("extract", path, "--output", path.with_suffix(".p7")).code == 3
