"""Every event that drvsign predicts for a policy case is explained by the rule that made it, in each form and build."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache

import pytest

from signer.codeintegrity.consequences import consequences
from signer.codeintegrity.events import Event
from signer.explain.explain import Explanation, Input, explain
from signer.policy.setupapi import log_lines
from signer.policy.targets import Target
from tests.signer.policy import test_policy_cases
from tests.signer.policy.cases.registry import Expectation

ACTIVITY = "{11111111-2222-3333-4444-555555555555}"


@cache
def predicted(case_id: str) -> tuple[Event, ...]:
    """Return the events of a policy case."""
    case = BY_ID[case_id]
    sample, verdict = case.judged()
    return consequences(case.policy, verdict, sample.evidence, Target.parse(case.target)).events


BY_ID: dict[str, Expectation] = {case.id: case for case in test_policy_cases.CASES if case.policy == "kernel"}


def logged() -> Iterator[str]:
    for case_id, case in BY_ID.items():
        if case.outcome == "rejected" and predicted(case_id):
            yield case_id


CASES = list(logged())


def as_xml(events: tuple[Event, ...]) -> str:
    from xml.sax.saxutils import escape, quoteattr

    return "".join(
        f"<Event><System><Provider Name='Microsoft-Windows-CodeIntegrity'/><EventID>{event.id}</EventID>"
        f"<Correlation ActivityID='{ACTIVITY}'/></System><EventData>"
        + "".join(
            f"<Data Name={quoteattr(name)}>{escape(str(value))}</Data>"
            for name, value in event.data.items()
            if value is not None
        )
        + "</EventData></Event>"
        for event in events
    )


def as_json(events: tuple[Event, ...]) -> str:
    return json.dumps([{**event.as_json(), "activityId": ACTIVITY} for event in events], indent=2)


def as_text(events: tuple[Event, ...]) -> str:
    return "\n\n".join(event.message for event in events)


def run(text: str) -> Explanation:
    return explain([Input("round trip", [text.encode()])])


def test_there_are_many_cases() -> None:
    assert len(CASES) > 100


@pytest.mark.parametrize("write", [as_xml, as_json, as_text])
def test_the_rule_that_made_the_events_explains_them(write) -> None:
    wrong = []
    for case_id in CASES:
        case, events = BY_ID[case_id], predicted(case_id)
        answers = run(write(events)).answers
        if not answers or case.rule not in answers[0].rules:
            wrong.append((case_id, case.rule, [event.id for event in events], [(one.key) for one in answers]))
    assert not wrong, wrong[:20]


def test_signatures_make_the_answer_exact() -> None:
    """With the 3089 events of builds since 1803, most cases are certain; without them only the gate is."""
    confidences = {
        case_id: run(as_xml(predicted(case_id))).answers[0].confidence
        for case_id in CASES
        if any(event.id == 3089 for event in predicted(case_id))
    }
    certain = sum(one == "certain" for one in confidences.values())
    assert certain > 0.8 * len(confidences)


INSTALLATIONS = [case for case in test_policy_cases.CASES if case.policy == "pnp" and case.outcome == "rejected"]


@pytest.mark.parametrize("case", INSTALLATIONS, ids=lambda case: case.id)
def test_the_log_of_an_installation_is_explained_by_its_rule(case: Expectation) -> None:
    _, verdict = case.judged()
    lines = log_lines("x.inf", "x.cat", verdict)
    if any("Error 0x" in line for line in lines):
        (answer,) = run("\n".join(lines)).answers
        assert (answer.gate, answer.file) == ("pnp", "x.inf")
        assert case.rule in answer.rules, (case.rule, answer.key, lines)
