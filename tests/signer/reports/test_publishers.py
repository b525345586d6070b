"""The publishers of a verification: who signed its files, and who submitted those that Microsoft's portal signed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from catalogs.verification.assessment import Assessment
from signer.asn1.oids import EKU_WHQL, EKU_WHQL_ATTESTED
from signer.policy.judge import judge
from signer.policy.machine_state import MachineState
from signer.policy.targets import Target
from signer.reports.formats import render
from signer.reports.sink import PlainSink
from signer.reports.verdict_json import document
from tests.support.policy_builder import Sign, by_microsoft, commercial, day, driver

PORTAL = "Microsoft Windows Hardware Compatibility Publisher"


def of_portal(company: str | None, *usages: str) -> Sign:
    return by_microsoft(*usages or (EKU_WHQL,)).having(program_name=company)


def assessed(path: str, *signs: Sign) -> Assessment:
    sample = driver(*signs, name=path)
    return Assessment(Path(path), "image", sample.evidence, sample.paths)


FILES = (
    assessed("one.sys", of_portal("Contoso"), commercial().having(program_name="Fabrikam Driver")),
    assessed("two.sys", of_portal("Contoso", EKU_WHQL_ATTESTED).in_catalog(), of_portal("Contoso")),
    assessed("three.sys", of_portal(None)),
    assessed("unsigned.sys"),
)


def publishers(*files: Assessment) -> list[dict[str, Any]]:
    written: list[str] = []
    render("json", files, PlainSink(written.append))
    found = json.loads("".join(written))
    assert list(found) == ["schema", "accepted", "decided", "publishers", "files"]
    assert document(files)["publishers"] == found["publishers"]
    publishers: list[dict[str, Any]] = found["publishers"]
    return publishers


def test_each_publisher_is_listed_once_with_its_files() -> None:
    """A publisher's own program name is not a submitter."""
    assert publishers(*FILES) == [
        {"name": PORTAL, "submitter": "Contoso", "files": ["one.sys", "two.sys"]},
        {"name": "Contoso Ltd.", "submitter": None, "files": ["one.sys"]},
        {"name": PORTAL, "submitter": None, "files": ["three.sys"]},
    ]


def test_without_signatures_there_is_no_publisher() -> None:
    assert publishers(FILES[-1]) == []


def test_the_verdict_names_the_submitter_beside_microsofts_certificate() -> None:
    sample = driver(of_portal("Contoso"))
    machine = MachineState(at=day("2026-11-24"))
    verdict = judge("kernel", sample.evidence, sample.paths, Target.parse("win11-26h2-x64"), machine)
    assert verdict.reason is not None
    assert f"{PORTAL!r} (submitted by 'Contoso', embedded signature)" in verdict.reason.message
