"""A long document is the JSON that json.dumps would make of the whole, on a terminal and in a pipe."""

from __future__ import annotations

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signer.cli.output import Output

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
entries = st.dictionaries(st.text(max_size=5), values, max_size=3)


class Stream(io.StringIO):
    def __init__(self, *, terminal: bool) -> None:
        super().__init__()
        self._terminal = terminal

    def isatty(self) -> bool:
        return self._terminal


@pytest.mark.parametrize("terminal", [True, False], ids=["terminal", "pipe"])
@given(found=st.lists(entries, max_size=3), text=st.text(max_size=8))
def test_it_is_what_json_makes_of_the_whole(terminal: bool, found: list[dict[str, object]], text: str) -> None:
    head = {"schema": "x/1", "text": f"[]{text}"}
    with pytest.MonkeyPatch.context() as patch:
        stream = Stream(terminal=terminal)
        patch.setattr("sys.stdout", stream)
        output = Output(json=True)
        output.long_document(head, "files", [output.entry(one) for one in found])
    whole = json.dumps({**head, "files": found}, indent=2 if terminal else None)
    assert stream.getvalue() == f"{whole}\n"
    assert output.has_answered
