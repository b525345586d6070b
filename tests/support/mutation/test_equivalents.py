"""Equivalent mutants are named in a table whose rows fit the code, and docs/testing.md shows it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support.mutation.areas import ROOT, mutants_of
from tests.support.mutation.equivalents import PAGE, Equivalent, equivalents, outdated, table

FIRST = Equivalent("signer/sample.py", "found[0]", ("found[-1]", "found[1]"), "there is one")
SOURCE = "LIMIT = 8\n\n\nclass Sample:\n    size = 4\n\n    def small(self, number):\n        return number < LIMIT\n"


@pytest.mark.parametrize(
    ("before", "after", "explained"),
    [
        pytest.param("return found[0]", "return found[-1]", True, id="the first mutant"),
        pytest.param("return found[0]", "return found[1]", True, id="the second mutant"),
        pytest.param("return found[0]", "return found[2]", False, id="another mutant"),
        pytest.param("return found[0] + 1", "return found[0] + 2", False, id="another place of the line"),
        pytest.param("return other[0]", "return other[-1]", False, id="another line"),
    ],
)
def test_a_row_explains_only_the_mutants_that_it_names(before: str, after: str, *, explained: bool) -> None:
    def packed(text: str) -> str:
        return text.replace(" ", "")

    assert FIRST.explains(packed(before), packed(after)) == explained


def test_every_row_names_a_module_and_a_reason() -> None:
    for one in equivalents():
        assert (ROOT / one.module).is_file() and one.why and one.code not in one.mutants, one


def test_a_row_whose_code_is_gone_is_outdated() -> None:
    there = replace(FIRST, module="signer/records.py", code="from  __future__")
    assert list(outdated([there])) == []
    gone = replace(there, code="from __past__")
    assert list(outdated([there, gone])) == [gone]


def test_the_page_shows_the_table() -> None:
    assert table() in PAGE.read_text(encoding="utf-8"), "run python -m tests.support.mutation.equivalents"


@pytest.mark.parametrize(
    ("edited", "lost"),
    [
        pytest.param(SOURCE.replace("LIMIT = 8", "LIMIT = 9"), {"LIMIT = 8"}, id="a constant of the module"),
        pytest.param(SOURCE.replace("size = 4", "size = 5"), {"size = 4"}, id="a field of the class"),
        pytest.param(SOURCE.replace("number < LIMIT", "number <= LIMIT"), {"number < LIMIT"}, id="a method"),
        pytest.param(f"import os\n\nOTHER = os.sep\n{SOURCE}", set(), id="lines before"),
    ],
)
def test_an_edit_leaves_the_results_of_other_functions(edited: str, lost: set[str]) -> None:
    lines = SOURCE.splitlines()
    keys = {one.key: lines[one.begin[0] - 1].strip() for one in mutants_of(SOURCE)}
    gone = keys.keys() - {one.key for one in mutants_of(edited)}
    assert {keys[key].removeprefix("return ") for key in gone} == lost


@pytest.mark.parametrize(
    ("condition", "operators"),
    [
        pytest.param("a", {"AddNot"}, id="a name"),
        pytest.param("a in b", {"AddNot"}, id="membership"),
        pytest.param("a and b", {"AddNot", "ReplaceAndWithOr"}, id="two conditions"),
        pytest.param("not a", {"ReplaceUnaryOperator_Delete_Not"}, id="a negation"),
        pytest.param("a is None", {"ReplaceComparisonOperator_Is_IsNot"}, id="identity"),
        pytest.param("a != b", {"ReplaceComparisonOperator_NotEq_Eq"}, id="inequality"),
        pytest.param("a < b", {"ReplaceComparisonOperator_Lt_LtE", "ReplaceComparisonOperator_Lt_GtE"}, id="an order"),
    ],
)
def test_each_change_of_a_condition_is_made_once(condition: str, operators: set[str]) -> None:
    assert {one.operator for one in mutants_of(f"if {condition}:\n    pass\n")} == operators


def test_the_star_before_parameters_is_no_operator() -> None:
    assert not list(mutants_of("def f(*, a): ...\n"))
    assert [one.operator for one in mutants_of("def f(a): return a * a\n")] == ["ReplaceBinaryOperator_Mul_FloorDiv"]
