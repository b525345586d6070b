"""App Control policies: matching of rules, precedence of Deny rules, and unknown results."""

from __future__ import annotations

import hashlib
import itertools
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from signer.asn1.oids import EKU_CODE_SIGNING, EKU_WHQL
from signer.errors import ConfigError
from signer.limits import LIMITS
from signer.pe.file_facts import FileFacts
from signer.policy.si_policy.policy import SiPolicy
from signer.policy.si_policy.read import read_policy
from signer.policy.subjects import FileSubject
from tests.support.policy_builder import Sample, by_microsoft, commercial, cross_signed, driver, unknown_issuer
from tests.support.si_policy_samples import PLAIN

SAMPLE = driver(cross_signed())
LEAF, ISSUING = SAMPLE.paths[0].signer[0].certificates[:2]
SHA256 = next(digest for digest in SAMPLE.evidence.digests.values() if len(digest) == 32)
TBS = hashlib.sha1(ISSUING.tbs_certificate_bytes).hexdigest()
WHQL_VALUE = "010A2B0601040182370A0305"
USAGES = (WHQL_VALUE, "01082B06010505070303")
"""Driver signing and code signing, as values of an EKU."""


def policy(files: str = "", signers: str = "", refer: str = "", *, scenario: str = "131", ekus: str = "") -> SiPolicy:
    return read_policy(
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


def case(sample: Sample = SAMPLE, **facts: Any) -> FileSubject:
    return FileSubject.of(sample.evidence, sample.paths, facts=FileFacts(**facts) if facts else None)


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
        ('<Deny ID="F" FileName="*" MaximumFileVersion="0.0.0.0" MinimumFileVersion="1.2.3.4"/>', NAMED, True),
        ('<Deny ID="F" FileName="*" MinimumFileVersion="1.2.3.4" MaximumFileVersion="1.2.3.4"/>', NAMED, True),
        ('<Deny ID="F" FileName="*" MinimumFileVersion="1.2.3.5" MaximumFileVersion="1.2.3.5"/>', NAMED, False),
        ('<Deny ID="F" FileName="*" MaximumFileVersion="65535.65535.65535.65535"/>', {"version": None}, True),
        ('<Deny ID="F" MaximumFileVersion="2.0.0.0"/>', NAMED, True),
        ('<Deny ID="F" FileName="*"/>', {}, True),
        ('<Deny ID="F" FileName="*"/>', {"strings": None}, True),
        ('<Deny ID="F" ProductName="x" FileName="vulnerable.sys"/>', NAMED, False),
        ('<FileRule ID="F" Type="Exclude" FileName="vulnerable.sys"/>', NAMED, True),
        ('<FileRule ID="F" Type="Match" FileName="vulnerable.sys"/>', NAMED, False),
        ('<Deny ID="F" FilePath="*"/>', NAMED, False),
        ('<Deny ID="F" FileName="vulnerable.sys" AppIDs="an app"/>', NAMED, None),
        ('<Deny ID="F" FileName="other.sys" AppIDs="an app"/>', NAMED, False),
        ('<Deny ID="F" PackageFamilyName="a package"/>', NAMED, None),
        (f'<Deny ID="F" Hash="{SHA256.hex()}" AppIDs="an app"/>', {}, None),
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
        ('<CertRoot Type="Wellknown" Value="0F"/>', False),
        ('<CertRoot Type="Wellknown" Value="00"/>', None),
        ('<CertRoot Type="Wellknown" Value="00"/><CertPublisher Value="Fabrikam"/>', False),
        ('<CertRoot Type="Wellknown" Value="14"/>', None),
        (f'<CertRoot Type="TBS" Value="{TBS}"/><CertEKU ID="E"/>', False),
        (f'<CertRoot Type="TBS" Value="{TBS}"/><CertEKU ID="E" Condition="Except"/>', True),
        (f'<CertRoot Type="TBS" Value="{TBS}"/><CertIssuer Value="Some CA"/>', None),
        (f'<CertRoot Type="TBS" Value="{"00" * 20}"/><CertIssuer Value="Some CA"/>', False),
        (f'<CertRoot Type="TBS" Value="{TBS}"/><ArtifactRuleRef RuleID="R"/>', None),
        ("", False),
    ],
    # The hash differs in every run, but parallel test runners need stable ids.
    ids=itertools.count(),
)
def test_signer_rules(inside: str, answer: bool | None) -> None:
    rules = signer_policy(inside, ekus=f'<EKU ID="E" Value="{WHQL_VALUE}"/>')
    assert rules.denies(case()) is answer


