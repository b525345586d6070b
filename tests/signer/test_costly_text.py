"""Texts that Python's parsers read slowly are recognized, and ordinary ones with as many dots are not."""

from __future__ import annotations

import pytest

from signer.costly_text import MAX_DOTS, is_costly_toml

KEY = ".".join("a" * (MAX_DOTS + 2))
COSTLY = {
    "bare-key": f"{KEY} = 1",
    "quoted-key": KEY.replace("a", '"a"') + " = 1",
    "literal-key": KEY.replace("a", "'a'") + " = 1",
    "table": f"[{KEY}]",
    "behind-a-string": f'x = {{a = "b", {KEY} = 1}}',
    "behind-an-escaped-quote": f'x = {{a = "\\"", {KEY} = "\\""}}',
    "behind-a-quote-in-the-other-quotes": f"""x = {{a = '"', {KEY} = '"'}}""",
    "behind-the-end-of-a-string-of-several-lines": f'x = {{a = """\n""", {KEY} = "b"}}',
    "behind-a-comment": f"# don't\n{KEY} = 'b'",
}
CHEAP = {
    "list-of-paths": "files = [" + '"a.sys", ' * 1000 + "]",
    "list-of-literal-paths": "files = [" + r"'..\a.sys', " * 1000 + "]",
    "long-string": 'text = "' + "." * 1000 + '"',
    "escaped-quotes": 'text = "' + r"\"." * 1000 + '"',
    "many-lines": "a.b = 1\n" * 1000,
    "most-parts": KEY.removesuffix(".a"),
}


@pytest.mark.parametrize("text", COSTLY.values(), ids=COSTLY)
def test_a_key_of_many_parts_is_costly(text: str) -> None:
    assert is_costly_toml(text)


@pytest.mark.parametrize("text", CHEAP.values(), ids=CHEAP)
def test_dots_in_strings_and_lines_are_not(text: str) -> None:
    assert not is_costly_toml(text)
