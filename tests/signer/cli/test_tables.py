"""Tables: whole words where there is little room, and no blanks at the ends of lines in a pipe."""

from __future__ import annotations

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signer.cli import terminal
from signer.cli.output import Output

COLUMNS = ("Certificate", "For", "Valid until", "Days left", "Files")
ROWS = [
    ("Contoso Test Issuing CA", "authority", "2046-11-19", 7299, "testcerts/generated/issuing-ca.cer .pem"),
    ("Contoso Test Time Stamping", "time stamping", "2036-11-21", 3649, "testcerts/generated/time-stamping.cer .p7b"),
]


def test_on_80_columns_dates_numbers_and_headings_stay_in_one_piece(capsys, monkeypatch):
    monkeypatch.setattr("signer.cli.terminal._PIPE_WIDTH", 80)
    Output().table(COLUMNS, ROWS)
    text = capsys.readouterr().out
    assert max(map(len, text.splitlines())) <= 80
    for whole in ("Certificate ", "time stamping", "authority", "2046-11-19", "2036-11-21", "7299", "3649"):
        assert whole in text, whole


def test_the_table_of_certs_show_breaks_no_date_and_no_heading_on_80_columns(capsys, monkeypatch):
    monkeypatch.setattr("signer.cli.terminal._PIPE_WIDTH", 80)
    columns = ("Certificate", "For", "Key", "Valid until", "Days left", "State", "Files")
    name = "Contoso Test (not yet valid)"
    rows = [(name, "code signing", "rsa2048", "2036-11-21", 3649, "not yet valid", "x/y/not-yet-valid.cer .p7b .pem")]
    rows.append(
        ("Contoso Test Issuing CA", "authority", "rsa2048", "2046-11-19", 7299, "expired", "x/y/issuing-ca.cer")
    )
    Output().table(columns, rows)
    text = capsys.readouterr().out
    assert max(map(len, text.splitlines())) <= 80
    for whole in ("Certificate ", "authority", "rsa2048", "2046-11-19", "2036-11-21", "3649", "expired"):
        assert whole in text, whole


def test_where_not_even_dates_fit_nothing_is_lost(capsys, monkeypatch):
    monkeypatch.setattr("signer.cli.terminal._PIPE_WIDTH", 40)
    Output().table(("Until", "File"), [("2046-11-19" * 4, "a" * 50 + "z")])
    text = capsys.readouterr().out
    assert (text.count("2"), text.count("a"), text.count("z")) == (4, 50, 1)


def test_a_table_in_a_pipe_is_as_wide_as_its_text_and_ends_no_line_in_blanks(capsys):
    Output().table(COLUMNS, ROWS, title="What there is")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "What there is"
    assert [line for line in lines if line != line.rstrip()] == []
    assert any(line.endswith("time-stamping.cer .p7b") for line in lines)


def test_a_table_without_headings_has_no_line_for_them(capsys):
    Output().table(("", ""), [("Class", "System")])
    assert [line.split() for line in capsys.readouterr().out.splitlines() if line.strip()] == [["Class", "System"]]


WORDS = st.text("ab ()[]\\%/é…", max_size=12).map(str.strip)
CELLS = st.one_of(WORDS, st.lists(WORDS, max_size=3).map(tuple))


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 4).flatmap(lambda n: st.lists(st.lists(CELLS, min_size=n, max_size=n), min_size=1, max_size=4)))
def test_a_table_in_a_pipe_is_the_same_without_rich(rows):
    columns = [f"Head {number}" for number in range(len(rows[0]))]
    written = []
    for draws in (False, True):
        with pytest.MonkeyPatch.context() as patch:
            if draws:
                patch.setattr(terminal, "plain_table", lambda *_: None)
            stream = io.StringIO()
            terminal.write_table(stream, columns, rows, "T")
            written.append(stream.getvalue())
    assert written[0] == written[1]


