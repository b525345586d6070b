"""Tables: whole words where there is little room, and no blanks at the ends of lines in a pipe."""

from __future__ import annotations

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
