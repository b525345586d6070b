"""Compare the root of each real signature with the result of three other implementations (INDEX.tsv).

In the index an asterisk marks a root that the signature does not contain. For a signer with an unknown root the index
contains the last issuer's name, and so does `top`. There are no known differences; add one to KNOWN_DIFFERENCES with
its reason.
"""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from signer.asn1.oids import EKU_TIME_STAMPING
from signer.certificates import common_name, issuer_common_name, thumbprint
from signer.trust.chain import build_paths
from signer.trust.checks import BROKEN
from signer.trust.path import CertificatePath
from signer.trust.roots import cross_certificates
from signer.trust.store import TrustStore
from tests.support.embedded import signatures
from tests.support.files import corpus_root
from tests.support.published import published_by_key

KNOWN_DIFFERENCES: dict[str, str] = {}
NOT_SIGNED = {"", "-", "0"}


def rows() -> list[dict[str, str]]:
    index = corpus_root() / "INDEX.tsv"
    if not index.is_file():
        return []
    with index.open(encoding="utf-8", newline="") as file:
        return [row for row in csv.DictReader(file, delimiter="\t") if row["signatures"] not in NOT_SIGNED]


ROWS = rows()


def top(path: CertificatePath) -> str:
    """Return the root's name as the index writes it."""
    if path.anchor is not None:
        return path.anchor.name
    return issuer_common_name(path.certificates[-1]) or common_name(path.certificates[-1])


def best_paths(file: Path) -> list[CertificatePath]:
    store = TrustStore.release()
    found = list(signatures(file.read_bytes()))
    return [build_paths(signed.leaf, signed.pool, store)[0] for signed in found]


@pytest.mark.usefixtures("corpus")
def test_the_index_is_read() -> None:
    assert len(ROWS) > 200


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["path"][-60:])
def test_signature_reaches_the_root_that_others_found(row: dict[str, str]) -> None:
    expected = [root.rstrip("*") for root in row["chain_roots"].split("; ")]
    found = [top(path) for path in best_paths(corpus_root() / row["path"])]
    assert (found == expected) != (row["path"] in KNOWN_DIFFERENCES), f"{found} against {expected}"


MICROSOFT_ROWS = [row for row in ROWS if row["chain_roots"] == "Microsoft Root Certificate Authority 2010*"]


@pytest.mark.parametrize("row", MICROSOFT_ROWS[:5], ids=lambda row: row["path"][-60:])
def test_test_signing_says_that_it_is_a_production_root(row: dict[str, str]) -> None:
    """The message names the root, once, whether or not the signature contains it."""
    root = published_by_key()["C9905B0EE01202293CA026E64F08412442C5504C06E44CA7E9726D61F20E4089"].load()
    for signed in signatures((corpus_root() / row["path"]).read_bytes()):
        for pool in (signed.pool, (*signed.pool, root)):
            (path,) = build_paths(signed.leaf, pool, TrustStore.test_signing([]))
            assert path.anchor is None
            assert "Microsoft Product Root 2010, which is not trusted for test-signing" in path.problems[0].message


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["path"][-60:])
def test_no_real_signer_breaks_a_rule_of_issuing(row: dict[str, str]) -> None:
    """The whole corpus keeps these rules: a wrong implementation of one would reject real drivers."""
    broken = {"not-a-ca", "basic-constraints-missing", "path-too-long", "key-usage", "eku-nesting", "name-constraints"}
    broken |= {"critical-extension", "unreadable", "bad-signature", "signature-unknown", "search-limit"}
    for path in best_paths(corpus_root() / row["path"]):
        assert not broken & {problem.code for problem in path.problems}


CROSS_SIGNED_ROWS = [row for row in ROWS if "Microsoft Code Verification Root" in row["chain_roots"]]


@pytest.mark.parametrize("row", CROSS_SIGNED_ROWS, ids=lambda row: row["path"][-60:])
def test_cross_certificate_is_one_that_microsoft_published(row: dict[str, str]) -> None:
    for path in best_paths(corpus_root() / row["path"]):
        if path.anchor is not None and path.anchor.kind == "code-verification":
            assert thumbprint(path.certificates[-1], "sha256") in cross_certificates()


@pytest.mark.parametrize("row", [row for row in ROWS if row["timestamps"] != "none"], ids=lambda row: row["path"][-60:])
def test_timestamp_reaches_a_published_root(row: dict[str, str]) -> None:
    """Every timestamp authority of the corpus reaches one without breaking a rule."""
    store = TrustStore.release()
    stamps = [
        (stamp, signed) for signed in signatures((corpus_root() / row["path"]).read_bytes()) for stamp in signed.stamps
    ]
    assert stamps
    for stamp, signed in stamps:
        best = build_paths(stamp.leaf, (*stamp.pool, *signed.pool), store, usage=EKU_TIME_STAMPING)[0]
        assert best.anchor is not None
        assert not BROKEN & {problem.code for problem in best.problems}
