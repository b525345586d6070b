"""Parsing INF text into sections, and writing sections."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalogs.inf.strings import Strings
from catalogs.inf.syntax import Entry, Inf, Section, write
from signer.errors import InfError
from tests.support.files import corpus_files, corpus_id

INFS = corpus_files("**/*.[iI][nN][fF]", "**/*.[iI][nN][xX]")


def parse(text: str) -> Inf:
    return Inf.parse(text.encode("cp1252"))


def entry(line: str) -> tuple[str | None, tuple[str, ...]]:
    """Return the key and the values of a section's only line."""
    (section,) = parse(f"[s]\r\n{line}\r\n").sections.values()
    (found,) = section.entries
    return found.key, found.values


LINES = [
    ("plain", "a = b", "a", ("b",)),
    ("no-key", "a.sys", None, ("a.sys",)),
    ("list", "CopyFiles = One, Two,Three", "CopyFiles", ("One", "Two", "Three")),
    ("empty-fields", "a.sys,,,2", None, ("a.sys", "", "", "2")),
    ("trailing-comma", "a=1,", "a", ("1", "")),
    ("no-value", "a =", "a", ()),
    ("empty-quotes", '1 = %Disk%,,,""', "1", ("%Disk%", "", "", "")),
    ("comment", "a = b ; c", "a", ("b",)),
    ("semicolon-in-quotes", 'a = "b ; c" ; d', "a", ("b ; c",)),
    ("comma-in-quotes", 'a = "b, c", d', "a", ("b, c", "d")),
    ("doubled-quotes", 'a = "say ""hi"""', "a", ('say "hi"',)),
    ("quotes-in-the-middle", 'a = %12%\\"x y".sys', "a", ("%12%\\x y.sys",)),
    ("spaces-in-quotes", 'a = "  b "', "a", ("  b ",)),
    ("second-equals-sign", "a = b=c", "a", ("b=c",)),
    ("equals-sign-after-a-comma", "HKR,,Name,,x=y", None, ("HKR", "", "Name", "", "x=y")),
    ("quoted-key", '"a = b" = c', "a = b", ("c",)),
    ("continued", "a = b, \\\r\n    c", "a", ("b", "c")),
    ("continued-before-a-comment", "a = b, \\ ; why\r\n c", "a", ("b", "c")),
    ("continued-within-a-word", "a = b\\\r\nc", "a", ("bc",)),
    ("continued-at-the-end", "a = b\\", "a", ("b",)),
    ("backslashes", "a = %13%\\x\\y.sys", "a", ("%13%\\x\\y.sys",)),
    ("backslash-before-a-comma", "a = x\\, y", "a", ("x\\", "y")),
    ("backslash-in-quotes-at-the-end", 'a = "x\\"\r\n', "a", ("x\\",)),
    ("unterminated-quote", 'a = "b, c', "a", ("b, c",)),
    ("semicolon-in-a-token", "%a;b% = c ; d", "%a;b%", ("c",)),
    ("token-before-a-comment-with-one", "a = %12%\\%b%.sys ;%windir%", "a", ("%12%\\%b%.sys",)),
    ("percent-signs-around-a-comment", "a = 50 % ; b", "a", ("50 %",)),
    ("two-backslashes-continue", "a = b\\\\\r\n,c", "a", ("b", "c")),
    ("tabs", "\ta\t=\tb\t", "a", ("b",)),
]


@pytest.mark.parametrize(("line", "key", "values"), [pytest.param(*case[1:], id=case[0]) for case in LINES])
def test_lines_are_read_as_windows_reads_them(line: str, key: str | None, values: tuple[str, ...]) -> None:
    assert entry(line) == (key, values)


@settings(deadline=None)
@given(st.text(alphabet="ab=, \t\\|", min_size=1, max_size=12).filter(lambda line: line.strip(" \t\\")))
def test_a_comment_changes_nothing_before_it(line: str) -> None:
    """Lines with a comment are split into tokens, other lines at once."""
    assert entry(line.rstrip("\\ \t")) == entry(line.rstrip("\\ \t") + " ; comment")


@given(st.text(alphabet="ab;,=\\ %", max_size=12))
def test_a_string_is_kept_as_it_is(text: str) -> None:
    """A line with one quoted string is split at once, one with a comment into tokens."""
    assert entry(f'name = "{text}"') == ("name", (text,)) == entry(f'name = "{text}" ; "comment"')


def test_sections_of_the_same_name_are_merged() -> None:
    inf = parse("[A]\n1\n[b]\n2\n  [a] rest\n3\n")
    section = inf.section("A")
    assert section is not None
    assert section.lines == (1, 5)
    assert [(item.line, item.values) for item in section.entries] == [(2, ("1",)), (6, ("3",))]
    assert list(inf.sections) == ["a", "b"]


def test_a_section_name_is_the_whole_text_in_brackets() -> None:
    inf = parse('[;; Std Mfg ]\na = 1\n[b]\nneeds = ";; Std Mfg "\n')
    assert inf.section(inf.value("b", "needs") or "") is inf.sections[";; std mfg "]


