"""What the protected-media policy says about a driver, and what it does not say."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from signer.asn1.oids import EKU_WHQL
from signer.policy.judge import judge
from signer.policy.machine_state import MachineState
from signer.policy.targets import Target
from tests.support.policy_builder import Sign, by_microsoft, commercial, driver

NOW = datetime(2026, 11, 24, tzinfo=UTC)
AUDIO, TRUSTED, OTHER = {"DRMLevel": "1300"}, {"PETrusted": "1"}, {"File": "sample.sys"}
EMBEDDED = by_microsoft(EKU_WHQL)
LISTED = EMBEDDED.in_catalog()


def paged(sign: Sign) -> Sign:
    return sign.having(page_hashes_intact=True)


@pytest.mark.parametrize(
    ("signs", "attributes", "codes"),
    [
        pytest.param([paged(LISTED)], AUDIO, {"media-audio-whql"}, id="audio, with page hashes"),
        pytest.param([LISTED], AUDIO, {"media-audio-whql", "media-no-page-hashes"}, id="audio, without"),
        pytest.param([LISTED, paged(EMBEDDED)], AUDIO, {"media-audio-whql"}, id="one signature has page hashes"),
        pytest.param([commercial()], AUDIO, set(), id="audio that does not load"),
        pytest.param([commercial()], TRUSTED, set(), id="trusted code that does not load"),
        pytest.param([], AUDIO, set(), id="unsigned audio"),
        pytest.param([paged(EMBEDDED)], TRUSTED, set(), id="trusted code"),
        pytest.param([paged(EMBEDDED), paged(LISTED)], TRUSTED, set(), id="trusted by both signatures"),
        pytest.param([paged(LISTED)], TRUSTED, {"media-catalog-only"}, id="trusted by a catalog"),
        pytest.param([commercial(), paged(LISTED)], TRUSTED, {"media-catalog-only"}, id="the embedded one is rejected"),
        pytest.param([EMBEDDED], TRUSTED, {"media-no-page-hashes"}, id="trusted code without page hashes"),
        pytest.param([paged(EMBEDDED)], {"PETrusted": "true"}, set(), id="another spelling of trusted"),
        pytest.param([EMBEDDED], OTHER, {"media-not-marked"}, id="no attribute for protected media"),
        pytest.param([EMBEDDED], None, {"media-no-catalog"}, id="no catalog"),
        pytest.param(
            [paged(EMBEDDED)],
            {"PETrusted": "1", "DRMLevel": "1200"},
            {"media-audio-whql", "media-drm-level-1200"},
            id="both attributes",
        ),
    ],
)
def test_findings_about_protected_media(signs: list[Sign], attributes: dict[str, str] | None, codes: set[str]) -> None:
    sample = driver(*signs)
    verdict = judge(
        "protected-media",
        sample.evidence,
        sample.paths,
        Target.parse("win10-22h2-x64"),
        MachineState(at=NOW),
        attributes=attributes,
    )
    assert {code for code in verdict.codes if code.startswith("media-")} == codes
