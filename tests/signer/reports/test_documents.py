"""A long document is the JSON that json.dumps would write of the whole, indented or in one line."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signer.reports.documents import long_document

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
entries = st.dictionaries(st.text(max_size=5), values, max_size=3)


@pytest.mark.parametrize("indent", [2, None], ids=["indented", "one line"])
@given(found=st.lists(entries, max_size=3), text=st.text(max_size=8))
def test_it_is_what_json_makes_of_the_whole(indent: int | None, found: list[dict[str, object]], text: str) -> None:
    head = {"schema": "x/1", "text": f"[]{text}"}
    written = "".join(long_document(head, "files", [json.dumps(one, indent=indent) for one in found], indent))
    assert written == json.dumps({**head, "files": found}, indent=indent) + "\n"
