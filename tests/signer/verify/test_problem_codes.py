"""docs/evidence.md explains every code that evidence can contain, and no other code."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from signer.policy.authenticode import PADDING_CODES
from tests.support.files import ROOT


def codes() -> Iterator[str]:
    """Yield the first argument of every SignatureProblem(…) call."""
    for package in ("verify", "formats", "pkcs7"):
        for path in sorted((ROOT / "signer" / package).glob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if (
                    isinstance(node, ast.Call)
                    and isinstance(node.func, ast.Name)
                    and node.func.id == "SignatureProblem"
                ):
                    assert isinstance(node.args[0], ast.Constant), f"{path.name}:{node.lineno}: not a literal code"
                    yield str(node.args[0].value)


def test_the_page_explains_every_code_once() -> None:
    text = (ROOT / "docs" / "evidence.md").read_text(encoding="utf-8")
    explained = re.findall(r"^\| `([a-z-]+)` \|", text, re.MULTILINE)
    assert sorted(explained) == sorted(set(codes()))


def test_the_policies_know_the_codes_of_padding() -> None:
    assert {code for code in codes() if "padding" in code} <= PADDING_CODES
