"""Every excerpt has the cause that its public report settled."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from signer.explain.causes import causes
from signer.explain.explain import Explanation, Input, explain

FOLDER = Path(__file__).parent / "cases"
CASES: list[dict[str, Any]] = [
    case for path in sorted(FOLDER.glob("*.toml")) for case in tomllib.loads(path.read_text(encoding="utf-8"))["case"]
]


def explained(text: str, encoding: str = "utf-8") -> Explanation:
    return explain([Input("case", [text.encode(encoding)])])


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_case(case: dict[str, Any]) -> None:
    explanation = explained(case["text"])
    answer = next((one for one in explanation.answers if one.file == case.get("file")), None)
    assert answer is not None, [one.file for one in explanation.answers]
    shown = (answer.gate, answer.key, answer.confidence)
    assert shown == (case["gate"], case["cause"], case["confidence"]), f"{case['sentence']}\n{answer.reason}"
    assert list(answer.codes) == case.get("codes", [])
    assert list(answer.events) == case.get("events", [])
    machine = explanation.machine.as_json()
    assert {name: machine[name] for name in case.get("machine", {})} == case.get("machine", {})
    assert {name for name in case.get("unknown", ()) if machine[name] is not None} == set()
    assert explanation.localised == case.get("localised", False)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_the_same_cause_follows_from_utf_16(case: dict[str, Any]) -> None:
    utf8, utf16 = explained(case["text"]), explained(case["text"], "utf-16")
    assert utf16.answers == utf8.answers
    assert utf16.machine == utf8.machine


def test_case_ids_are_unique_and_every_case_names_its_source() -> None:
    assert len({case["id"] for case in CASES}) == len(CASES)
    assert all(case["source"] and case["sentence"].endswith(".") for case in CASES)


def test_every_cause_of_a_case_is_in_the_table() -> None:
    assert {case["cause"] for case in CASES} <= {cause.key for cause in causes()}
