"""App Control policies that are written: their structure, their GUIDs, and hostile names in them."""

from __future__ import annotations

from uuid import UUID

import pytest

from signer.asn1.oids import EKU_WHQL
from signer.policy.si_policy.draft import (
    WINDOWS_SIGNERS,
    AllowedSigner,
    FileAttribute,
    HashRule,
    PolicyDraft,
    PolicyHead,
    write_policy,
)
from signer.policy.si_policy.read import read_policy
from tests.support.si_policy_schema import SPACE, broken, has_structure, require_policy, require_schema

SIGNER = AllowedSigner("Some <CA> & \"Co\" 'x'", b"\xcd" * 32, 'Contoso "Ltd." & <Söhne>', "Maker", (EKU_WHQL,))
OTHER = AllowedSigner("Some CA", b"\xab" * 20, "Fabrikam")
FILE = FileAttribute("FileName", "ümlaut & <a>.sys", (1, 2, 3, 4))
HASHES = (HashRule("a.sys Hash Sha1", b"\x01" * 20), HashRule("a.sys Hash Sha256", b"\x02" * 32))
BASE = UUID("784c4414-79f4-4c32-a6a5-f0fb42a51d0d")


def draft(*, signers: bool = True, hashes: bool = True) -> PolicyDraft:
    found = PolicyDraft()
    if signers:
        found.allow_signer(SIGNER, FILE)
        found.allow_signer(SIGNER, FileAttribute("InternalName", "b", (0, 0, 0, 0)))
        found.allow_signer(OTHER, FILE)
    if hashes:
        found.allow_hashes(HASHES)
    return found


HEAD = PolicyHead("Kept & <kept>", "1.2.3.4")


def text(one: PolicyDraft, head: PolicyHead = HEAD) -> str:
    return "".join(write_policy(one, head))


POLICIES = {
    "a base policy": text(draft()),
    "a supplemental policy": text(draft(), PolicyHead("Kept", "1.2.3.4", BASE)),
    "signers alone": text(draft(hashes=False), PolicyHead("Kept", "1.2.3.4", BASE)),
    "hashes alone": text(draft(signers=False), PolicyHead("Kept", "1.2.3.4", BASE)),
    "nothing": text(PolicyDraft(), PolicyHead("Kept", "1.2.3.4", BASE)),
    "Windows alone": text(PolicyDraft()),
}


@pytest.mark.parametrize("name", POLICIES)
def test_a_policy_has_the_structure_of_the_schema(name: str) -> None:
    require_policy(POLICIES[name])


@pytest.mark.parametrize("name", POLICIES)
def test_a_policy_that_differs_in_one_place_does_not_have_the_structure(name: str) -> None:
    found = list(broken(POLICIES[name]))
    assert len(found) > 50
    assert [change for change, other in found if has_structure(other)] == []


@pytest.mark.parametrize("name", POLICIES)
def test_a_policy_fits_the_schema_of_microsoft(name: str) -> None:
    require_schema(POLICIES[name])


def test_the_schema_of_microsoft_refuses_what_the_statement_refuses() -> None:
    for _, other in broken(POLICIES["a base policy"]):
        require_schema(other, fits=False)


def test_the_reader_finds_what_was_written() -> None:
    found = read_policy(POLICIES["a supplemental policy"].encode())
    first, second = found.allowed
    assert (first.tbs, first.publisher, first.oem, first.usages) == (
        SIGNER.root,
        'contoso "ltd." & <söhne>',
        "maker",
        frozenset({EKU_WHQL}),
    )
    assert [(dict(one.names), one.lowest) for one in first.attributes] == [
        ({"OriginalFilename": "ümlaut & <a>.sys"}, (1, 2, 3, 4)),
        ({"InternalName": "b"}, (0, 0, 0, 0)),
    ]
    assert (second.tbs, second.publisher, len(second.attributes)) == (OTHER.root, "fabrikam", 1)
    assert [one.hash for one in found.file_rules] == [one.digest for one in HASHES]
    assert (found.version, found.title, found.denied) == ("1.2.3.4", "Kept", ())


def test_a_base_policy_allows_windows_and_is_in_audit_mode() -> None:
    root = require_policy(POLICIES["a base policy"])
    assert root.get("PolicyType") == "Base Policy"
    assert root.findtext(f"{SPACE}PolicyID") == root.findtext(f"{SPACE}BasePolicyID")
    options = [one.text for one in root.iter(f"{SPACE}Option")]
    assert "Enabled:Audit Mode" in options and "Enabled:Allow Supplemental Policies" in options
    allowed = read_policy(POLICIES["a base policy"].encode()).allowed
    assert [one.root_id for one in allowed[: len(WINDOWS_SIGNERS)]] == [6, 6, 6, 6, 5, 4]
    assert all(len(one.usages) == 1 and not one.attributes for one in allowed[: len(WINDOWS_SIGNERS)])


def test_a_supplemental_policy_has_only_its_own_rules() -> None:
    root = require_policy(POLICIES["a supplemental policy"])
    assert root.get("PolicyType") == "Supplemental Policy"
    assert root.findtext(f"{SPACE}BasePolicyID") == f"{{{str(BASE).upper()}}}"
    assert root.findtext(f"{SPACE}PolicyID") != root.findtext(f"{SPACE}BasePolicyID")
    assert "Enabled:Audit Mode" not in [one.text for one in root.iter(f"{SPACE}Option")]
    assert len(read_policy(POLICIES["a supplemental policy"].encode()).allowed) == 2


def test_the_guid_depends_only_on_the_base_unless_one_is_given() -> None:
    same, other = PolicyHead("a", "1.0.0.0", BASE).own_id, PolicyHead("b", "2.0.0.0", BASE).own_id
    assert same == other
    assert len({same, PolicyHead("a", "1.0.0.0").own_id, PolicyHead("a", "1.0.0.0", UUID(int=7)).own_id}) == 3
    assert PolicyHead("a", "1.0.0.0", BASE, UUID(int=9)).own_id == UUID(int=9)


def test_of_several_versions_of_a_file_the_lowest_is_allowed() -> None:
    one = PolicyDraft()
    for version in ((2, 0, 0, 0), (1, 9, 0, 0), (3, 0, 0, 0)):
        one.allow_signer(OTHER, FileAttribute("FileName", "A.SYS" if version[0] == 2 else "a.sys", version))
    one.allow_signer(SIGNER, FileAttribute("FileName", "a.sys", (5, 0, 0, 0)))
    found = read_policy(text(one, PolicyHead("a", "1.0.0.0", BASE)).encode()).allowed
    assert [[attribute.lowest for attribute in rule.attributes] for rule in found] == [[(1, 9, 0, 0)], [(5, 0, 0, 0)]]


def test_a_hash_is_written_once() -> None:
    one = draft(signers=False)
    one.allow_hashes([HashRule("copy.sys Hash Sha1", HASHES[0].digest)])
    assert text(one) == text(draft(signers=False))


def test_usages_and_files_are_numbered_from_1() -> None:
    found = text(draft(), PolicyHead("Kept", "1.2.3.4", BASE))
    for kind in ("EKU", "FILEATTRIB", "SIGNER", "ALLOW"):
        assert f'<{"FileAttrib" if kind == "FILEATTRIB" else kind.title()} ID="ID_{kind}_A_1"'.lower() in found.lower()
        assert f"ID_{kind}_A_0" not in found
