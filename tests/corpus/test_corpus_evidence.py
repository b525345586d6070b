"""The evidence of every real driver and catalog matches that of three other implementations (INDEX.tsv)."""

from __future__ import annotations

import csv
import gzip
from pathlib import Path

import pytest

from signer.errors import SignerError
from signer.verify.evidence import Evidence, Signature
from signer.verify.gather import gather
from tests.support.files import corpus_files, corpus_id, corpus_root

INDEX = corpus_root() / "INDEX.tsv"
TIMESTAMPS = {"authenticode": "legacy", "rfc3161": "rfc3161"}


def rows() -> list[dict[str, str]]:
    """Return the files of INDEX.tsv that can have signatures."""
    if not INDEX.exists():
        return []
    with INDEX.open(encoding="utf-8", newline="") as file:
        found = list(csv.DictReader(file, delimiter="\t"))
    return [row for row in found if row["kind"] in ("sys", "cat")]


def evidence_of(row: dict[str, str]) -> Evidence:
    path = corpus_root() / row["path"]
    return gather(path.read_bytes(), "catalog" if row["kind"] == "cat" else "image", path.name)


def digest_of(signature: Signature) -> str:
    assert signature.digest_algorithm is not None
    return signature.digest_algorithm.label


@pytest.mark.parametrize("row", rows(), ids=lambda row: row["path"][-80:])
def test_signatures_match_the_index(row: dict[str, str]) -> None:
    found = evidence_of(row)
    signatures = found.signatures
    assert "+".join(map(digest_of, signatures)) == row["digests"].strip("-")
    assert len(signatures) == int(row["signatures"])
    kinds = [TIMESTAMPS[one.timestamp.kind] for one in signatures if one.timestamp is not None]
    assert (kinds or ["none"] * len(signatures)) == [kind for kind in row["timestamps"].split("; ") if kind != "-"]
    assert not found.problems
    for one in signatures:
        assert not one.problems and not one.notes
        assert one.timestamp is None or not one.timestamp.problems
    if row["kind"] == "sys":
        assert found.architecture == row["arch"]
        assert any(one.page_hashes != "none" for one in signatures) == (row["page_hashes"] == "y")
        assert all(one.page_hashes_intact for one in signatures if one.page_hashes != "none")
        matches = [str("digest-mismatch" not in codes(one)) for one in signatures]
        assert not matches or ",".join(matches) == row["digest_matches"]


def codes(signature: Signature) -> list[str]:
    return [problem.code for problem in signature.problems]


def test_the_index_is_complete() -> None:
    if not INDEX.exists():
        pytest.skip("the corpus is absent")
    assert len([row for row in rows() if row["path"].startswith("drivers/")]) == 101


@pytest.mark.parametrize("path", corpus_files("hostile/*.gz"), ids=lambda path: path.stem[-30:])
def test_hostile_files_result_in_evidence_or_an_error_with_a_message(path: Path) -> None:
    data = gzip.decompress(path.read_bytes())
    for kind in ("image", "cabinet", "catalog", "file"):
        try:
            found = gather(data, kind, path.name)
        except SignerError as error:
            assert error.message
        else:
            assert not any(one.intact for one in found.signatures)


@pytest.mark.parametrize(
    "path",
    corpus_files("golden/generated-signed/**/*.*", "golden/catalog-workflows/*.cat"),
    ids=corpus_id,
)
def test_golden_files_are_intact(path: Path) -> None:
    found = gather(path.read_bytes(), "catalog" if path.suffix == ".cat" else "image", path.name)
    assert not found.problems
    assert all(one.intact and one.timestamp is None for one in found.signatures)
