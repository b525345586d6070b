"""Path building and revocation, run over the cases of x509-limbo: each difference has a reason in docs/trust.md."""

from __future__ import annotations

import csv
import gzip
import json
import re
from collections import Counter
from datetime import UTC, datetime
from functools import cache

import pytest
from cryptography import x509

from signer.certificates import common_name, extended_key_usages, extensions, load_all, valid_at
from signer.errors import CertificateError
from signer.trust.chain import build_paths
from signer.trust.checks import BROKEN, WEAK
from signer.trust.path import CertificatePath
from signer.trust.revocation import load_crls, with_revocations
from signer.trust.store import TrustStore
from signer.verify.gather import gather
from tests.support.files import ROOT, corpus_files, corpus_root

CASES = corpus_root() / "limbo" / "limbo.json.gz"
TODAY = datetime(2026, 11, 27, tzinfo=UTC)
USAGES = {"serverAuth": "1.3.6.1.5.5.7.3.1", "clientAuth": "1.3.6.1.5.5.7.3.2"}
ROW = re.compile(r"^\| ([a-z-]+) \| (\d+) \| [^|]+ \|$", re.MULTILINE)

with (ROOT / "tests" / "corpus" / "limbo_differences.tsv").open(encoding="utf-8", newline="") as _file:
    REASONS = {row["case"]: row["reason"] for row in csv.DictReader(_file, delimiter="\t")}
_, _, _section = (ROOT / "docs" / "trust.md").read_text(encoding="utf-8").partition("## Agreement with x509-limbo\n")
SECTION = _section.partition("\n## ")[0]


@cache
def cases() -> dict[str, dict]:
    """Return the cases by id; none without the corpus."""
    if not CASES.exists():
        return {}
    return {case["id"]: case for case in json.loads(gzip.decompress(CASES.read_bytes()))["testcases"]}


def accepts(case: dict) -> bool:
    """Return whether a path keeps every rule, with the time and the usage of the case."""
    try:
        leaf, *pool = (
            one for text in (case["peer_certificate"], *case["untrusted_intermediates"]) for one in load(text)
        )
        roots = [one for text in case["trusted_certs"] for one in load(text)]
        crls = [one for text in case["crls"] for one in load_crls(text.encode())]
        at = datetime.fromisoformat(case["validation_time"]) if case["validation_time"] else TODAY
        usage = USAGES[next(iter(case["extended_key_usage"]), "serverAuth")]
        paths = build_paths(leaf, pool, TrustStore.test_signing(roots), at=at, usage=usage)
        usages = extended_key_usages(leaf)
    except CertificateError:
        return False
    fits = usages is None or usage in usages
    checked = (with_revocations(path, crls, at, known=(*pool, *roots)) for path in paths)
    return fits and any(valid(path, at) for path in checked)


def load(text: str) -> list[x509.Certificate]:
    return load_all(text.encode())


def valid(path: CertificatePath, at: datetime) -> bool:
    broken = {problem.code for problem in path.problems} & (BROKEN | {"revoked"})
    return path.anchor is not None and not broken and all(valid_at(one, at) for one in path.certificates)


@pytest.mark.parametrize("name", sorted(cases()))
def test_a_case_has_the_expected_result_or_a_reason(name: str) -> None:
    agrees = accepts(cases()[name]) == (cases()[name]["expected_result"] == "SUCCESS")
    assert agrees == (name not in REASONS)


def test_the_page_counts_the_cases_that_agree_and_the_reasons_of_the_others() -> None:
    total, agreeing = map(int, re.findall(r"\*\*(\d+)\*\*", SECTION))
    assert agreeing == total - len(REASONS)
    assert {reason: int(count) for reason, count in ROW.findall(SECTION)} == Counter(REASONS.values())
    assert not cases() or (total, set(REASONS) - set(cases())) == (len(cases()), set())


def test_only_one_difference_refuses_what_a_tls_library_accepts() -> None:
    if not cases():
        pytest.skip(f"the corpus has no {CASES}; set DRVSIGN_CORPUS to its folder")
    stricter = [name for name in REASONS if cases()[name]["expected_result"] == "SUCCESS"]
    assert stricter == ["rfc5280::validity::notafter-fractional"]


def test_the_keys_of_the_weak_cases_are_problems_for_the_policies() -> None:
    for name in (name for name in cases() if REASONS.get(name) == "weak-keys"):
        (leaf,), roots = load(cases()[name]["peer_certificate"]), cases()[name]["trusted_certs"]
        (path,) = build_paths(leaf, (), TrustStore.test_signing(one for text in roots for one in load(text)))
        assert {problem.code for problem in path.problems} & WEAK


WITHOUT = {
    "Microsoft Root Authority": (x509.BasicConstraints, x509.SubjectKeyIdentifier, x509.AuthorityKeyIdentifier),
    "VeriSign Class 3 Public Primary Certification Authority - G5": (x509.AuthorityKeyIdentifier,),
    "Red Fox UK Limited": (x509.SubjectKeyIdentifier,),
}


@pytest.mark.parametrize("name", WITHOUT)
def test_windows_accepts_certificates_without_these_extensions(name: str) -> None:
    """The reason windows-accepts: drivers and co-installers whose path ends at a root of Code Integrity."""
    files = corpus_files("drivers/*.sys", "packages/**/WdfCoInstaller*.dll")
    if not files:
        pytest.skip(f"the corpus is not at {corpus_root()}; set DRVSIGN_CORPUS to its folder")
    certificates = {
        one
        for file in files
        for signature in gather(file.read_bytes(), "image", file.name).signatures
        if signature.signer is not None
        for path in build_paths(signature.signer, signature.certificates, TrustStore.release())
        if path.anchor is not None and path.anchor.kind in ("microsoft", "code-verification")
        for one in path.certificates
        if common_name(one) == name
    }
    assert any(
        not {type(one.value) for one in extensions(certificate)} & set(WITHOUT[name]) for certificate in certificates
    )
