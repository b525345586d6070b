"""A whole package: the INF names its catalog, which exists, is for the release and lists every file."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from signer.asn1.oids import EKU_WHQL
from signer.policy.findings import Classification, Outcome
from signer.policy.inf_faults import FaultRule, InfFault
from signer.policy.judge import judge
from signer.policy.machine_state import MachineState
from signer.policy.package import Member, Package, judge_package
from signer.policy.pnp import signer_score
from signer.policy.targets import Target
from tests.signer.policy.documents import is_unsettled
from tests.signer.policy.package_cases import GOOD, PACKAGES, UNSIGNED, PackageCase, member, package
from tests.support.policy_builder import by_microsoft, commercial, unknown_issuer

X64_1903 = "win10-1903-x64"
SWITCHES = MachineState(at=datetime(2026, 11, 24, tzinfo=UTC))


@pytest.mark.parametrize("case", PACKAGES, ids=lambda case: case.id)
def test_package(case: PackageCase) -> None:
    verdict = judge_package(case.package, Target.parse(case.target), SWITCHES)
    assert (verdict.outcome, verdict.rule) == (case.outcome, case.rule), (case.sentence, verdict.findings)
    assert case.code in verdict.codes, case.sentence


def test_every_package_case_has_a_source_and_an_id() -> None:
    assert all(case.source and case.sentence.endswith(".") for case in PACKAGES)
    assert len({case.id for case in PACKAGES}) == len(PACKAGES)
    assert {case.id for case in PACKAGES if case.outcome == "unknown"} == {
        case.id for case in PACKAGES if is_unsettled(case.source)
    }


def test_the_prompt_is_one_warning_for_the_whole_package() -> None:
    verdict = judge_package(UNSIGNED, Target.parse("win7-x64"), SWITCHES)
    prompts = [one for one in verdict.findings if one.code == "administrator-prompt"]
    assert [one.severity for one in prompts] == ["warning"]
    assert "do not load" in prompts[0].message
    assert not any(one.severity == "error" for one in verdict.findings)


def test_the_findings_begin_with_the_gravest() -> None:
    """A prompt (warning), the older releases of the catalog (note) and a file that is not listed (error)."""
    files = (*package(commercial()).files, member("new.sys"))
    mixed = replace(package(commercial()), files=files, os_attributes=((6, 1),))
    verdict = judge_package(mixed, Target.parse("win10-22h2-x64"), SWITCHES)
    severities = [one.severity for one in verdict.findings]
    assert set(severities) == {"error", "warning", "info"}
    assert severities == sorted(severities, key=["error", "warning", "info"].index)


def test_the_versions_of_catalog_and_target_are_named() -> None:
    verdict = judge_package(GOOD, Target.parse("win8.1-x64"), SWITCHES)
    (message,) = (one.message for one in verdict.findings if one.code == "os-attribute-mismatch")
    assert message == "the catalog is for Windows 10.0, but the version of Windows 8.1 x64 is 6.3"


def test_a_missing_file_is_named() -> None:
    package = replace(GOOD, files=(*GOOD.files, member("new.sys")))
    verdict = judge_package(package, Target.parse("win10-22h2-x64"), SWITCHES)
    assert [finding.message for finding in verdict.findings if finding.severity == "error"] == [
        "'new.sys' is in no signed catalog: it changed after the catalog was built, or was never listed"
    ]


@pytest.mark.parametrize(
    ("classification", "score", "text"),
    [
        ("windows", 0x0D000003, "Inbox / INBOX"),
        ("whql", 0x0D000005, "WHQL"),
        ("attested", 0x0D000004, "WHQL Unclassified"),
        ("commercial", 0x0F000000, "Authenticode"),
        ("test", 0x0F000000, "Authenticode"),
        (None, 0x80000000, "Not digitally signed"),
        ("unknown", 0xFF000000, "unknown"),
    ],
)
def test_signer_score(classification: Classification | None, score: int, text: str) -> None:
    assert signer_score(classification) == (score, text)


def test_there_is_no_prompt_for_a_publisher_whose_root_is_not_trusted() -> None:
    verdict = judge_package(package(unknown_issuer()), Target.parse("win10-22h2-x64"), SWITCHES)
    assert verdict.rule == "trusted-root"
    assert "publisher-prompt" not in verdict.codes


def test_installation_ignores_embedded_signatures() -> None:
    listed = by_microsoft(EKU_WHQL).in_catalog("sample.cat")
    driver_file = member("sample.sys", unknown_issuer(), commercial().broken(), listed)
    package = Package("sample.inf", member("sample.inf", listed), (driver_file,), "sample.cat")
    verdict = judge_package(package, Target.parse("win10-22h2-x64"), SWITCHES)
    assert verdict.outcome == "accepted"
    assert not any("embedded signature" in finding.message for finding in verdict.findings)
    assert set(verdict.codes) == {"publisher-microsoft", "trusted-root"}


FAULTS: list[tuple[FaultRule, Outcome]] = [
    ("inf-signature", "rejected"),
    ("inf-encoding", "rejected"),
    ("inf-install-section", "rejected"),
    ("inf-services", "rejected"),
    ("inf-service-section", "rejected"),
    ("primitive-driver", "accepted"),
    ("infverif", "accepted"),
]


@pytest.mark.parametrize(("rule", "outcome"), FAULTS)
def test_a_fault_of_the_inf(rule: FaultRule, outcome: Outcome) -> None:
    package = replace(GOOD, faults=(InfFault(rule, "it has this fault", "Repair it."),))
    verdict = judge_package(package, Target.parse("win10-22h2-x64"), SWITCHES)
    assert verdict.outcome == outcome
    (finding,) = (one for one in verdict.findings if one.message == "it has this fault")
    assert finding.severity == ("error" if outcome == "rejected" else "warning")
    if outcome == "rejected":
        assert verdict.rule == rule


def test_primitive_drivers_exist_since_windows_10_1903() -> None:
    package = replace(GOOD, faults=(InfFault("primitive-driver", "not primitive", "Rename it."),))
    codes = {name: judge_package(package, Target.parse(name), SWITCHES).codes for name in ("win10-1809-x64", X64_1903)}
    assert "not-primitive" not in codes["win10-1809-x64"]
    assert "not-primitive" in codes[X64_1903]


@pytest.mark.parametrize(
    ("change", "rule"),
    [({"catalog_present": False}, "catalog-file"), ({"catalog_signed": False}, "catalog-unsigned")],
)
def test_a_catalog_that_does_not_count_is_reported_once(change: dict[str, bool], rule: str) -> None:
    unlisted = Package("sample.inf", member("sample.inf"), (member("sample.sys"),), "sample.cat", **change)
    verdict = judge_package(unlisted, Target.parse("win10-22h2-x64"), SWITCHES)
    (error,) = (one for one in verdict.findings if one.severity == "error")
    assert verdict.rule == error.rule == rule
    assert error.message.endswith("so no signed catalog lists the 2 files of the package")


EMBEDDED = member("sample.sys", by_microsoft(EKU_WHQL))
LISTED = member("sample.sys", by_microsoft(EKU_WHQL).in_catalog("sample.cat"))


@pytest.mark.parametrize(
    ("files", "said"),
    [
        pytest.param((EMBEDDED,), True, id="an embedded signature lists nothing"),
        pytest.param((LISTED,), False, id="another catalog lists the driver"),
        pytest.param((), False, id="the INF alone"),
    ],
)
def test_it_is_said_that_no_catalog_lists_the_files_only_where_that_is_so(
    files: tuple[Member, ...], *, said: bool
) -> None:
    found = Package("sample.inf", member("sample.inf"), files, "sample.cat", catalog_present=False)
    verdict = judge_package(found, Target.parse("win10-22h2-x64"), SWITCHES)
    (message,) = (one.message for one in verdict.findings if one.code == "catalog-missing")
    assert ("no signed catalog lists" in message) == said


@pytest.mark.parametrize("files", [(), (LISTED,)], ids=["the INF alone", "a driver of another publisher"])
def test_the_signatures_of_the_package_are_those_of_its_inf(files: tuple[Member, ...]) -> None:
    inf = member("sample.inf", commercial().in_catalog("sample.cat"))
    target = Target.parse("win10-22h2-x64")
    verdict = judge_package(Package("sample.inf", inf, files, "sample.cat"), target, SWITCHES)
    assert (verdict.outcome, verdict.rule) == ("accepted", "publisher")
    assert verdict.signatures == judge("pnp", inf.evidence, inf.paths, target, SWITCHES).signatures