def test_line_numbers_count_continuation_lines() -> None:
    inf = parse("; c\n[a]\nx = 1,\\\n 2\ny = 3\n")
    assert [item.line for item in inf.sections["a"].entries] == [3, 5]


def test_text_after_the_end_of_text_character_is_ignored() -> None:
    assert list(parse("[a]\n1\n\x1a[b]\n2").sections) == ["a"]


def test_an_unterminated_quote_is_reported_with_its_line() -> None:
    (problem,) = parse('[a]\nx = "b\ny = 2\n').problems
    assert (problem.code, problem.line) == ("unterminated-quote", 2)


def test_text_before_the_first_section_is_reported_and_skipped() -> None:
    inf = parse("/*\n * Copyright, 2018\n */\n[a]\nx = 1\n")
    assert list(inf.sections) == ["a"]
    assert next((problem.code, problem.line) for problem in inf.problems) == ("text-before-section", 1)


@pytest.mark.parametrize(
    ("text", "message", "line"),
    [
        pytest.param("", "no sections", None, id="empty"),
        pytest.param("; only a comment", "no sections", None, id="comments"),
        pytest.param("[a]\n[b\nc=d", "no closing bracket", 2, id="unterminated-section"),
        pytest.param(f"[{'a' * 256}]", "longer than 255", 1, id="long-name"),
    ],
)
def test_what_windows_rejects_is_rejected_with_the_line(text: str, message: str, line: int | None) -> None:
    with pytest.raises(InfError, match=message) as caught:
        parse(text)
    assert caught.value.line == line


@pytest.mark.parametrize(
    "piece", ["\\", '"', '""', ",", "=", "a\\ ", "\\;", " ", "x,\\\r\n", "[", "%", "%a", "%;", "%a;"]
)
def test_long_lines_parse_in_linear_time(piece: str) -> None:
    text = "[a]\r\nx" + piece * (500_000 // len(piece))
    start = time.process_time()
    inf = Inf.parse(text.encode())
    Strings(inf).expand(",".join(inf.sections["a"].entries[0].values))
    assert time.process_time() - start < 10, "matching backtracks over the whole line"


NAMES = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters="[]"), min_size=1, max_size=255
)
VALUES = st.text(st.characters(codec="utf-8", exclude_characters="\0\n\x1a"))
ENTRIES = st.tuples(st.none() | VALUES, st.lists(VALUES, max_size=4).map(tuple)).filter(lambda pair: any(pair))


@settings(deadline=None)
@given(st.lists(st.tuples(NAMES, st.lists(ENTRIES)), min_size=1, max_size=4, unique_by=lambda pair: pair[0].lower()))
def test_written_sections_parse_to_the_same_sections(
    content: list[tuple[str, list[tuple[str | None, tuple[str, ...]]]]],
) -> None:
    sections = [
        Section(name, (1,), tuple(Entry(1, key, values or ("",) if key is None else values) for key, values in pairs))
        for name, pairs in content
    ]
    read = Inf.parse(b"\xff\xfe" + write(sections).encode("utf-16-le"))
    assert structure(read) == [(s.name.lower(), [(e.key, e.values) for e in s.entries]) for s in sections]


@settings(deadline=None)
@given(st.binary())
def test_any_bytes_are_parsed_or_rejected(data: bytes) -> None:
    try:
        inf = Inf.parse(b"[a]\n" + data)
    except InfError:
        return
    assert inf.to_bytes() == b"[a]\n" + data


@pytest.mark.parametrize("path", INFS, ids=corpus_id)
def test_every_real_inf_round_trips(path: object) -> None:
    data = path.read_bytes()  # type: ignore[attr-defined]
    inf = Inf.parse(data)
    assert inf.to_bytes() == data
    assert inf.section("Version") or inf.section("AutoRun"), "only autorun.inf has no [Version]"
    again = Inf.parse(b"\xff\xfe" + write(inf.sections.values()).encode("utf-16-le", "surrogatepass"))
    assert structure(again) == structure(inf)


def test_there_are_real_infs(corpus: object) -> None:
    assert len(INFS) > 100


def structure(inf: Inf) -> list[tuple[str, list[tuple[str | None, tuple[str, ...]]]]]:
    """Return the sections of an INF without line numbers."""
    return [(name, [(item.key, item.values) for item in section.entries]) for name, section in inf.sections.items()]


FLOODS = {
    "commas": "a=" + "," * 2_000_000,
    "equals-signs": "=" * 2_000_000,
    "quotes": '"a' * 2_000_000,
    "continuations": "a,\\\r\n" * 700_000,
    "lines": "a=b\r\n" * 1_000_000,
}


@pytest.mark.parametrize("text", FLOODS.values(), ids=FLOODS)
def test_too_many_entries_or_tokens_are_rejected(text: str) -> None:
    with pytest.raises(InfError, match=r"more than [\d,]+ (entries|tokens)|longer than 1,048,576 characters"):
        parse("[s]\r\n" + text)


def test_looking_up_a_key_does_not_scan_the_section() -> None:
    section = parse("[s]\r\n" + "".join(f"k{i}=1\r\n" for i in range(20_000))).sections["s"]
    started = time.process_time()
    assert all(section.first(f"K{i}") for i in range(20_000))
    assert time.process_time() - started < 2
