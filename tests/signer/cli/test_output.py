"""What is written without rich is what rich would take for no terminal."""

from __future__ import annotations

import io
from itertools import product
from textwrap import fill

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from signer.cli import terminal
from signer.cli.terminal import is_plain

VALUES = (None, "", "0", "1", "yes")


class Stream(io.StringIO):
    """A stream that is a terminal or is none."""

    def __init__(self, terminal: bool) -> None:
        super().__init__()
        self.terminal = terminal

    def isatty(self) -> bool:
        return self.terminal


@pytest.mark.parametrize("terminal", [False, True], ids=["pipe", "terminal"])
@pytest.mark.parametrize(("compatible", "coloured"), list(product(VALUES, VALUES)))
def test_a_stream_is_plain_where_rich_sees_no_terminal(
    monkeypatch: pytest.MonkeyPatch, terminal: bool, compatible: str | None, coloured: str | None
) -> None:
    for name, value in (("TTY_COMPATIBLE", compatible), ("FORCE_COLOR", coloured)):
        monkeypatch.delenv(name, raising=False)
        if value is not None:
            monkeypatch.setenv(name, value)
    stream = Stream(terminal)
    assert is_plain(stream) is not Console(file=stream).is_terminal


@given(st.text(st.sampled_from("ab -\t\n\u00a0\u3000"), max_size=40), st.integers(8, 60))
def test_a_paragraph_is_wrapped_as_textwrap_does(text: str, width: int) -> None:
    wrapped = fill(
        text, width, initial_indent="  x: ", subsequent_indent="     ", break_long_words=False, break_on_hyphens=False
    )
    assert terminal._paragraph("  x: ", text, width) == wrapped
