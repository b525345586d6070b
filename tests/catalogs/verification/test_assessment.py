"""The outcome over several files: a failure counts before a rejection, a rejection before an unknown."""

from __future__ import annotations

from pathlib import Path

import pytest

from catalogs.verification.assessment import Assessment, Outcome
from signer.codeintegrity.consequences import consequences
from signer.errors import FileError
from signer.policy.findings import Outcome as Answer
from signer.policy.findings import Verdict
from signer.policy.targets import Target
from signer.verify.evidence import Evidence


def assessment(*outcomes: Answer) -> Assessment:
    target = Target.parse("win11-25h2-x64")
    verdicts = [Verdict(target.name, outcome, "a-rule", ()) for outcome in outcomes]
    found = tuple(consequences("kernel", verdict, Evidence("sample.sys", "image", {}), target) for verdict in verdicts)
    return Assessment(Path("sample.sys"), "image", consequences=found)


ACCEPTED, REJECTED, UNKNOWN = assessment("accepted"), assessment("rejected"), assessment("unknown")
FAILED = Assessment(Path("gone.sys"), "image", error=FileError("file or folder not found"))


@pytest.mark.parametrize(
    ("found", "word", "accepted", "decided"),
    [
        pytest.param([ACCEPTED], "accepted", True, True, id="accepted"),
        pytest.param([REJECTED], "rejected", False, True, id="rejected"),
        pytest.param([UNKNOWN], "unknown", False, False, id="unknown"),
        pytest.param([FAILED], "failed", False, False, id="failed"),
        pytest.param([ACCEPTED, REJECTED], "rejected", False, True, id="a rejection counts before an acceptance"),
        pytest.param([UNKNOWN, REJECTED], "rejected", False, False, id="a rejection counts before an unknown"),
        pytest.param([ACCEPTED, UNKNOWN], "unknown", False, False, id="an unknown counts before an acceptance"),
        pytest.param([REJECTED, FAILED], "failed", False, False, id="a failure counts before a rejection"),
        pytest.param([], "unknown", False, False, id="nothing is not accepted"),
        pytest.param([assessment("accepted", "rejected")], "rejected", False, True, id="one target of two rejects"),
        pytest.param([assessment("accepted", "unknown")], "unknown", False, False, id="one target of two is unknown"),
    ],
)
def test_outcomes(found: list[Assessment], word: str, accepted: bool, decided: bool) -> None:
    outcome = Outcome.of(found)
    assert (outcome.word, outcome.accepted, outcome.decided) == (word, accepted, decided)
