"""Binary App Control policies at their limits: lists of the smallest items, the largest numbers, offsets of errors."""

from __future__ import annotations

import pytest

from signer.asn1 import der, oids
from signer.errors import ConfigError
from signer.policy.si_policy.blocks import ALLOW, ATTRIBUTE, DENY, Shape, read_blocks, read_references, rule_reference
from signer.policy.si_policy.cursor import Cursor
from signer.policy.si_policy.layout import read_layout
from signer.policy.si_policy.policy import oid_of
from signer.policy.si_policy.read import read_policy
from tests.support.si_policy_encoder import encode, guid, many, octets, text, u32, version
from tests.support.si_policy_samples import PLAIN

MANY = 99
"""Enough items that one byte more for each would exceed what follows the list."""
ONE = Shape(usages=1, kinds=(ALLOW,), signers=1, scenarios=0)
NO_TEXT, NO_LIST = text(None), u32(0)
TIME = bytes(8)


def blocks(newest: int, content: bytes) -> bytes:
    """Encode the blocks of a policy with one rule and one signer; the newest has this content."""
    smallest = {
        3: version(None) + NO_LIST + TIME,
        4: 3 * NO_TEXT,
        5: NO_TEXT + version(None),
        6: guid(None) + guid(None) + NO_LIST,
        7: NO_TEXT,
        8: NO_LIST,
        9: NO_LIST,
        10: 2 * NO_LIST,
    }
    return b"".join(u32(block) + smallest[block] for block in range(3, newest)) + u32(newest) + content


SETTING = NO_TEXT + b"\0" + b"\1" + u32(0)
LISTS = {
    "application identifiers of a rule": (3, version(None) + many([NO_TEXT] * MANY) + TIME),
    "signers of supplemental policies": (6, guid(None) + guid(None) + many([u32(0)] * MANY)),
    "apps with settings": (8, many([NO_TEXT + NO_LIST] * MANY)),
    "settings of an app": (8, many([NO_TEXT + many([SETTING] * MANY)])),
    "texts of a setting": (8, many([NO_TEXT + many([NO_TEXT + b"\4" + many([NO_TEXT] * MANY) + u32(0)])])),
    "hot patches": (9, many([u32(0, 0) + bytes(8)] * MANY)),
    "artifact rules": (10, many([bytes(8) + NO_TEXT + NO_TEXT + bytes(16) + octets(b"")] * MANY) + NO_LIST),
    "signers of artifacts": (10, NO_LIST + many([u32(0) + NO_LIST] * MANY)),
    "signers with excluded usages": (11, many([u32(0) + NO_LIST] * MANY)),
}


@pytest.mark.parametrize(("newest", "content"), LISTS.values(), ids=LISTS)
def test_a_list_of_the_smallest_items_is_read_to_its_end(newest: int, content: bytes) -> None:
    cursor = Cursor(blocks(newest, content), 0)
    read_blocks(cursor, newest, ONE)
    cursor.end()


@pytest.mark.parametrize("exceptions", [0, MANY], ids=["without exceptions", "with exceptions"])
@pytest.mark.parametrize("denied", [False, True], ids=["allowed", "denied"])
def test_references_to_signers_are_read_to_their_end(exceptions: int, denied: bool) -> None:
    shape = Shape(usages=0, kinds=(ALLOW if denied else DENY,), signers=1, scenarios=0)
    references = many([u32(0) + many([u32(0)] * exceptions)] * MANY)
    cursor = Cursor(NO_LIST + references if denied else references + NO_LIST, 0)
    found = read_references(cursor, shape)
    cursor.end()
    assert (found.denied if denied else found.allowed) == ((0, (0,) * exceptions),) * MANY


RULE = NO_TEXT + version(None) + octets(b"")
SIGNER = u32(1, 5) + NO_LIST + 3 * NO_TEXT
SCENARIO = u32(12) + NO_LIST + u32(0)


def policy(
    *,
    usages: int = 0,
    kinds: tuple[int, ...] = (),
    signers: tuple[bytes, ...] = (),
    scenarios: tuple[bytes, ...] = (),
    settings: bytes = NO_LIST,
    form: int = 1,
) -> bytes:
    """Encode a policy in an early version of the form."""
    header = u32(form) + guid(None) + guid(None) + u32(0x80000000, usages, len(kinds), len(signers), len(scenarios))
    rules = b"".join(u32(kind) + RULE for kind in kinds)
    objects = octets(b"") * usages + rules + b"".join(signers) + 2 * NO_LIST + b"".join(scenarios)
    return header + version(None) + u32(64) + objects + u32(0) + settings + u32(form + 1)


NO_SIGNERS = 2 * NO_LIST
WHOLE = {
    "usages": policy(usages=MANY),
    "file rules": policy(kinds=(ALLOW,) * MANY),
    "signers": policy(signers=(SIGNER + NO_LIST,) * MANY),
    "scenarios": policy(scenarios=(SCENARIO + 3 * (NO_SIGNERS + NO_LIST),) * MANY),
    "settings": policy(settings=many([3 * NO_TEXT + u32(1, 0)] * MANY)),
    "file attributes of a signer": policy(kinds=(ATTRIBUTE,), signers=(SIGNER + many([u32(0)] * MANY),)),
    "file rules of a scenario": policy(
        kinds=(DENY,), scenarios=(SCENARIO + 2 * (NO_SIGNERS + NO_LIST) + NO_SIGNERS + many([u32(0)] * MANY),)
    ),
    "a scenario with the highest number": policy(scenarios=(u32(255) + NO_LIST + u32(0) + 9 * NO_LIST,)),
    "a well-known root with the highest number": policy(signers=(u32(1, 255) + NO_LIST + 3 * NO_TEXT + NO_LIST,)),
}


