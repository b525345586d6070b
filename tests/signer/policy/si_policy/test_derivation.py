"""Rules that allow a driver: what is derived from a file, and that it allows that file and no other."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from signer.algorithms import DigestAlgorithm
from signer.asn1.oids import EKU_CODE_SIGNING, EKU_WHQL, EKU_WHQL_ATTESTED
from signer.pe.file_facts import FileFacts
from signer.policy.si_policy.derivation import Level, allow
from signer.policy.si_policy.draft import FileAttribute, PolicyDraft, PolicyHead, write_policy
from signer.policy.si_policy.policy import SiPolicy
from signer.policy.si_policy.read import read_policy
from signer.policy.subjects import FileSubject
from signer.verify.evidence import SignatureProblem
from tests.support.policy_builder import (
    Sample,
    Sign,
    anchor,
    by_microsoft,
    certificate,
    chain,
    commercial,
    commercial_chain_with,
    cross_signed,
    driver,
    of_test_root,
    self_signed,
    unknown_issuer,
)

FACTS = FileFacts(
    {"OriginalFilename": "Sample.sys", "InternalName": "sample"},
    (1, 2, 3, 4),
    {DigestAlgorithm.SHA1: b"\x01" * 20, DigestAlgorithm.SHA256: b"\x02" * 32},
    {DigestAlgorithm.SHA1: b"\x03" * 20, DigestAlgorithm.SHA256: b"\x04" * 32},
)


def subject(sample: Sample, **facts: Any) -> FileSubject:
    """Return a file with the version resource of FACTS, and digests of its own."""
    return FileSubject.of(sample.evidence, sample.paths, facts=replace(FACTS, **facts))


def derived(one: FileSubject, level: Level = "file-publisher") -> tuple[Level, PolicyDraft, SiPolicy]:
    """Return the level of the rules that allow a file, the rules, and the policy that is read back."""
    draft = PolicyDraft()
    used = allow(draft, one, level)
    head = PolicyHead("test", "1.0.0.0", UUID(int=1))
    return used, draft, read_policy("".join(write_policy(draft, head)).encode())


def portal(*usages: str, company: str | None = "Contoso") -> Sample:
    sample = driver(by_microsoft(*usages))
    signed = replace(sample.evidence.signatures[0], program_name=company)
    return replace(sample, evidence=replace(sample.evidence, signatures=(signed,)))


def issuing_hash(sign: Sign, algorithm: str) -> bytes:
    """Return the to-be-signed hash of the CA below the root or the cross-certificate."""
    return hashlib.new(algorithm, sign.paths[0].certificates[1].tbs_certificate_bytes).digest()


SIGNED = {"cross-signed": (cross_signed(), "sha1"), "commercial": (commercial(), "sha256")}


@pytest.mark.parametrize("name", SIGNED)
def test_a_publisher_rule_names_the_ca_the_signer_the_file_and_the_version(name: str) -> None:
    sign, algorithm = SIGNED[name]
    level, draft, _ = derived(subject(driver(sign)))
    ((signer, attributes),) = draft.signers.items()
    assert level == "file-publisher"
    assert (signer.root, signer.publisher, signer.oem, signer.usages) == (
        issuing_hash(sign, algorithm),
        "Contoso Ltd.",
        None,
        (),
    )
    assert list(attributes.values()) == [FileAttribute("FileName", "Sample.sys", (1, 2, 3, 4))]
    assert draft.hashes == {}


FILES: dict[str, tuple[FileSubject, bool]] = {
    "the file itself": (subject(driver(cross_signed())), True),
    "a later version": (subject(driver(cross_signed()), version=(2, 0, 0, 0)), True),
    "an earlier version": (subject(driver(cross_signed()), version=(1, 2, 3, 3)), False),
    "another name": (subject(driver(cross_signed()), strings={"OriginalFilename": "other.sys"}), False),
    "another publisher": (subject(driver(commercial_chain_with())), False),
    "another CA": (subject(driver(commercial())), False),
}


@pytest.mark.parametrize("name", FILES)
def test_a_publisher_rule_allows_the_file_and_later_versions(name: str) -> None:
    one, allowed = FILES[name]
    _, _, policy = derived(subject(driver(cross_signed())))
    assert policy.allows(one.signatures[0]) is allowed


def test_hash_rules_are_the_digests_of_the_image_and_its_first_page() -> None:
    level, draft, policy = derived(subject(driver(cross_signed())), "hash")
    assert (level, draft.signers) == ("hash", {})
    assert [(one.label, one.digest[:1]) for one in draft.hashes.values()] == [
        ("sample.sys Hash Sha1", b"\x03"),
        ("sample.sys Hash Sha256", b"\x04"),
        ("sample.sys Hash Page Sha1", b"\x01"),
        ("sample.sys Hash Page Sha256", b"\x02"),
    ]
    assert policy.allows(subject(driver(cross_signed())).signatures[0]) is True
    digests = {one: bytes(one.size) for one in DigestAlgorithm}
    other = driver(cross_signed())
    other = replace(other, evidence=replace(other.evidence, digests=digests))
    pages = {one: bytes(one.size) for one in FACTS.first_page}
    assert policy.allows(subject(other, digests=digests, first_page=pages).signatures[0]) is False


def broken() -> Sample:
    sample = driver(cross_signed())
    signed = replace(sample.evidence.signatures[0], problems=(SignatureProblem("digest", "changed"),))
    return replace(sample, evidence=replace(sample.evidence, signatures=(signed,)))


HASHED: dict[str, FileSubject] = {
    "no version": subject(driver(cross_signed()), version=None),
    "no name": subject(driver(cross_signed()), strings={}),
    "several version resources": subject(driver(cross_signed()), strings=None),
    "a wildcard as its name": subject(driver(cross_signed()), strings={"OriginalFilename": "*"}),
    "a name that XML can't hold": subject(driver(cross_signed()), strings={"OriginalFilename": "a\x01.sys"}),
    "an empty name": subject(driver(cross_signed()), strings={"OriginalFilename": "  "}),
    "no signature": subject(driver()),
    "a broken signature": subject(broken()),
    "an elliptic key": subject(driver(commercial_chain_with(key="p256"))),
    "an RSA key of more than 4096 bits": subject(driver(commercial_chain_with(key="rsa4097"))),
    "no CA": subject(driver(unknown_issuer())),
    "a self-signed certificate": subject(driver(self_signed())),
    "a portal signature without a company": subject(portal(EKU_WHQL, company=None)),
}


@pytest.mark.parametrize("name", HASHED)
def test_hashes_are_used_where_a_publisher_rule_is_not_possible(name: str) -> None:
    level, draft, _ = derived(HASHED[name])
    assert (level, len(draft.hashes), draft.signers) == ("hash", 4, {})


def test_the_internal_name_is_used_without_an_original_name() -> None:
    _, draft, policy = derived(subject(driver(cross_signed()), strings={"InternalName": "sample"}))
    (attributes,) = draft.signers.values()
    assert list(attributes.values()) == [FileAttribute("InternalName", "sample", (1, 2, 3, 4))]
    assert policy.allows(subject(driver(cross_signed())).signatures[0]) is True


def test_a_portal_signature_is_allowed_for_its_company_and_kind() -> None:
    _, draft, policy = derived(subject(portal(EKU_WHQL, EKU_WHQL_ATTESTED)))
    (signer,) = draft.signers
    assert (signer.oem, signer.usages) == ("Contoso", (EKU_WHQL, EKU_WHQL_ATTESTED))
    assert policy.allows(subject(portal(EKU_WHQL, EKU_WHQL_ATTESTED)).signatures[0]) is True
    assert policy.allows(subject(portal(EKU_WHQL)).signatures[0]) is False
    assert policy.allows(subject(portal(EKU_WHQL, EKU_WHQL_ATTESTED, company="Fabrikam")).signatures[0]) is False


def test_each_signature_of_a_file_has_a_rule() -> None:
    _, draft, policy = derived(subject(driver(cross_signed(), commercial(), of_test_root(named=True))))
    assert [one.publisher for one in draft.signers] == ["Contoso Ltd.", "Contoso Ltd.", "Contoso Test Signing"]
    both = subject(driver(cross_signed(), commercial()))
    assert [policy.allows(one) for one in both.signatures] == [True, True]


def test_an_rsa_key_may_have_4096_bits() -> None:
    level, _, _ = derived(subject(driver(commercial_chain_with(key="rsa4096"))))
    assert level == "file-publisher"


def test_the_highest_ca_below_the_root_is_named() -> None:
    leaf = certificate("Contoso Ltd.", "Issuing CA", usages=(EKU_CODE_SIGNING,))
    issuing, policy_ca = certificate("Issuing CA", "Policy CA"), certificate("Policy CA", "Some Root")
    sign = Sign(leaf, (chain(leaf, anchor("commercial"), issuing, policy_ca, certificate("Some Root")),))
    _, draft, _ = derived(subject(driver(sign)))
    (signer,) = draft.signers
    assert (signer.name, signer.root) == ("Policy CA", hashlib.sha256(policy_ca.tbs_certificate_bytes).digest())