@pytest.mark.parametrize(
    "cell", ["\u4e2d\u6587", "a" * 999, "a\u0301", "a\u200bb"], ids=["wide", "no room", "combining", "no width"]
)
def test_rich_draws_what_is_not_simple(cell):
    assert terminal.plain_table(("",), [(cell,)]) is None
    assert terminal.plain_table(("",), [("a" * 998,)]) is not None


def test_every_character_of_a_simple_cell_has_one_column():
    from rich.cells import get_character_cell_size

    simple = [character for character in map(chr, range(0x20, 0x3000)) if not terminal._WIDE.search(character)]
    assert len(simple) > 600
    assert [character for character in simple if get_character_cell_size(character) != 1] == []


@pytest.mark.parametrize("cell", ["a", "\u4e2d\u6587"], ids=["without rich", "with rich"])
def test_a_title_in_a_pipe_stays_on_one_line(cell, capsys):
    title = "drivers/a folder/with a long name.sys: kernel policy"
    Output().table(("A",), [(cell,)], title=title)
    assert capsys.readouterr().out.splitlines()[0] == title


def test_a_pipe_without_unicode_has_a_table_in_ascii():
    stream = io.TextIOWrapper(io.BytesIO(), "ascii")
    terminal.write_table(stream, ("A", "B"), [("1", "2")])
    stream.flush()
    text = stream.buffer.getvalue().decode("ascii")
    assert "1 | 2" in text


def test_a_table_with_many_rows_looks_the_same_without_rich(capsys, monkeypatch):
    Output().table(COLUMNS, ROWS, title="All\nof them")
    drawn = capsys.readouterr().out
    monkeypatch.setattr("signer.cli.terminal.MAX_DRAWN_ROWS", 1)
    monkeypatch.setattr("signer.cli.terminal.plain_table", lambda *_: None)
    monkeypatch.setattr("signer.cli.terminal._table", lambda *_, **__: pytest.fail("rich draws it"))
    Output().table(COLUMNS, ROWS, title="All\nof them")
    large = capsys.readouterr().out
    assert large == drawn


def test_a_cell_of_a_large_table_can_not_forge_a_row(capsys, monkeypatch):
    monkeypatch.setattr("signer.cli.terminal.MAX_DRAWN_ROWS", 0)
    monkeypatch.setattr("signer.cli.terminal.plain_table", lambda *_: None)
    Output().table(("File", "State"), [("a.sys\nb.sys   accepted", ("two", "lines"))])
    lines = capsys.readouterr().out.strip().splitlines()
    assert lines[2:] == [" a.sys\\nb.sys   accepted   two; lines"]


def test_a_long_cell_is_not_drawn_by_rich_and_does_not_pad_the_other_rows(capsys, monkeypatch):
    """A megabyte in the name of a file would be a megabyte of spaces for each other row."""
    monkeypatch.setattr("signer.cli.terminal._table", lambda *_, **__: pytest.fail("rich draws it"))
    rows = [("a" * terminal.MAX_DRAWN_TEXT, "long"), *((f"{number}.sys", "short") for number in range(100))]
    Output().table(("File", "State"), rows)
    lines = capsys.readouterr().out.strip().splitlines()
    assert lines[2] == f" {'a' * terminal.MAX_DRAWN_TEXT}   long"
    assert lines[3].split() == ["0.sys", "short"]
    assert max(map(len, lines[3:])) < 300


@pytest.mark.parametrize("rows", [1, 3000], ids=["small", "large"])
def test_a_heading_can_not_forge_a_line(capsys, rows):
    """`catalog diff` has the paths of the catalogs as headings."""
    Output().table(("Kind", "a\nerror: forged \x1b[31m\u202e.cat"), [("member", "a.sys")] * rows)
    text = capsys.readouterr().out
    assert r"a\nerror: forged \x1b[31m\u202e.cat" in text
    assert not set(text) & set("\x1b\u202e")
