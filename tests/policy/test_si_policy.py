"""App Control policies: what their rules match, what is denied before it is allowed, and what can't be told."""

from __future__ import annotations

import hashlib
import itertools
from pathlib import Path
from typing import Any

import pytest

from signer.certificates import CODE_SIGNING
from signer.errors import ConfigError
from signer.policy.case import Case
from signer.policy.classify import WHQL
from signer.policy.file_facts import FileFacts
from signer.policy.si_policy import SiPolicy
from tests.policy.builder import Sample, by_microsoft, commercial, cross_signed, driver

SAMPLE = driver(cross_signed())
LEAF, ISSUING = SAMPLE.paths[0].signer[0].certificates[:2]
SHA256 = next(digest for digest in SAMPLE.evidence.digests.values() if len(digest) == 32)
TBS = hashlib.sha1(ISSUING.tbs_certificate_bytes).hexdigest()
WHQL_VALUE = "010A2B0601040182370A0305"


def policy(files: str = "", signers: str = "", refer: str = "", *, scenario: str = "131", ekus: str = "") -> SiPolicy:
    return SiPolicy.parse(
        f"""<?xml version="1.0" encoding="utf-8"?>
        <SiPolicy xmlns="urn:schemas-microsoft-com:sipolicy"><VersionEx>10.0.1.2</VersionEx><EKUs>{ekus}</EKUs>
        <FileRules>{files}</FileRules><Signers>{signers}</Signers>
        <SigningScenarios><SigningScenario Value="{scenario}"><ProductSigners>{refer}</ProductSigners>
        </SigningScenario></SigningScenarios></SiPolicy>""".encode()
    )


def file_policy(rule: str, **others: str) -> SiPolicy:
    return policy(files=rule, refer='<FileRulesRef><FileRuleRef RuleID="F"/></FileRulesRef>', **others)


def signer_policy(inside: str, *, denied: bool = True, files: str = "", ekus: str = "") -> SiPolicy:
    kind = "Denied" if denied else "Allowed"
    refer = f'<{kind}Signers><{kind}Signer SignerId="S"/></{kind}Signers>'
    return policy(files, f'<Signer ID="S" Name="Some CA">{inside}</Signer>', refer, ekus=ekus)


def case(sample: Sample = SAMPLE, **facts: Any) -> Case:
    return Case.of(sample.evidence, sample.paths, facts=FileFacts(**facts) if facts else None)


NAMED = {"strings": {"OriginalFilename": "Vulnerable.SYS"}, "version": (1, 2, 3, 4)}


@pytest.mark.parametrize(
    ("rule", "facts", "answer"),
    [
        (f'<Deny ID="F" Hash="{SHA256.hex()}"/>', {}, True),
        (f'<Deny ID="F" Hash="{"00" * 32}"/>', {}, False),
        (f'<Deny ID="F" Hash="{"00" * 64}"/>', {}, False),
        (f'<Deny ID="F" Hash="{"00" * 28}"/>', {}, None),
        (f'<Deny ID="F" FriendlyName="x Hash Page" Hash="{"AB" * 32}"/>', {}, None),
        (f'<Deny ID="F" FriendlyName="x Hash Page" Hash="{"AB" * 32}"/>', {"first_page": {"sha256": bytes(32)}}, False),
        (f'<Deny ID="F" Hash="{"AB" * 28}"/>', {"digests": {"sha224": b"\xab" * 28}}, True),
        ('<Deny ID="F" FileName="vulnerable.sys"/>', {"strings": None}, None),
        (f'<Deny ID="F" Hash="{"AB" * 32}"/>', {"first_page": {"sha256": b"\xab" * 32}}, True),
        ('<Deny ID="F" FileName="vulnerable.sys"/>', NAMED, True),
        ('<Deny ID="F" FileName="other.sys"/>', NAMED, False),
        ('<Deny ID="F" FileName="vulnerable.sys"/>', {}, None),
        ('<Deny ID="F" FileName="*" MaximumFileVersion="1.2.3.4"/>', NAMED, True),
        ('<Deny ID="F" FileName="*" MaximumFileVersion="1.2.3.3"/>', NAMED, False),
        ('<Deny ID="F" FileName="*" MinimumFileVersion="1.2.3.4"/>', NAMED, True),
        ('<Deny ID="F" FileName="*" MinimumFileVersion="1.2.3.3"/>', NAMED, False),
        ('<Deny ID="F" FileName="*" MinimumFileVersion="1.0.0.0" MaximumFileVersion="2.0.0.0"/>', NAMED, True),
        ('<Deny ID="F" FileName="*" MinimumFileVersion="2.0.0.0" MaximumFileVersion="3.0.0.0"/>', NAMED, False),
        ('<Deny ID="F" FileName="*" MaximumFileVersion="1.0.0.0"/>', {"version": None}, None),
        ('<Deny ID="F" ProductName="x" FileName="vulnerable.sys"/>', NAMED, False),
        ('<Allow ID="F" FileName="vulnerable.sys"/>', NAMED, False),
    ],
    ids=itertools.count(),
)
def test_file_rules(rule: str, facts: dict[str, Any], answer: bool | None) -> None:
    assert file_policy(rule).denies(case(**facts)) is answer


