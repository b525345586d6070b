"""Microsoft's published block list says the same of every real driver, as XML and in the binary form."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from signer.algorithms import DigestAlgorithm
from signer.pe.digest import digest_image
from signer.pe.image import Image
from signer.policy.file_facts import facts_of
from signer.policy.judge import paths_of
from signer.policy.si_policy.policy import SiPolicy
from signer.policy.si_policy.read import read_policy
from signer.policy.subjects import FileSubject
from signer.trust.store import TrustStore
from signer.verify.gather import gather_image
from tests.support.files import corpus_files, corpus_id, corpus_root
from tests.support.si_policy_encoder import encode, signed

LIST = corpus_root().parent / "policy-data" / "recommended_driver_blocklist_10.0.27770.0.xml"
DRIVERS = corpus_files("drivers/*.sys")
DENIED = 42
"""How many of the real drivers are on it: most were collected because they are vulnerable."""
NOT_TOLD = 2
"""Of these no hash of the first page can be computed."""

pytestmark = pytest.mark.skipif(not LIST.is_file(), reason="Microsoft's block list is not beside the corpus")


@cache
def lists() -> tuple[SiPolicy, SiPolicy]:
    xml = LIST.read_bytes()
    return read_policy(xml), read_policy(signed(encode(xml.decode("utf-8-sig"))))


@cache
def case_of(path: Path) -> FileSubject:
    data = path.read_bytes()
    image, evidence = Image.parse(data), gather_image(data, path.name)
    both = digest_image(image, (DigestAlgorithm.SHA1, DigestAlgorithm.SHA256))
    evidence = replace(evidence, digests={**evidence.digests, **both})
    return FileSubject.of(evidence, paths_of(evidence, TrustStore.release()), facts=facts_of(image))


@pytest.mark.parametrize("path", DRIVERS, ids=corpus_id)
def test_both_forms_say_the_same_of_a_driver(path: Path) -> None:
    from_xml, from_binary = lists()
    case = case_of(path)
    assert from_binary.denies(case) is from_xml.denies(case)
    for one in case.signatures:
        assert from_binary.allows(one) is from_xml.allows(one) is False


def test_many_of_the_drivers_are_on_it_and_few_can_not_be_told() -> None:
    answers = [lists()[1].denies(case_of(path)) for path in DRIVERS]
    assert (answers.count(True), answers.count(None)) == (DENIED, NOT_TOLD)


def test_the_forms_have_as_many_rules() -> None:
    from_xml, from_binary = lists()
    assert (len(from_binary.file_rules), len(from_binary.denied)) == (1701, 202)
    assert {rule.hash for rule in from_binary.file_rules} == {rule.hash for rule in from_xml.file_rules}
    assert [rule.tbs for rule in from_binary.denied] == [rule.tbs for rule in from_xml.denied]
