"""Every file of every real package is in its catalog, with the digest that HASHES.tsv gives."""

from __future__ import annotations

from pathlib import Path

import pytest

from catalogs.catalog.file import Catalog
from signer.algorithms import DigestAlgorithm
from signer.formats.detect import kind_of
from signer.verify.evidence import Evidence
from signer.verify.gather import gather, gather_file
from tests.support.files import corpus_files, corpus_id

PACKAGES = [path.parent for path in corpus_files("packages/*/HASHES.tsv")]


def catalogs_of(folder: Path) -> list[Catalog]:
    return [Catalog.parse(path.read_bytes(), path.name) for path in sorted(folder.rglob("*.cat"))]


def evidence_of(path: Path, catalogs: list[Catalog]) -> Evidence:
    kind = kind_of(path)
    return gather(path.read_bytes(), "file" if kind == "inf" else kind, path.name, catalogs)


@pytest.mark.parametrize("folder", PACKAGES, ids=corpus_id)
def test_files_are_signed_by_their_catalog(folder: Path) -> None:
    catalogs = catalogs_of(folder)
    rows = [line.split("\t") for line in (folder / "HASHES.tsv").read_text(encoding="utf-8").splitlines()]
    for name, listed, *_ in rows:
        found = evidence_of(folder / name, catalogs)
        listings = [one for one in found.signatures if one.source == "catalog"]
        if not any(catalog.is_signed for catalog in catalogs):
            assert not listings
            continue
        if "after LF->CRLF" in listed:  # Git removed the carriage returns; the corpus has them restored
            unix = (folder / name).read_bytes().replace(b"\r\n", b"\n")
            assert gather_file(unix, name, catalogs).signatures == ()
        assert [one.catalog for one in listings] == [catalog.name for catalog in catalogs]
        assert all(one.intact for one in listings)
        strongest = DigestAlgorithm.SHA256 if "sha256" in listed else DigestAlgorithm.SHA1
        assert {one.digest_algorithm for one in listings} == {strongest}
        assert (found.kind == "image") == listed.startswith("pe-")
        assert [one.index for one in found.signatures] == list(range(len(found.signatures)))


@pytest.mark.parametrize("folder", corpus_files("packages-media/*/*.sys"), ids=corpus_id)
def test_page_hashes_in_a_catalog_are_verified(folder: Path) -> None:
    catalogs = catalogs_of(folder.parent)
    (signature,) = gather(folder.read_bytes(), "image", folder.name, catalogs).signatures
    assert (signature.source, signature.page_hashes, signature.page_hashes_intact) == ("catalog", "sha256", True)


def test_a_changed_file_is_in_no_catalog(corpus: Path) -> None:
    folder = corpus / "packages-media/qcaud8909"
    data = bytearray((folder / "qcaud8909.sys").read_bytes())
    data[0x5000] ^= 1
    assert gather(data, "image", "qcaud8909.sys", catalogs_of(folder)).signatures == ()
