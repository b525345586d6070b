"""Generate the rules and settled statements in docs/policy.md; `python -m tests.support.policy_table` writes them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from signer.policy.judge import POLICY_NAMES, policy
from signer.policy.package import RULES as PACKAGE_RULES
from signer.policy.rules import Rule
from tests.signer.codeintegrity.test_statements import STATEMENTS
from tests.signer.policy.cases.registry import all_cases
from tests.signer.policy.documents import is_unsettled
from tests.signer.policy.package_cases import PACKAGES
from tests.support.files import ROOT

PAGE = ROOT / "docs" / "policy.md"
BEGIN = "<!-- rules: made by tests/support/policy_table.py -->"
END = "<!-- end of rules -->"
SETTLED = "<!-- statements: made by tests/support/policy_table.py -->"
END_OF_SETTLED = "<!-- end of statements -->"


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


def statements() -> str:
    """Return the sentence of every case that a source settles, by source."""
    found: dict[str, dict[str, None]] = {}
    for case in (*all_cases(), *PACKAGES, *STATEMENTS):
        if not is_unsettled(case.source):
            found.setdefault(case.source, {})[" ".join(case.sentence.split())] = None
    lines = [SETTLED, ""]
    for source in sorted(found, key=str.lower):
        lines += [f"- {source}", *(f"  - {sentence}" for sentence in found[source])]
    return "\n".join([*lines, "", END_OF_SETTLED])


def page_with_table(text: str) -> str:
    """Return the page with its tables replaced."""
    text = _replaced(text, BEGIN, END, table())
    return _replaced(text, SETTLED, END_OF_SETTLED, statements())


def _replaced(text: str, begin: str, end: str, made: str) -> str:
    head, _, rest = text.partition(begin)
    return head + made + rest.partition(end)[2]


if __name__ == "__main__":
    PAGE.write_text(page_with_table(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
