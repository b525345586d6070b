"""Report explanations as the JSON document `drvsign.explanation/1`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from signer.explain.exports import settling

if TYPE_CHECKING:
    from collections.abc import Sequence

    from catalogs.verification.log_comparison import Compared, Comparison
    from signer.explain.explain import Answer, Explanation

SCHEMA = "drvsign.explanation/1"


def document(explanation: Explanation, compared: Sequence[Compared]) -> dict[str, Any]:
    """Return the document of an explanation, with its answers as compared with the drivers themselves."""
    build = explanation.machine.build
    return {
        "schema": SCHEMA,
        "machine": explanation.machine.as_json(),
        "localised": explanation.localised,
        "languages": list(explanation.languages),
        "subjects": [{**subject(one.answer, build), "prediction": _prediction(one.comparison)} for one in compared],
        "unread": [
            *({"problem": str(error), "count": 1} for error in explanation.failures),
            *({"problem": problem, "count": count} for problem, count in explanation.damages.items()),
        ],
    }


def subject(answer: Answer, build: int | None) -> dict[str, Any]:
    """Return one entry of `subjects`."""
    return {
        "file": answer.file,
        "gate": answer.gate,
        "cause": answer.cause,
        "rule": answer.rule,
        "rules": list(answer.rules),
        "confidence": answer.confidence,
        "reason": answer.reason,
        "others": list(answer.others),
        "codes": list(answer.codes),
        "events": list(answer.events),
        "settle": settling(answer.settle, build) if answer.confidence != "certain" else None,
        "next": {who: answer.next[who] for who in ("user", "administrator", "developer")},
    }


def _prediction(comparison: Comparison | None) -> dict[str, Any] | None:
    if comparison is None:
        return None
    return {
        "path": str(comparison.path),
        "matched_by": comparison.matched_by,
        "target": comparison.target,
        "verdict": comparison.outcome,
        "rule": comparison.rule,
        "events": list(comparison.events),
        "status": comparison.status,
        "agrees": comparison.agrees,
        "difference": comparison.difference,
    }
