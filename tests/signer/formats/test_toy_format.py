"""A format of its own, made of one adapter and one row of the table: the library signs, verifies, judges and strips it.

Nothing else is edited for it: signer.policy and signer.codeintegrity ask for the traits of its row.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from catalogs.catalog import members
from catalogs.verification.files import verify_file
from catalogs.verification.query import VerifyQuery
from signer.algorithms import DigestAlgorithm
from signer.asn1.oids import EKU_WHQL
from signer.errors import SigningError
from signer.formats import table
from signer.formats.table import Traits
from signer.operations import external_signing, signatures
from signer.operations.digest import hashes
from signer.operations.sign import sign_file
from signer.pe.protection import Fault
from signer.pkcs7.signed_data import SigningOptions
from signer.policy.machine_state import MachineState
from signer.policy.trust import Trust
from signer.verify.gather import gather
from tests.support.files import patched
from tests.support.identities import identity
from tests.support.loads import NOW, Everything, follow
from tests.support.policy_builder import by_microsoft, driver, unknown_issuer
from tests.support.toy_format import FACTS, PLAIN, ROW


@pytest.fixture(autouse=True)
def toys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "TABLE", (ROW, *table.TABLE))
    members._kind.cache_clear()


def test_the_library_signs_appends_verifies_and_strips_it() -> None:
    once = patched(PLAIN, sign_file(PLAIN, identity(), SigningOptions()).changes)
    twice = patched(once, sign_file(once, identity(), SigningOptions(), append=True).changes)
    found = gather(twice, "toy", "a.toy").signatures
    assert [(one.intact, one.source) for one in found] == [(True, "embedded"), (True, "nested")]
    changes = signatures.without_signatures(twice)
    assert changes is not None
    assert patched(twice, changes) == PLAIN


def test_a_changed_toy_is_found_out() -> None:
    signed = patched(PLAIN, sign_file(PLAIN, identity(), SigningOptions()).changes)
    (signature,) = gather(signed.replace(b"bytes", b"BYTES"), "toy", "a.toy").signatures
    assert [(one.code, one.message) for one in signature.problems] == [
        ("digest-mismatch", "the toy's digest differs from the one that was signed")
    ]


def test_what_it_can_t_have_is_refused_by_its_name() -> None:
    with pytest.raises(SigningError, match="only images can have page hashes") as caught:
        sign_file(PLAIN, identity(), SigningOptions(), page_hashes=True)
    assert caught.value.hint == "Sign toys without --page-hashes."


def test_a_signature_of_another_toy_is_refused() -> None:
    signed = sign_file(PLAIN, identity(), SigningOptions())
    with pytest.raises(SigningError, match="the signature is for a different toy"):
        signatures.attach(PLAIN + b"!", signed.signature)


def test_its_digest_is_the_one_that_signing_and_requests_hold() -> None:
    sha256 = DigestAlgorithm.SHA256
    _, requested = external_signing.request_for(PLAIN, SigningOptions())
    signed = sign_file(PLAIN, identity(), SigningOptions())
    assert hashes(PLAIN, [sha256]).digests[sha256] == requested == signed.digest


def test_a_catalog_lists_it_by_its_own_digest_and_type() -> None:
    from catalogs.catalog.members import hash_file, interpret, subjects

    signed = patched(PLAIN, sign_file(PLAIN, identity(), SigningOptions()).changes)
    plain, again = hash_file(memoryview(PLAIN)), hash_file(memoryview(signed))
    assert plain == again
    assert {interpret(one, version).kind for version in (1, 2) for one in subjects(plain, [], version)} == {"toy"}


CODE, LIST, NEITHER = Traits(loaded_as_code=True), Traits(lists_files=True), Traits()
WRITABLE = (Fault("hvci-writable-code", "section 'x' is writable and executable"),)

VERDICTS: dict[str, tuple[Traits, str, dict[str, Any], str, str, list[int]]] = {
    "code-loads-under-a-debugger": (CODE, "kernel", {"debugger": True}, "accepted", "debugger", [3005]),
    "a-list-never-loads": (LIST, "kernel", {"debugger": True}, "rejected", "root", [3010]),
    "other-files-never-load": (NEITHER, "kernel", {"debugger": True}, "rejected", "root", [3004, 3089, 5038]),
    "code-on-the-block-list": (CODE, "kernel", {"block_list": Everything()}, "rejected", "block-list", [3077, 3089]),
    "no-code-on-the-block-list": (NEITHER, "kernel", {"block_list": Everything()}, "accepted", "root", []),
    "code-with-memory-integrity": (CODE, "kernel", {"hvci": True}, "rejected", "hvci", [3073, 3111]),
    "no-code-with-memory-integrity": (NEITHER, "kernel", {"hvci": True}, "accepted", "root", []),
    "a-list-needs-no-catalog": (LIST, "pnp", {}, "accepted", "publisher", []),
    "code-needs-a-catalog": (CODE, "pnp", {}, "rejected", "catalogued", []),
}


@pytest.mark.parametrize(("traits", "policy", "machine", "outcome", "rule", "events"), VERDICTS.values(), ids=VERDICTS)
def test_it_is_judged_by_the_traits_of_its_row(
    monkeypatch: pytest.MonkeyPatch,
    traits: Traits,
    policy: str,
    machine: dict[str, Any],
    outcome: str,
    rule: str,
    events: list[int],
) -> None:
    monkeypatch.setattr(table, "TABLE", (replace(ROW, traits=traits), *table.TABLE[1:]))
    sign = unknown_issuer() if "debugger" in machine else by_microsoft(EKU_WHQL)
    sample = driver(sign, kind="toy", name="a.toy", protection=WRITABLE)
    found = follow(sample, "win11-24h2-x64", policy, **machine)
    assert (found.verdict.outcome, found.verdict.rule, found.row["events"]) == (outcome, rule, events)


def test_code_of_another_architecture_is_named_by_its_format() -> None:
    verdict = follow(driver(kind="toy", name="a.toy", architecture="arm64"), "win11-24h2-x64").verdict
    assert (verdict.rule, verdict.findings[0].message.split(";")[0]) == ("architecture", "'a.toy' is built for arm64")


@pytest.mark.parametrize(("traits", "facts"), [(CODE, FACTS), (NEITHER, None)], ids=["code", "no-code"])
def test_driver_lists_match_the_facts_that_its_adapter_reads(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, traits: Traits, facts: object
) -> None:
    asked: list[object] = []

    class Listening(Everything):
        def denies(self, case: Any) -> bool:
            asked.append(case.facts)
            return True

    monkeypatch.setattr(table, "TABLE", (replace(ROW, traits=traits), *table.TABLE[1:]))
    (tmp_path / "a.toy").write_bytes(PLAIN)
    machine: Any = {"block_list": Listening()}
    verify_file(tmp_path / "a.toy", VerifyQuery("kernel", Trust.release(), MachineState(at=NOW, **machine)))
    assert set(map(id, asked)) == ({id(facts)} if facts else set())
