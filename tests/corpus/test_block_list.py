"""Microsoft's driver block list has the same result for every real driver as XML and in binary form."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from signer.algorithms import DigestAlgorithm
from signer.pe.digest import digest_image
from signer.pe.file_facts import facts_of
from signer.pe.image import Image
from signer.policy.judge import paths_of
from signer.policy.si_policy.policy import SiPolicy
from signer.policy.si_policy.read import read_policy
from signer.policy.subjects import FileSubject
from signer.trust.store import TrustStore
from signer.verify.gather import gather
from tests.support.files import corpus_files, corpus_id, corpus_root
from tests.support.si_policy_encoder import encode, signed

LIST = corpus_root().parent / "policy-data" / "recommended_driver_blocklist_10.0.27770.0.xml"
DRIVERS = corpus_files("drivers/*.sys")
DENIED = 42
"""Number of real drivers on the list; most were collected because they are vulnerable."""
UNDECIDED = 2
"""Number of drivers whose first-page hash can't be computed."""

pytestmark = pytest.mark.skipif(not LIST.is_file(), reason="Microsoft's block list is not next to the corpus")


@cache
def lists() -> tuple[SiPolicy, SiPolicy]:
    xml = LIST.read_bytes()
    return read_policy(xml), read_policy(signed(encode(xml.decode("utf-8-sig"))))


@cache
def subject_of(path: Path) -> FileSubject:
    data = path.read_bytes()
    image, evidence = Image.parse(data), gather(data, "image", path.name)
    both = digest_image(image, (DigestAlgorithm.SHA1, DigestAlgorithm.SHA256))
    evidence = replace(evidence, digests={**evidence.digests, **both})
    return FileSubject.of(evidence, paths_of(evidence, TrustStore.release()), facts=facts_of(image))


@pytest.mark.parametrize("path", DRIVERS, ids=corpus_id)
def test_both_forms_agree_on_a_driver(path: Path) -> None:
    from_xml, from_binary = lists()
    subject = subject_of(path)
    assert from_binary.denies(subject) is from_xml.denies(subject)
    for one in subject.signatures:
        assert from_binary.allows(one) is from_xml.allows(one) is False


def test_the_number_of_denied_and_undecided_drivers() -> None:
    answers = [lists()[1].denies(subject_of(path)) for path in DRIVERS]
    assert (answers.count(True), answers.count(None)) == (DENIED, UNDECIDED)


def test_both_forms_have_the_same_rules() -> None:
    from_xml, from_binary = lists()
    assert (len(from_binary.file_rules), len(from_binary.denied)) == (1701, 202)
    assert {rule.hash for rule in from_binary.file_rules} == {rule.hash for rule in from_xml.file_rules}
    assert [rule.tbs for rule in from_binary.denied] == [rule.tbs for rule in from_xml.denied]
