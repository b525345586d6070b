"""The tables of explain agree with each other, with the policies and with docs/troubleshooting.md."""

from __future__ import annotations

from typing import get_args

import pytest

from signer.codeintegrity.app_control import app_control_policies
from signer.codeintegrity.event_tables import schemas
from signer.explain.causes import _CONDITIONS, _WORDS, Cause, Gate, causes
from signer.explain.codes import code_of
from signer.explain.exports import exports, settling
from signer.explain.symptoms import OTHER_POLICY
from signer.policy.judge import POLICY_NAMES, policy
from signer.policy.package import RULES as PACKAGE_RULES
from signer.policy.tables import rows
from signer.policy.targets import release, release_names
from signer.reports.explanation_text import GATES
from tests.support.troubleshooting_page import PAGE, page

RULES = {rule.name for name in POLICY_NAMES for rule in policy(name).rules()} | {rule.name for rule in PACKAGE_RULES}
FINDINGS = {"driver-policy-evaluation", "catalog-unsigned", "primary"}


def test_the_page_is_made_from_the_tables() -> None:
    assert PAGE.read_text(encoding="utf-8") == page().rstrip("\n") + "\n"


def test_keys_are_unique_and_every_gate_has_a_cause() -> None:
    assert len({cause.key for cause in causes()}) == len(causes())
    assert {cause.gate for cause in causes()} == set(get_args(Gate)) == set(GATES)


@pytest.mark.parametrize("cause", causes(), ids=lambda cause: cause.key)
def test_a_cause_names_only_what_exists(cause: Cause) -> None:
    assert set(cause.rules) <= RULES | FINDINGS
    assert set(cause.settle) <= {export.key for export in exports()}
    assert set(cause.next) == {"user", "administrator", "developer"}
    assert cause.source and cause.title and cause.sentence.endswith(".") and cause.signs
    assert all(text.endswith(".") or ": drvsign " in text or ": " in text for text in cause.next.values())
    for sign in cause.signs:
        conditions = sign.conditions
        assert conditions.keys() <= _CONDITIONS.keys() == _WORDS.keys()
        assert sign.confidence in ("certain", "likely", "possible")
        for code in (*conditions.get("codes", ()), *conditions.get("with_codes", ())):
            assert code_of(code)
        assert set(conditions.get("events", ())) <= {schema.id for schema in schemas()}
        assert set(conditions.get("policies", ())) <= {one.key for one in app_control_policies()} | {OTHER_POLICY}
        assert set(conditions.get("releases", ())) <= set(release_names())


def test_every_rule_of_the_kernel_policy_that_rejects_has_a_cause() -> None:
    explained = {rule for cause in causes() for rule in cause.rules}
    never_reject = {"machine-state", "remarks", "signatures-not-enforced"}
    missing = {rule.name for rule in policy("kernel").rules()} - explained - never_reject
    assert not missing, "add them to the rules of a cause in signer/explain/data/causes.toml"


def test_phrases_mean_codes_or_signs_of_a_cause() -> None:
    signs = {one for cause in causes() for sign in cause.signs for one in sign.conditions.get("signs", ())}
    for row in rows("phrases.tsv", "signer.explain.data"):
        assert row["source"] and row["phrase"] == row["phrase"].lower()
        if row["means"] not in signs:
            assert code_of(row["means"])


@pytest.mark.parametrize("name", release_names())
def test_every_release_has_a_command_that_exports_events(name: str) -> None:
    assert settling(["events"], release(name).build) is not None
