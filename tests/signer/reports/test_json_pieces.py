"""`signer.reports.json_pieces`: the text of `json.dumps`, although arrays are written item by item.

Only `##` is escaped, which begins commands of Azure Pipelines and TeamCity.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from signer.reports.json_pieces import json_pieces

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
INDENTS = st.sampled_from([None, 2, 4])


def whole(document: dict[str, object], indent: int | None) -> str:
    return json.dumps(document, indent=indent).replace("##", "#\\u0023")


@given(st.dictionaries(st.text(max_size=3), VALUES, max_size=4), INDENTS)
@example({"##": ["###", "####"]}, None)
def test_the_pieces_are_the_document(document: dict[str, object], indent: int | None) -> None:
    assert "".join(json_pieces(document, indent)) == whole(document, indent)


@given(st.lists(VALUES, max_size=4), INDENTS)
def test_an_iterator_is_an_array(items: list[object], indent: int | None) -> None:
    pieces = json_pieces({"before": 1, "items": iter(items), "after": 2}, indent)
    assert "".join(pieces) == whole({"before": 1, "items": items, "after": 2}, indent)


@pytest.mark.parametrize("indent", [None, 2])
def test_an_item_is_written_before_the_next_is_made(indent: int | None) -> None:
    made: list[int] = []

    def items() -> Iterator[int]:
        for number in range(3):
            made.append(number)
            yield number

    for piece in json_pieces({"items": items()}, indent):
        if "0" in piece:
            break
    assert made == [0]