@pytest.mark.parametrize(
    ("inside", "answer"),
    [
        (f'<CertRoot Type="TBS" Value="{TBS}"/>', True),
        (f'<CertRoot Type="TBS" Value="{"00" * 20}"/>', False),
        (f'<CertRoot Type="TBS" Value="{TBS}"/><CertPublisher Value="CONTOSO LTD."/>', True),
        (f'<CertRoot Type="TBS" Value="{TBS}"/><CertPublisher Value="Fabrikam"/>', False),
        (f'<CertRoot Type="TBS" Value="{TBS}"/><CertOemID Value="Contoso"/>', False),
        ('<CertRoot Type="Wellknown" Value="08"/>', True),
        ('<CertRoot Type="Wellknown" Value="06"/>', False),
        (f'<CertRoot Type="TBS" Value="{TBS}"/><CertEKU ID="E"/>', False),
        ("", False),
    ],
    # The hash is another in every run, and test runners in parallel compare names.
    ids=itertools.count(),
)
def test_signer_rules(inside: str, answer: bool) -> None:
    rules = signer_policy(inside, ekus=f'<EKU ID="E" Value="{WHQL_VALUE}"/>')
    assert rules.denies(case()) is answer


def test_a_usage_is_that_of_the_signer() -> None:
    rules = signer_policy(
        '<CertRoot Type="Wellknown" Value="06"/><CertEKU ID="E"/>', ekus=f'<EKU ID="E" Value="{WHQL_VALUE}"/>'
    )
    assert rules.denies(case(driver(by_microsoft(WHQL)))) is True
    assert rules.denies(case(driver(by_microsoft()))) is False


@pytest.mark.parametrize("value", ["xx", "", "0102", "010A2B06", WHQL_VALUE + "00"])
def test_an_unreadable_usage_matches_nothing(value: str) -> None:
    rules = signer_policy(
        '<CertRoot Type="Wellknown" Value="06"/><CertEKU ID="E"/>', ekus=f'<EKU ID="E" Value="{value}"/>'
    )
    assert rules.denies(case(driver(by_microsoft(WHQL)))) is False


def test_a_signer_rule_with_file_attributes_wants_both() -> None:
    attribute = '<FileAttrib ID="A" FileName="vulnerable.sys" MaximumFileVersion="2.0.0.0"/>'
    inside = f'<CertRoot Type="TBS" Value="{TBS}"/><FileAttribRef RuleID="A"/>'
    rules = signer_policy(inside, files=attribute)
    assert rules.denies(case(**NAMED)) is True
    assert rules.denies(case(strings={"OriginalFilename": "other.sys"}, version=(1, 0, 0, 0))) is False
    assert rules.denies(case()) is None
    # Of a file by somebody else nothing more needs to be known.
    assert rules.denies(case(driver(commercial()))) is False


