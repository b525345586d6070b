"""App Control policies in binary form: the same rules as from XML; other data is refused with a message and offset."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from signer.asn1 import der, oids
from signer.errors import ConfigError
from signer.limits import LIMITS
from signer.pe.file_facts import FileFacts
from signer.policy.si_policy.policy import SiPolicy
from signer.policy.si_policy.read import read_policy
from signer.policy.si_policy.rules import FileRule, SignerRule
from signer.policy.subjects import FileSubject
from tests.support.policy_builder import cross_signed, driver
from tests.support.si_policy_encoder import NEWEST, encode, octets, signed, text, u32
from tests.support.si_policy_samples import LATER, PLAIN, policies


def nameless(policy: SiPolicy) -> SiPolicy:
    """Return the policy without the names and labels, which the binary form does not contain."""

    def rule(one: FileRule) -> FileRule:
        return replace(one, id="", page=None)

    def signer(one: SignerRule) -> SignerRule:
        parts = {name: tuple(map(rule, getattr(one, name))) for name in ("attributes", "exceptions")}
        return replace(one, id="", name="", **parts)

    rules = tuple(map(rule, policy.file_rules))
    return replace(
        policy, file_rules=rules, allowed=tuple(map(signer, policy.allowed)), denied=tuple(map(signer, policy.denied))
    )


def both(xml: str, form: int = NEWEST) -> tuple[SiPolicy, SiPolicy]:
    return nameless(read_policy(xml.encode())), nameless(read_policy(encode(xml, form)))


@pytest.mark.parametrize("form", range(1, NEWEST + 1))
def test_every_version_of_the_form_gives_the_rules_of_the_xml(form: int) -> None:
    from_xml, from_binary = both(PLAIN, form)
    assert from_binary == from_xml
    assert (len(from_xml.file_rules), len(from_xml.allowed), len(from_xml.denied)) == (3, 2, 1)
    assert from_xml.title == "A list"


def test_conditions_of_later_versions_are_read_from_both_forms() -> None:
    from_xml, from_binary = both(LATER)
    assert from_binary == from_xml
    assert {name for rule in from_xml.file_rules for name in rule.conditions} == {
        "FilePath",
        "PackageFamilyName",
        "AppIDs",
        "RequireHotpatchID",
    }
    assert {name for rule in from_xml.denied for name in rule.conditions} == {"SignTimeAfter", "ArtifactRuleRef"}


@settings(max_examples=150)
@given(policies(), st.integers(7, NEWEST))
def test_any_policy_is_the_same_in_both_forms(xml: str, form: int) -> None:
    from_xml, from_binary = both(xml, form)
    assert from_binary == from_xml


@pytest.mark.parametrize("wrapped", [True, False], ids=["octet-string", "as-it-is"])
def test_a_signed_policy_is_extracted_from_its_signature(wrapped: bool) -> None:
    policy = read_policy(signed(encode(LATER), wrapped=wrapped))
    assert policy.signed
    assert nameless(policy) == both(LATER)[0]
    assert not read_policy(encode(LATER)).signed


def test_a_policy_that_begins_like_an_octet_string_is_not_unwrapped() -> None:
    plain = encode(PLAIN, der.OCTET_STRING)
    assert read_policy(signed(plain, wrapped=False)) == read_policy(plain) == read_policy(signed(plain))


OTHER = der.sequence(der.oid(oids.DATA), der.tlv(0xA0, der.tlv(der.OCTET_STRING, b"x")))


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"0", "the DER is truncated in the middle"),
        (der.sequence(), "the DER is truncated in the middle"),
        (der.sequence(b"\2\1\0"), "expected a content type"),
        (OTHER, "not an App Control policy but data"),
        (signed(b"")[:-1], "a DER length exceeds the enclosing element"),
        (signed(b"") + b"\0", "not SignedData with an App Control policy"),
        (signed(b""), "the policy ends in the middle of the version"),
        (signed(b"", wrapped=False), "the content is empty, or other data follows it"),
        (signed(b"\1\0\0\0"), "the policy ends in the middle of the policy's type"),
        (der.sequence(der.oid(oids.SIGNED_DATA), der.tlv(0xA0, der.sequence())), "not SignedData with"),
        (
            der.sequence(der.oid(oids.SIGNED_DATA), der.tlv(0xA0, der.sequence(b"\2\1\1", b"\x31\0", OTHER))),
            "not an App Control policy but data",
        ),
    ],
    ids=range(11),
)
def test_signed_data_without_a_policy_is_refused(data: bytes, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_policy(data)
    assert says in caught.value.message
    assert caught.value.hint
    assert caught.value.offset is not None


WHOLE = encode(LATER)


def test_a_policy_that_is_cut_short_anywhere_is_refused_with_an_offset() -> None:
    for size in range(4, len(WHOLE)):
        with pytest.raises(ConfigError) as caught:
            read_policy(WHOLE[:size])
        assert caught.value.offset is not None and caught.value.offset <= size


def test_a_signed_policy_that_is_cut_short_anywhere_is_refused() -> None:
    whole = signed(encode(PLAIN))
    for size in range(1, len(whole), 7):
        with pytest.raises(ConfigError):
            read_policy(whole[:size])


@settings(max_examples=300)
@given(st.lists(st.tuples(st.integers(0, len(WHOLE) - 1), st.integers(0, 255)), min_size=1, max_size=4), st.booleans())
@example([(0, 0x30)], False)
@example([(0, 0)], True)
def test_a_changed_policy_is_read_or_refused(changes: list[tuple[int, int]], in_signature: bool) -> None:
    data = bytearray(signed(WHOLE) if in_signature else WHOLE)
    for place, value in changes:
        data[place] = value
    try:
        read_policy(bytes(data))
    except ConfigError as refused:
        assert refused.hint or "'" in refused.message


def test_each_byte_changed_is_read_or_refused() -> None:
    for place in range(4, len(WHOLE)):
        data = bytearray(WHOLE)
        data[place] ^= 0xFF
        try:
            read_policy(bytes(data))
        except ConfigError as refused:
            assert refused.offset is not None


def changed(offset: int, *values: int) -> bytes:
    """Encode the plain policy in the newest version and change numbers at an offset."""
    data = bytearray(encode(PLAIN))
    data[offset : offset + 4 * len(values)] = u32(*values)
    return bytes(data)


def _after(data: bytes, *parts: bytes) -> int:
    """Return the offset after these parts."""
    at = 0
    for part in parts:
        at = data.index(part, at) + len(part)
    return at


FIRST_RULE = _after(encode(PLAIN), octets(b"\1"))
SIGNER = _after(encode(PLAIN), text("a.sys")) + 8 + 4
SETTING = _after(encode(PLAIN), text("P"), text("K"), text("V"))


@pytest.mark.parametrize(
    ("data", "says", "offset"),
    [
        (changed(0, 12), "version 12 of the binary form is not supported; the newest is 11", 0),
        (changed(36, 0x7FFFFFFF), "the options lack bit 31, which every policy sets", 36),
        (changed(40, 0xFFFFFFFF), "the policy is too short for 4294967295 usages", 68),
        (changed(44, 0xFFFFFFFF), "the policy is too short for 4294967295 file rules", FIRST_RULE),
        (changed(48, 0xFFFFFFFF), "the policy is too short for 4294967295 signers", SIGNER),
        (changed(52, 0xFFFFFFFF), "the policy is too short for 4294967295 scenarios", SIGNER),
        (changed(64, 68), "the length of the header is not 64", 64),
        (changed(FIRST_RULE, 3), "a file rule's kind is 3; the maximum is 2", FIRST_RULE),
        (changed(FIRST_RULE + 8, 1), "a file name is not followed by zero", FIRST_RULE + 8),
        (changed(SIGNER, 2), "the kind of a signer's root is 2; the maximum is 1", SIGNER),
        (
            changed(SIGNER + 4 + 36 + 4, 2),
            "a reference to a usage has the index 2, but the policy has only 2",
            SIGNER + 44,
        ),
        (changed(SETTING, 4), "a setting's kind is 4; the maximum is 3", SETTING),
        (encode(PLAIN) + b"\0", "the end of the policy is followed by 1 byte", len(encode(PLAIN))),
        (encode(PLAIN, 5)[:-4] + u32(7), "expected the number of block 6, found 7", len(encode(PLAIN, 5)) - 4),
    ],
    ids=range(14),
)
def test_unsupported_data_is_refused_with_message_and_offset(data: bytes, says: str, offset: int) -> None:
    with pytest.raises(ConfigError) as caught:
        read_policy(data)
    assert says in caught.value.message
    assert caught.value.offset == offset
    assert caught.value.hint


@pytest.mark.parametrize(
    ("facts", "answer"),
    [
        ({}, None),
        ({"digests": {"sha256": bytes(32)}}, None),
        ({"digests": {"sha256": bytes(32)}, "first_page": {"sha1": bytes(20)}}, None),
        ({"digests": {"sha256": bytes(32)}, "first_page": {"sha256": bytes(32)}}, False),
        ({"first_page": {"sha256": b"\xcd" * 32}}, True),
        ({"digests": {"sha256": b"\xcd" * 32}}, True),
    ],
    ids=range(6),
)
def test_a_hash_without_a_label_may_be_that_of_the_first_page(facts: dict[str, Any], answer: bool | None) -> None:
    xml = PLAIN.replace('<Allow ID="A2"', '<Deny ID="D9" Hash="' + "cd" * 32 + '"/><Allow ID="A2"')
    xml = re.sub(r"<FileRulesRef>.*?</FileRulesRef>", '<FileRulesRef><FileRuleRef RuleID="D9"/></FileRulesRef>', xml)
    listed = replace(read_policy(encode(xml)), denied=())
    sample = driver(cross_signed())
    assert listed.denies(FileSubject.of(sample.evidence, sample.paths, facts=FileFacts(**facts))) is answer


RULE = '<{} ID="x" FileName="y.sys" {}/>'


def with_rule(kind: str, versions: str, more: str = "") -> str:
    return PLAIN.replace("</FileRules>", RULE.format(kind, versions) + "</FileRules>").replace(
        "</Signers>", more + "</Signers>"
    )


@pytest.mark.parametrize(
    ("xml", "says"),
    [
        (with_rule("Deny", 'MinimumFileVersion="0.0.0.0"'), "'file rule 8' denies versions up to 0.0.0.0"),
        (
            with_rule("Allow", 'MinimumFileVersion="2.0.0.0" MaximumFileVersion="1.0.0.0"'),
            "'file rule 8' has a minimum version above its maximum",
        ),
        (
            PLAIN.replace('<Allow ID="A1" FileName="*"/>', '<Allow ID="A1"/>'),
            "has no hash, name or version and would match every file",
        ),
        (PLAIN.replace('Value="131" ', 'Value="131" InheritedScenarios="U" '), "inherits from another"),
        (PLAIN.replace('DenyRuleID="D2"', 'DenyRuleID="A1"'), "file rule 3 has the wrong kind for this reference"),
        (
            PLAIN.replace('<FileAttribRef RuleID="F1"/>', '<FileAttribRef RuleID="A1"/>'),
            "has the wrong kind for this reference",
        ),
        (
            PLAIN.replace('<FileRuleRef RuleID="D1"/>', '<FileRuleRef RuleID="F1"/>'),
            "has the wrong kind for this reference",
        ),
    ],
    ids=range(7),
)
def test_ambiguous_rules_are_refused(xml: str, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_policy(encode(xml))
    assert says in caught.value.message
    assert caught.value.offset is not None


def test_a_malformed_string_is_refused() -> None:
    name = text("a.sys")
    for wrong, says in (
        (name.replace(b".\0", b"\0\0"), "contains a NUL character"),
        (name.replace(b".\0", b"\0\xd8"), "is not UTF-16"),
        (name[:14] + b"\1" + name[15:], "the padding after a file name is not zero"),
    ):
        with pytest.raises(ConfigError, match=says):
            read_policy(encode(PLAIN).replace(name, wrong))


def test_a_file_that_is_too_large_is_refused_unread() -> None:
    with pytest.raises(ConfigError, match="has 4,194,308 bytes; the limit is 4,194,304"):
        read_policy(b"\1\0\0\0" + bytes(4 << 20))


def test_a_file_of_the_largest_size_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    data = encode(PLAIN)
    monkeypatch.setitem(LIMITS, "policy-size", len(data))
    assert read_policy(data).file_rules
