"""Turn explanations of logs into the model of reports."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath, PureWindowsPath
from typing import TYPE_CHECKING

from signer.reports.explanation_text import GATES
from signer.reports.model import Finding, Report, Rule, Subject
from signer.reports.problem_report import failed_subject, problems_of, rules_of

if TYPE_CHECKING:
    from catalogs.verification.log_comparison import Compared
    from signer.errors import SignerError
    from signer.explain.explain import Answer


def explanation_report(compared: Sequence[Compared], errors: Sequence[SignerError], exit_code: int) -> Report:
    """Return the report of `drvsign explain`: each file that Windows refused is a rejected subject.

    A cause that is only possible is a warning, and its subject is undecided. `errors` are those of unreadable logs.
    """
    rules = {one.answer.key: Rule(one.answer.key, one.answer.cause, _help(one.answer)) for one in compared}
    rules |= rules_of(problem for error in errors for problem in problems_of(error))
    subjects = (*map(_subject, compared), *map(failed_subject, errors))
    return Report("explain", subjects, rules, exit_code)


def _subject(one: Compared) -> Subject:
    answer, sure = one.answer, one.answer.confidence != "possible"
    message = f"{GATES[answer.gate]}: {answer.cause} ({answer.confidence}: {answer.reason})"
    finding = Finding(answer.key, "error" if sure else "warning", message, _file(one), None, answer.next["developer"])
    return Subject(answer.file or "(no file named)", "driver", "rejected" if sure else "unknown", (finding,))


def _file(one: Compared) -> PurePath | None:
    """Return the driver that was compared with the log; else the path on the machine, which the log names."""
    if one.comparison is not None:
        return one.comparison.path
    return PureWindowsPath(one.answer.file) if one.answer.file else None


def _help(answer: Answer) -> str:
    return " ".join(f"{who.capitalize()}: {answer.next[who]}" for who in ("user", "administrator", "developer"))