@pytest.mark.parametrize("data", WHOLE.values(), ids=WHOLE)
def test_a_policy_with_the_smallest_objects_is_read(data: bytes) -> None:
    read_layout(Cursor(data, 0))


REFUSED = {
    "a scenario above the highest number": (
        policy(scenarios=(u32(256) + NO_LIST + u32(0) + 9 * NO_LIST,)),
        "a scenario's value is 256; the maximum is 255",
        76,
    ),
    "a root above the highest number": (
        policy(signers=(u32(1, 256) + NO_LIST + 3 * NO_TEXT + NO_LIST,)),
        "a well-known root is 256; the maximum is 255",
        72,
    ),
    "version 0 of the form": (policy(form=0), "version 0 of the binary form is not supported", 0),
    "a kernel-mode scenario that inherits": (
        policy(scenarios=(u32(131) + many([u32(0)]) + u32(0) + 9 * NO_LIST,)),
        "the kernel-mode scenario inherits from another one",
        84,
    ),
}


@pytest.mark.parametrize(("data", "says", "offset"), REFUSED.values(), ids=REFUSED)
def test_a_policy_is_refused_at_the_number(data: bytes, says: str, offset: int) -> None:
    with pytest.raises(ConfigError, match=says) as caught:
        read_layout(Cursor(data, 0))
    assert caught.value.offset == offset


def refusal(read: object, data: bytes, start: int = 1000) -> tuple[str, int | None]:
    """Read data that begins at an offset of its file; return the message and the offset of the error."""
    assert callable(read)
    with pytest.raises(ConfigError) as caught:
        read(Cursor(data, start))
    return caught.value.message, caught.value.offset


def test_a_reference_to_a_rule_of_another_kind_is_refused_at_the_reference() -> None:
    message, offset = refusal(lambda cursor: rule_reference(cursor, ONE, DENY, ATTRIBUTE), u32(0))
    assert (message, offset) == ("file rule 0 has the wrong kind for this reference", 1000)


def test_a_version_without_a_package_is_refused_at_the_version() -> None:
    data = blocks(5, NO_TEXT + version("1.0.0.0"))
    _, offset = refusal(lambda cursor: read_blocks(cursor, 5, ONE), data)
    assert offset == 1000 + len(data) - 8


def test_an_unknown_kind_of_an_app_s_setting_is_refused_at_the_kind() -> None:
    data = blocks(8, many([NO_TEXT + many([NO_TEXT + b"\5" + bytes(8)])]))
    message, offset = refusal(lambda cursor: read_blocks(cursor, 8, ONE), data)
    assert (message, offset) == ("unknown kind 5 of an application setting", 1000 + len(data) - 9)


@pytest.mark.parametrize(
    ("units", "says", "offset"),
    [
        pytest.param("ab\0c".encode("utf-16-le"), "contains a NUL character", 1004, id="NUL: at the text"),
        pytest.param(b"a\0\0\xd8b\0", "is not UTF-16", 1006, id="half of a pair: at the pair"),
    ],
)
def test_a_text_is_refused_at_its_characters(units: bytes, says: str, offset: int) -> None:
    message, place = refusal(lambda cursor: cursor.text("a name"), octets(units) + u32(0))
    assert (message, place) == (f"a name {says}", offset)


def test_only_the_bytes_that_are_left_count_for_a_list() -> None:
    cursor = Cursor(bytes(40), 0)
    cursor.take(36, "a header")
    assert cursor.check_count(1, "items", 4) == 1
    with pytest.raises(ConfigError, match="the policy is too short for 2 items"):
        cursor.check_count(2, "items", 4)


def test_what_follows_the_policy_in_its_signature_is_not_read() -> None:
    """The signature is not verified: certificates that can't be read change nothing."""
    content = der.tlv(0xA0, der.tlv(der.OCTET_STRING, encode(PLAIN)))
    inner = der.sequence(der.oid(oids.SI_POLICY), content)
    data = der.sequence(der.tlv(der.INTEGER, b"\1"), der.tlv(der.SET), inner, b"\x30\x7f")
    whole = der.sequence(der.oid(oids.SIGNED_DATA), der.tlv(0xA0, data))
    assert read_policy(whole).file_rules == read_policy(encode(PLAIN)).file_rules


def test_signed_data_without_content_is_refused() -> None:
    data = der.sequence(der.tlv(der.INTEGER, b"\1"), der.tlv(der.SET))
    with pytest.raises(ConfigError, match="not SignedData with an App Control policy"):
        read_policy(der.sequence(der.oid(oids.SIGNED_DATA), der.tlv(0xA0, data)))


def test_the_shortest_usage_is_an_object_identifier_of_one_byte() -> None:
    assert oid_of(bytes.fromhex("01012a")) == "1.2"
    assert oid_of(bytes.fromhex("0100")) == "unreadable 0100"
