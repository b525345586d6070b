"""The tables of switches in docs/migrate.md, made from those of the tools.

To write them to the page: `python -m tests.support.migrate_page`.
"""

from __future__ import annotations

from collections.abc import Iterator

from signer.cli.front_ends import cert2spc, certmgr, inf2cat, infverif, makecat, makecert, pvk2pfx, stampinf
from signer.cli.front_ends.help import table
from signer.cli.front_ends.signtool.switches import COMMANDS
from signer.cli.front_ends.switches import Grammar
from tests.support.files import ROOT

PAGE = ROOT / "docs" / "migrate.md"
FIRST = "\n## signtool sign\n"
GRAMMARS: dict[str, Grammar] = {
    **{f"signtool {name}": grammar for name, grammar in COMMANDS.items()},
    "inf2cat": inf2cat.GRAMMAR,
    "infverif": infverif.GRAMMAR,
    "stampinf": stampinf.GRAMMAR,
    "makecat": makecat.GRAMMAR,
    "makecert": makecert.GRAMMAR,
    "pvk2pfx": pvk2pfx.GRAMMAR,
    "certmgr": certmgr.GRAMMAR,
    "cert2spc": cert2spc.GRAMMAR,
}


def sections() -> str:
    """Return the sections with the switches of every tool."""
    return "\n".join(_section(name, grammar) for name, grammar in GRAMMARS.items())


def _section(name: str, grammar: Grammar) -> str:
    return "\n".join([f"## {name}\n", *_rows(grammar), ""])


def _rows(grammar: Grammar) -> Iterator[str]:
    return table(grammar) if grammar.switches else iter(["The tool has no switches."])


def main() -> None:
    """Write the sections to the page."""
    text = PAGE.read_text(encoding="utf-8").partition(FIRST)[0].rstrip("\n")
    PAGE.write_text(f"{text}\n\n{sections()}", encoding="utf-8")


if __name__ == "__main__":
    main()
