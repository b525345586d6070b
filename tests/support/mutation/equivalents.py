"""Mutants that no test can tell from the code, and why: the rows of equivalents.tsv.

    python -m tests.support.mutation.equivalents

writes them into docs/testing.md. A row names a piece of code in a module, what mutants make of it, and why that does
not matter; spaces do not count. Only mutants that survived are looked up: a row hides none that a test kills.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.support.mutation.areas import ROOT

PAGE = ROOT / "docs" / "testing.md"
BEGIN = "<!-- equivalents: made by tests/support/mutation/equivalents.py -->"
END = "<!-- end of equivalents -->"


@dataclass(frozen=True)
class Equivalent:
    """A piece of code, and changes of it that do not matter."""

    module: str
    code: str
    mutants: tuple[str, ...]
    why: str

    def explains(self, before: str, after: str) -> bool:
        """Return whether the difference between two texts is one of the changes."""
        code = _packed(self.code)
        return code in before and any(before.replace(code, _packed(one)) == after for one in self.mutants)


@cache
def equivalents() -> tuple[Equivalent, ...]:
    """Return all rows of the table."""
    with Path(__file__).with_suffix(".tsv").open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        return tuple(
            Equivalent(row["module"], row["code"], tuple(row["mutants"].split(" ; ")), row["why"]) for row in rows
        )


def reason(module: str, change: str) -> str:
    """Return why a change, the lines taken out and put in, does not matter; empty if it may."""
    lines = change.splitlines()
    before, after = ("".join(_packed(line[1:]) for line in lines if line[:1] == sign) for sign in "-+")
    return next((one.why for one in equivalents() if one.module == module and one.explains(before, after)), "")


def outdated(rows: Iterable[Equivalent]) -> Iterator[Equivalent]:
    """Yield the rows whose code is no longer in the module."""
    for one in rows:
        if _packed(one.code) not in _packed((ROOT / one.module).read_text(encoding="utf-8")):
            yield one


def _packed(text: str) -> str:
    return "".join(text.split())


def table() -> str:
    """Return the table for docs/testing.md."""
    return "\n".join([BEGIN, "| where | code | mutants | why |", "|---|---|---|---|", *_rows(), END])


def _rows() -> Iterator[str]:
    for one in equivalents():
        changed = "; ".join(f"`{mutant}`" for mutant in one.mutants)
        cells = (f"`{one.module}`", f"`{one.code}`", changed, one.why)
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def main() -> None:
    """Write the table into the page."""
    text = PAGE.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    PAGE.write_text(before + table() + rest.partition(END)[2], encoding="utf-8")


if __name__ == "__main__":
    main()
