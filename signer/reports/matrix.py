"""Report the verdicts of many releases about a file: neighbouring releases with equal verdicts are one row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import groupby
from typing import TYPE_CHECKING

from signer.policy.targets import Target, all_targets
from signer.records import dataclass

if TYPE_CHECKING:
    from catalogs.verification.assessment import Assessment
    from signer.codeintegrity.consequences import Consequences
    from signer.reports.sink import Sink


@dataclass(frozen=True, slots=True)
class MatrixRow:
    """Neighbouring targets with the same outcome, rule and reason."""

    targets: tuple[Target, ...]
    first: Consequences

    @property
    def label(self) -> str:
        """The targets: one name, or the first and the last release with their architecture."""
        first, last = self.targets[0], self.targets[-1]
        if first == last:
            return first.name
        return f"{first.release.name} … {last.name.replace(f'-{last.architecture}', f' {last.architecture}', 1)}"


def write_matrix(assessment: Assessment, sink: Sink, *, all_releases: bool = False) -> None:
    """Write the rows of a file, then each reason once. Inapplicable targets are counted unless `all_releases`."""
    rows = matrix_rows(assessment.consequences)
    shown = [row for row in rows if all_releases or row.first.verdict.applicable] or rows
    numbers = number_reasons([row.first for row in shown])
    about = "installation" if assessment.kind == "package" else f"{assessment.policy} policy"
    sink.table(
        ("Releases", "Verdict", "Rule", "Why"),
        [
            (row.label, row.first.verdict.outcome, row.first.verdict.rule, numbers[reason_key(row.first)])
            for row in shown
        ],
        title=f"{assessment.path}: {about}",
    )
    write_reasons(numbers, [row.first for row in shown], sink)
    hidden = sum(len(row.targets) for row in rows if row not in shown)
    if hidden:
        sink.print(f"{hidden} other targets: not applicable (--all-releases shows them)", style="dim")
        sink.print()


def matrix_rows(consequences: Sequence[Consequences]) -> list[MatrixRow]:
    """Group the verdicts: clients, servers, IoT editions, S mode and architectures apart, each in release order."""
    placed = {one.target: one for one in consequences}
    found: dict[tuple[str, str, bool], list[tuple[Target, Consequences]]] = {}
    for target, one in placed.items():
        found.setdefault(_series(target), []).append((target, one))
    return [
        MatrixRow(tuple(target for target, _ in group), group[0][1])
        for series, together in found.items()
        for group in _neighbours(together, _places(*series))
    ]


def number_reasons(said: Sequence[Consequences]) -> dict[object, int]:
    """Number the distinct reasons of verdicts, from 1."""
    return {key: number for number, key in enumerate(dict.fromkeys(map(reason_key, said)), start=1)}


def write_reasons(numbers: dict[object, int], said: Sequence[Consequences], sink: Sink) -> None:
    """Write each reason once, for the first target that has it, with its hint."""
    for key, number in numbers.items():
        what = next(one for one in said if reason_key(one) == key)
        mark = f"{number:>3}  "
        sink.paragraph(mark, f"{reason_of(what) or what.verdict.rule}.")
        if what.next_step:
            sink.paragraph(" " * len(mark), what.next_step, style="dim")
    sink.print()


def reason_of(what: Consequences) -> str:
    """Return the message that explains the verdict."""
    reason = what.verdict.reason
    return reason.message if reason is not None else ""


def _neighbours(
    placed: list[tuple[Target, Consequences]], order: Mapping[Target, int]
) -> Iterator[list[tuple[Target, Consequences]]]:
    """Split the verdicts of one series where the reason changes or a release was not checked."""
    runs = ((one, order[one[0]] - index) for index, one in enumerate(sorted(placed, key=lambda one: order[one[0]])))
    for _, run in groupby(runs, key=lambda found: (found[1], reason_key(found[0][1]))):
        yield [one for one, _ in run]


def _series(target: Target) -> tuple[str, str, bool]:
    return target.architecture, target.release.edition, target.s_mode


@cache
def _places(architecture: str, edition: str, s_mode: bool) -> Mapping[Target, int]:
    """Return the place of each target of a series in release order."""
    targets = (one for one in all_targets() if _series(one) == (architecture, edition, s_mode))
    return {target: place for place, target in enumerate(targets)}


def reason_key(what: Consequences) -> tuple[str, str, str]:
    """Return a key that is equal for verdicts that differ only in the name of the release."""
    verdict = what.verdict
    return verdict.outcome, verdict.rule, reason_of(what).replace(what.target.title, "")
