"""Console blocks of the documentation: commands that begin with `$ `, each with the output that the page shows."""

from __future__ import annotations

import re

ELISION = "…"
_RULE = re.compile(r" ?─+")


def session(page: str) -> list[tuple[str, str]]:
    """Return the commands of the console blocks of a page, each with its output."""
    lines = [line for block in re.findall(r"```console\n(.*?)```", page, re.DOTALL) for line in block.splitlines()]
    steps: list[tuple[str, list[str]]] = []
    for line in lines:
        if line.startswith("$ "):
            steps.append((line[2:], []))
        else:
            steps[-1][1].append(line)
    return [(command, "\n".join(output)) for command, output in steps]


def matches(shown: str, output: str) -> bool:
    """Tell whether the output of a command is what a page shows."""
    said = "".join(f"{line}\n" for line in _normal(output)) if output.strip() else ""
    return _pattern(shown).fullmatch(said) is not None


def _normal(text: str) -> list[str]:
    """Return the lines, without what depends on the width of columns: trailing and repeated blanks, rules of tables."""
    lines = [re.sub(r"(?<=\S) {2,}", " ", line.rstrip()) for line in text.strip().splitlines()]
    return ["─" if _RULE.fullmatch(line) else line for line in lines]


def _pattern(shown: str) -> re.Pattern[str]:
    """Return a regular expression: `…` alone on a line is any lines, within a line any text."""
    parts = []
    for line in _normal(shown):
        any_text = r"[^\n]*".join(re.escape(piece) for piece in line.split(ELISION))
        parts.append(r"(?:[^\n]*\n)*?" if line == ELISION else any_text + "\n")
    return re.compile("".join(parts))