def test_allowed_signers_and_denied_files() -> None:
    allowed = signer_policy(f'<CertRoot Type="TBS" Value="{TBS}"/>', denied=False)
    (signed,) = case().signatures
    assert allowed.allows(signed) is True
    assert allowed.denies(case()) is False
    (other,) = case(driver(commercial())).signatures
    assert allowed.allows(other) is False
    refer = (
        '<AllowedSigners><AllowedSigner SignerId="S"/></AllowedSigners>'
        '<FileRulesRef><FileRuleRef RuleID="F"/></FileRulesRef>'
    )
    signer = f'<Signer ID="S" Name="Some CA"><CertRoot Type="TBS" Value="{TBS}"/></Signer>'
    both = policy(f'<Deny ID="F" Hash="{SHA256.hex()}"/>', signer, refer)
    assert both.allows(signed) is False
    unsure = policy('<Deny ID="F" FileName="vulnerable.sys"/>', signer, refer)
    assert unsure.allows(signed) is None


def test_an_allowed_hash() -> None:
    (signed,) = case().signatures
    assert file_policy(f'<Allow ID="F" Hash="{SHA256.hex()}"/>').allows(signed) is True


def test_rules_for_user_mode_and_rules_that_nobody_refers_to_do_not_count() -> None:
    rule = f'<Deny ID="F" Hash="{SHA256.hex()}"/>'
    assert file_policy(rule, scenario="12").denies(case()) is False
    assert policy(files=rule).denies(case()) is False
    assert policy(refer='<FileRulesRef><FileRuleRef RuleID="missing"/></FileRulesRef>').denies(case()) is False


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "not an App Control policy as XML"),
        (b"\x07\x00\x00\x00binary\xff\xfe", "not an App Control policy as XML"),
        (b"<SiPolicy", "not an App Control policy as XML"),
        (b"<html/>", "the document is a 'html'"),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><SiPolicy/>', "no document type"),
        ('<!DOCTYPE a [<!ENTITY b "c">]><SiPolicy/>'.encode("utf-16"), "no document type"),
    ],
)
def test_other_files_are_refused(data: bytes, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        SiPolicy.parse(data)
    assert says in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize("rule", ['<Deny ID="F" Hash="xyz"/>', '<Deny ID="F" MinimumFileVersion="1.2"/>'])
def test_a_rule_that_can_not_be_read_is_named(rule: str) -> None:
    with pytest.raises(ConfigError, match="'F' has a"):
        policy(files=rule)


def test_utf_16_and_byte_order_marks_are_read() -> None:
    text = '<SiPolicy xmlns="urn:schemas-microsoft-com:sipolicy"><VersionEx>1.2.3.4</VersionEx></SiPolicy>'
    assert SiPolicy.parse(text.encode("utf-16")).version == "1.2.3.4"
    assert SiPolicy.parse(text.encode("utf-8-sig")).version == "1.2.3.4"


def test_the_published_block_list(corpus: Path) -> None:
    path = corpus.parent / "policy-data" / "recommended_driver_blocklist_10.0.27770.0.xml"
    if not path.is_file():
        pytest.skip("Microsoft's block list is not beside the corpus")
    listed = SiPolicy.parse(path.read_bytes())
    hashes = [rule for rule in listed.file_rules if rule.hash is not None]
    assert listed.version == "10.0.27770.0"
    assert (len(hashes), len(listed.file_rules) - len(hashes), len(listed.denied)) == (1690, 11, 202)
    assert all(rule.denies for rule in listed.file_rules)
    assert {len(rule.tbs) for rule in listed.denied if rule.tbs is not None} == {20, 32, 48}
    assert listed.allowed == ()
    assert CODE_SIGNING not in {usage for rule in listed.denied for usage in rule.usages}