def test_an_eku_is_compared_with_the_signer_s() -> None:
    rules = signer_policy(
        '<CertRoot Type="Wellknown" Value="06"/><CertEKU ID="E"/>', ekus=f'<EKU ID="E" Value="{WHQL_VALUE}"/>'
    )
    assert rules.denies(case(driver(by_microsoft(EKU_WHQL)))) is True
    assert rules.denies(case(driver(by_microsoft()))) is False


def test_an_excepted_eku_and_a_sign_time_limit_are_undecided() -> None:
    usage = f'<EKU ID="E" Value="{WHQL_VALUE}"/>'
    inside = '<CertRoot Type="Wellknown" Value="06"/><CertEKU ID="E" Condition="Except"/>'
    assert signer_policy(inside, ekus=usage).denies(case(driver(by_microsoft(EKU_WHQL)))) is None
    assert signer_policy(inside, ekus=usage).denies(case(driver(by_microsoft()))) is True
    signer = (
        f'<Signer ID="S" Name="" SignTimeAfter="2024-01-02T03:04:05Z"><CertRoot Type="TBS" Value="{TBS}"/></Signer>'
    )
    refer = '<DeniedSigners><DeniedSigner SignerId="S"/></DeniedSigners>'
    assert policy("", signer, refer).denies(case()) is None
    assert policy("", signer, refer).denies(case(driver(commercial()))) is False


@pytest.mark.parametrize(
    ("versions", "denied", "allowed"),
    [
        ('MinimumFileVersion="1.2.3.4"', (None, True, None), (False, True, True)),
        ('MinimumFileVersion="65535.65535.65535.65535"', (None, None, None), (False, False, False)),
        ('MaximumFileVersion="1.2.3.4"', (True, True, False), (True, True, False)),
        ('MinimumFileVersion="1.2.3.4" MaximumFileVersion="65535.0.0.0"', (False, True, True), (False, True, True)),
        ("", (True, True, True), (True, True, True)),
    ],
    ids=itertools.count(),
)
def test_a_lone_minimum_of_a_file_attribute_decides_for_an_allowed_signer_only(
    versions: str, denied: tuple[bool | None, ...], allowed: tuple[bool | None, ...]
) -> None:
    files = f'<FileAttrib ID="A" FileName="vulnerable.sys" {versions}/>'
    inside = f'<CertRoot Type="TBS" Value="{TBS}"/><FileAttribRef RuleID="A"/>'
    cases = [case(strings=NAMED["strings"], version=(1, 2, 3, last)) for last in (3, 4, 5)]
    denying, allowing = (signer_policy(inside, denied=one, files=files) for one in (True, False))
    assert tuple(denying.denies(one) for one in cases) == denied
    assert tuple(allowing.allows(one.signatures[0]) for one in cases) == allowed


@pytest.mark.parametrize(
    ("exception", "denied", "allowed"),
    [("vulnerable.sys", False, False), ("other.sys", True, True), (None, None, None)],
    ids=["met", "not-met", "not-known"],
)
def test_an_exception_takes_a_file_out_of_a_signer_rule(
    exception: str | None, denied: bool | None, allowed: bool | None
) -> None:
    files = f'<Deny ID="D" FileName="{exception or "x.sys"}"/><Allow ID="A" FileName="{exception or "x.sys"}"/>'
    signer = f'<Signer ID="S" Name=""><CertRoot Type="TBS" Value="{TBS}"/></Signer>'
    found = case(**NAMED) if exception else case()
    (signed,) = found.signatures
    refer = (
        '<DeniedSigners><DeniedSigner SignerId="S"><ExceptAllowRule AllowRuleID="A"/></DeniedSigner></DeniedSigners>'
    )
    assert policy(files, signer, refer).denies(found) is denied
    refer = (
        '<AllowedSigners><AllowedSigner SignerId="S"><ExceptDenyRule DenyRuleID="D"/></AllowedSigner></AllowedSigners>'
    )
    assert policy(files, signer, refer).allows(signed) is allowed
    # An exception is not a rule: on its own it neither denies nor allows a file.
    assert policy(files, signer, refer).denies(found) is False


def test_references_with_and_without_an_exception_are_separate_rules() -> None:
    signer = f'<Signer ID="S" Name=""><CertRoot Type="TBS" Value="{TBS}"/></Signer>'
    excepted = '<DeniedSigner SignerId="S"><ExceptAllowRule AllowRuleID="A"/></DeniedSigner>'
    files = '<Allow ID="A" FileName="vulnerable.sys"/>'
    refer = f'<DeniedSigners>{excepted}<DeniedSigner SignerId="S"/></DeniedSigners>'
    assert policy(files, signer, refer).denies(case(**NAMED)) is True


