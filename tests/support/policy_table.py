"""Generate the table of rules in docs/policy.md. `python -m tests.support.policy_table` writes it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from signer.policy.judge import POLICY_NAMES, policy
from signer.policy.package import RULES as PACKAGE_RULES
from signer.policy.rules import Rule
from tests.support.files import ROOT

PAGE = ROOT / "docs" / "policy.md"
BEGIN = "<!-- rules: made by tests/support/policy_table.py -->"
END = "<!-- end of rules -->"


def table() -> str:
    """Return every rule of every policy, once, with its targets, the default of its settings and its source."""
    lines: list[str] = []
    seen: set[str] = set()
    for name in POLICY_NAMES:
        rules: list[Rule[Any]] = [*policy(name).rules(), *(PACKAGE_RULES if name == "pnp" else ())]
        lines += ["", f"### {name}", ""]
        shared = [rule.name for rule in rules if _key(rule) in seen]
        if shared:
            lines += ["Same as above: " + ", ".join(f"`{rule}`" for rule in shared) + ".", ""]
        lines += ["| rule | requirement | applies to | default | source |", "|---|---|---|---|---|"]
        lines += _rows(rule for rule in rules if _key(rule) not in seen)
        seen |= {_key(rule) for rule in rules}
    return "\n".join([BEGIN, *lines, "", END])


def _key(rule: Rule[Any]) -> str:
    return f"{rule.name} {rule.statement}"


def _rows(rules: Iterator[Rule[Any]]) -> Iterator[str]:
    for rule in rules:
        cells = (f"`{rule.name}`", rule.statement, str(rule.releases), rule.default or "", rule.source)
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def page_with_table(text: str) -> str:
    """Return the page with its table replaced."""
    head, _, rest = text.partition(BEGIN)
    return head + table() + rest.partition(END)[2]


if __name__ == "__main__":
    PAGE.write_text(page_with_table(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
