"""What is written without rich is what rich would take for no terminal."""

from __future__ import annotations

import io
from itertools import product

import pytest
from rich.console import Console

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