@pytest.mark.parametrize(
    ("files", "inside", "exception"),
    [
        ("", '<FileAttribRef RuleID="A"/>', ""),
        ('<Deny ID="A" FileName="x.sys"/>', '<FileAttribRef RuleID="A"/>', ""),
        ("", "", '<ExceptAllowRule AllowRuleID="A"/>'),
        ('<Deny ID="A" FileName="x.sys"/>', "", '<ExceptAllowRule AllowRuleID="A"/>'),
    ],
    ids=itertools.count(),
)
def test_a_missing_attribute_or_exception_of_a_signer_is_refused(files: str, inside: str, exception: str) -> None:
    signer = f'<Signer ID="S" Name=""><CertRoot Type="TBS" Value="{TBS}"/>{inside}</Signer>'
    refer = f'<DeniedSigners><DeniedSigner SignerId="S">{exception}</DeniedSigner></DeniedSigners>'
    with pytest.raises(ConfigError, match="S refers to 'A', which is not a file rule of the required kind"):
        policy(files, signer, refer)


@pytest.mark.parametrize("root", ["08", "06"])
def test_a_list_matches_a_signer_with_release_and_test_roots(root: str) -> None:
    rules = signer_policy(f'<CertRoot Type="Wellknown" Value="{root}"/>')
    sign = {"08": cross_signed(), "06": by_microsoft(EKU_WHQL)}[root]
    assert rules.denies(case(driver(sign))) is True
    assert rules.denies(case(driver(sign.under_test_roots()))) is True


@pytest.mark.parametrize("value", ["xx", "", "0102", "010A2B06", WHQL_VALUE + "00"])
def test_an_unreadable_usage_matches_nothing(value: str) -> None:
    rules = signer_policy(
        '<CertRoot Type="Wellknown" Value="06"/><CertEKU ID="E"/>', ekus=f'<EKU ID="E" Value="{value}"/>'
    )
    assert rules.denies(case(driver(by_microsoft(EKU_WHQL)))) is False


def test_a_signer_rule_with_file_attributes_requires_both() -> None:
    attribute = '<FileAttrib ID="A" FileName="vulnerable.sys" MaximumFileVersion="2.0.0.0"/>'
    inside = f'<CertRoot Type="TBS" Value="{TBS}"/><FileAttribRef RuleID="A"/>'
    rules = signer_policy(inside, files=attribute)
    assert rules.denies(case(**NAMED)) is True
    assert rules.denies(case(strings={"OriginalFilename": "other.sys"}, version=(1, 0, 0, 0))) is False
    assert rules.denies(case()) is None
    # For a file of another signer the attributes don't matter.
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


@pytest.mark.parametrize(
    ("listed", "rule"),
    [
        (file_policy(f'<Deny ID="F" Hash="{SHA256.hex()}"/>'), f"'F' (hash {SHA256.hex().upper()})"),
        (file_policy('<Deny ID="F" FileName="vulnerable.sys"/>'), "'F' (OriginalFilename 'vulnerable.sys')"),
        (file_policy('<Deny ID="F" MaximumFileVersion="2.0.0.0"/>'), "'F' (version)"),
        (
            signer_policy(f'<CertRoot Type="TBS" Value="{TBS}"/><CertPublisher Value="Contoso Ltd."/>'),
            f"'S' (signer 'contoso ltd.', certificate {TBS.upper()})",
        ),
        (signer_policy('<CertRoot Type="Wellknown" Value="08"/>'), "'S' (well-known root 0x08)"),
        (
            signer_policy(
                '<CertRoot Type="Wellknown" Value="08"/><FileAttribRef RuleID="A"/><FileAttribRef RuleID="B"/>',
                files='<FileAttrib ID="A" FileName="other.sys"/><FileAttrib ID="B" FileName="vulnerable.sys"/>',
            ),
            "'S' (well-known root 0x08) with 'B' (OriginalFilename 'vulnerable.sys')",
        ),
        (file_policy('<Deny ID="F" FileName="other.sys"/>'), None),
        (signer_policy('<CertRoot Type="Wellknown" Value="06"/>'), None),
    ],
    ids=itertools.count(),
)
def test_the_rule_that_denies_is_named(listed: SiPolicy, rule: str | None) -> None:
    assert listed.denying_rule(case(**NAMED)) == rule
    assert listed.denies(case(**NAMED)) is (rule is not None)


def test_an_allowed_hash() -> None:
    (signed,) = case().signatures
    assert file_policy(f'<Allow ID="F" Hash="{SHA256.hex()}"/>').allows(signed) is True


def test_user_mode_rules_and_unreferenced_rules_do_not_count() -> None:
    rule = f'<Deny ID="F" Hash="{SHA256.hex()}"/>'
    assert file_policy(rule, scenario="12").denies(case()) is False
    assert policy(files=rule).denies(case()) is False
    assert policy(refer='<FileRulesRef><FileRuleRef RuleID="missing"/></FileRulesRef>').denies(case()) is False


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "not an App Control policy: invalid XML"),
        (b"\x00\x00\x00\x00binary\xff\xfe", "not an App Control policy"),
        (b"\x07\x00\x00\x00binary\xff\xfe", "the policy ends in the middle of the policy's type"),
        (b"<SiPolicy", "not an App Control policy: invalid XML"),
        (b"<html/>", "the document element is 'html'"),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><SiPolicy/>', "has a document type declaration"),
        (b"<!DOCTYPE SiPolicy><SiPolicy/>", "has a document type declaration"),
        ('<!DOCTYPE a [<!ENTITY b "c">]><SiPolicy/>'.encode("utf-16"), "has a document type declaration"),
    ],
)
def test_other_files_are_refused(data: bytes, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_policy(data)
    assert says in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize(
    "rule",
    [
        '<Deny ID="F" Hash="xyz"/>',
        '<Deny ID="F" MinimumFileVersion="1.2"/>',
        '<Deny ID="F" MinimumFileVersion="1.2.3.65536"/>',
        '<Deny ID="F" MinimumFileVersion="000001.2.3.4"/>',
        '<Deny ID="F" MinimumFileVersion="a.2.3.4"/>',
        '<Deny ID="F" FileName="x" MinimumFileVersion="2.0.0.0" MaximumFileVersion="1.0.0.0"/>',
    ],
)
def test_a_malformed_rule_is_reported_by_id(rule: str) -> None:
    with pytest.raises(ConfigError, match="'F' has a") as caught:
        policy(files=rule)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("rule", "shown"),
    [
        pytest.param(f'<Deny ID="F" Hash="{"x" * 60}"/>', "x" * 40, id="a hash"),
        pytest.param(f'<Deny ID="F" MinimumFileVersion="{"1" * 60}"/>', "1" * 40, id="a version"),
    ],
)
def test_40_characters_of_a_malformed_value_are_shown(rule: str, shown: str) -> None:
    with pytest.raises(ConfigError) as caught:
        policy(files=rule)
    assert caught.value.message.endswith(f": {shown!r}")


def nested(levels: int) -> bytes:
    """Return a policy with an element that has so many levels above and in it, after one without any."""
    inside = "<b/>" + "<a>" * (levels - 1) + "</a>" * (levels - 1)
    return f'<SiPolicy xmlns="urn:schemas-microsoft-com:sipolicy">{inside}</SiPolicy>'.encode()


def test_32_levels_of_elements_are_read() -> None:
    assert read_policy(nested(32)).version == "unknown"
    with pytest.raises(ConfigError, match="more than 32 levels"):
        read_policy(nested(33))


def test_elements_beside_each_other_are_no_levels() -> None:
    assert len(file_policy("".join(f'<Deny ID="{n}" Hash="{n:04}"/>' for n in range(40))).file_rules) == 0


@pytest.mark.parametrize("limit", [11, 10], ids=["as many elements as the limit", "one more"])
def test_the_elements_are_limited(limit: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(LIMITS, "policy-elements", limit)
    if limit == 11:
        assert file_policy('<Deny ID="F" Hash="00"/>').file_rules
    else:
        with pytest.raises(ConfigError, match="more than 10 elements"):
            file_policy('<Deny ID="F" Hash="00"/>')


def test_two_attributes_for_each_element_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(LIMITS, "policy-elements", 2)
    attributes = 'xmlns="urn:schemas-microsoft-com:sipolicy" a="" b="" c=""'
    assert read_policy(f"<SiPolicy {attributes}/>".encode()).version == "unknown"
    with pytest.raises(ConfigError, match="more than 4 attributes"):
        read_policy(f'<SiPolicy {attributes} d=""/>'.encode())


def test_elements_count_from_their_beginning(monkeypatch: pytest.MonkeyPatch) -> None:
    """The document ends before any element does."""
    monkeypatch.setitem(LIMITS, "policy-elements", 3)
    with pytest.raises(ConfigError, match="more than 3 elements"):
        read_policy(b"<SiPolicy><a><b><c>")


def test_invalid_xml_is_refused_at_its_line() -> None:
    with pytest.raises(ConfigError, match="invalid XML") as caught:
        read_policy(b"<SiPolicy>\n<a>\n  </b>\n</SiPolicy>")
    assert caught.value.line == 3


def test_a_policy_in_xml_is_unsigned() -> None:
    assert not policy().signed


SINGLE = ("03", "13", "15", "16")
"""The first and last of the well-known roots that have one key, as the policy writes them: 3 to 19, 21 and 22."""


@pytest.mark.parametrize(
    ("root", "answer"),
    [*((root, False) for root in SINGLE), *((root, None) for root in ("00", "02", "14", "17"))],
)
def test_a_well_known_root_of_one_key_is_another_than_the_chain_s(root: str, answer: bool | None) -> None:
    """Root 20 is a whole program, and 0 to 2 are no roots: a chain may belong to them."""
    assert signer_policy(f'<CertRoot Type="Wellknown" Value="{root}"/>').denies(case(driver(by_microsoft()))) is answer


@pytest.mark.parametrize(("root", "answer"), [("06", False), ("03", None)], ids=["known key", "unknown key"])
def test_a_chain_to_an_unknown_root_may_end_in_a_root_without_a_known_key(root: str, answer: bool | None) -> None:
    rules = signer_policy(f'<CertRoot Type="Wellknown" Value="{root}"/>')
    assert rules.denies(case(driver(unknown_issuer()))) is answer


def test_a_signature_without_a_signer_matches_no_signer_rule() -> None:
    sample = driver(cross_signed())
    unsigned = replace(sample.evidence.signatures[0], signer=None)
    subject = FileSubject.of(replace(sample.evidence, signatures=(unsigned,)), sample.paths)
    assert signer_policy(f'<CertRoot Type="TBS" Value="{TBS}"/>').denies(subject) is False


def test_a_signer_with_exactly_the_usages_of_a_rule_matches() -> None:
    """The usages of the rule are a subset of the signer's, and all of them are enough."""
    usages = "".join(f'<EKU ID="E{number}" Value="{value}"/>' for number, value in enumerate(USAGES))
    inside = "".join(f'<CertEKU ID="E{number}"/>' for number in range(len(USAGES)))
    root = '<CertRoot Type="Wellknown" Value="06"/>'
    assert signer_policy(root + inside, ekus=usages).denies(case(driver(by_microsoft(EKU_WHQL)))) is True


def test_rules_that_would_match_any_file_are_refused() -> None:
    for rule in ('<Deny ID="F"/>', '<Allow ID="F" FileName=""/>', '<FileAttrib ID="F" MinimumFileVersion="0.0.0.0"/>'):
        with pytest.raises(ConfigError, match="'F' has no hash, name or version and would match every file"):
            policy(files=rule)
    with pytest.raises(ConfigError, match="the scenario refers to 'F', which is not a file rule of the required kind"):
        file_policy('<FileAttrib ID="F" FileName="x"/>')
    inherits = PLAIN.replace('Value="131" ', 'Value="131" InheritedScenarios="U" ')
    with pytest.raises(ConfigError, match="inherits from another") as caught:
        read_policy(inherits.encode())
    assert caught.value.hint


def test_a_policy_is_described_by_name_version_and_guid() -> None:
    assert read_policy(PLAIN.encode()).label == (
        "'A list', version 10.0.1.65535, {A244370E-44C9-4C06-B551-F6016E563076}"
    )
    assert policy().label == "an App Control policy without a name, version 10.0.1.2"


def test_utf_16_and_byte_order_marks_are_read() -> None:
    text = '<SiPolicy xmlns="urn:schemas-microsoft-com:sipolicy"><VersionEx>1.2.3.4</VersionEx></SiPolicy>'
    assert read_policy(text.encode("utf-16")).version == "1.2.3.4"
    assert read_policy(text.encode("utf-8-sig")).version == "1.2.3.4"


def test_the_published_block_list(corpus: Path) -> None:
    path = corpus.parent / "policy-data" / "recommended_driver_blocklist_10.0.27770.0.xml"
    if not path.is_file():
        pytest.skip("Microsoft's block list is not beside the corpus")
    listed = read_policy(path.read_bytes())
    hashes = [rule for rule in listed.file_rules if rule.hash is not None]
    assert listed.version == "10.0.27770.0"
    assert (len(hashes), len(listed.file_rules) - len(hashes), len(listed.denied)) == (1690, 11, 202)
    assert all(rule.denies for rule in listed.file_rules)
    assert {len(rule.tbs) for rule in listed.denied if rule.tbs is not None} == {20, 32, 48}
    assert listed.allowed == ()
    assert EKU_CODE_SIGNING not in {usage for rule in listed.denied for usage in rule.usages}
