"""Response files, wildcards and backslashes, in the words of any front end."""

from __future__ import annotations

import codecs
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signer.cli.front_ends.signtool.switches import SIGN
from signer.cli.front_ends.switches import parse
from signer.cli.front_ends.words import expanded, files, local
from signer.errors import FileError, UsageError
from tests.support.front_ends import tool

ENCODINGS: dict[str, Callable[[str], bytes]] = {
    "UTF-8": str.encode,
    "UTF-8 with its mark": lambda text: codecs.BOM_UTF8 + text.encode(),
    "UTF-16, little-endian": lambda text: codecs.BOM_UTF16_LE + text.encode("utf-16-le"),
    "UTF-16, big-endian": lambda text: codecs.BOM_UTF16_BE + text.encode("utf-16-be"),
    "the Western code page": lambda text: text.encode("cp1252"),
}


@pytest.mark.parametrize("encode", ENCODINGS.values(), ids=ENCODINGS)
@pytest.mark.parametrize("newline", ["\n", "\r\n"], ids=["LF", "CRLF"])
def test_a_response_file_has_more_words(work: Path, encode: Callable[[str], bytes], newline: str) -> None:
    text = newline.join(['/fd SHA256 /d "Großer Treiber"', '/du:"x y"z', "", "a.sys b.sys", ""])
    Path("options.rsp").write_bytes(encode(text))
    found = expanded(["sign", "@options.rsp", "c.sys"], SIGN.switches)
    assert found == ["sign", "/fd", "SHA256", "/d", "Großer Treiber", "/du:x yz", "a.sys", "b.sys", "c.sys"]


def test_a_line_of_a_list_is_one_file(work: Path) -> None:
    Path("my driver.sys").write_bytes(b"")
    Path("list.txt").write_text('my driver.sys\n"my driver.sys"\nother driver.sys\n')
    assert expanded(["@list.txt"], {}) == ["my driver.sys", "my driver.sys", "other", "driver.sys"]


def test_a_response_file_can_name_another(work: Path) -> None:
    Path("a.rsp").write_text("/q @b.rsp")
    Path("b.rsp").write_text("x.sys")
    assert expanded(["@a.rsp", "@b.rsp"], SIGN.switches) == ["/q", "x.sys", "x.sys"]


def test_response_files_that_name_each_other_end(work: Path) -> None:
    Path("a.rsp").write_text("@b.rsp")
    Path("b.rsp").write_text("@a.rsp")
    with pytest.raises(UsageError, match="name each other"):
        expanded(["@a.rsp"], {})


def test_a_long_row_of_response_files_ends(work: Path) -> None:
    for number in range(12):
        Path(f"{number}.rsp").write_text(f"@{number + 1}.rsp")
    with pytest.raises(UsageError, match="name each other"):
        expanded(["@0.rsp"], {})


def test_response_files_that_name_others_many_times_end(work: Path) -> None:
    """Seven files of a few hundred bytes would have 10^14 words."""
    for number in range(6):
        (work / f"{number}.rsp").write_text(f"@{number + 1}.rsp " * 200)
    (work / "6.rsp").write_text("/v " * 200)
    with pytest.raises(UsageError, match="more than 262,144 words"):
        expanded(["@0.rsp"], {"v"})
    assert len(expanded(["@5.rsp"], {"v"})) == 200 * 200


def test_a_name_after_an_at_sign_that_is_no_file_is_a_word(work: Path) -> None:
    assert expanded(["@none.rsp", "@", "@\0"], {}) == ["@none.rsp", "@", "@\0"]


def test_a_folder_and_a_large_file_are_no_response_files(work: Path) -> None:
    Path("folder").mkdir()
    Path("large.rsp").write_bytes(bytes((1 << 20) + 1))
    for word, said in (("@folder", "not a file"), ("@large.rsp", "larger than 1 MB")):
        with pytest.raises(FileError, match=said):
            expanded([word], {})


@given(st.binary(max_size=200))
def test_any_bytes_are_words(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.mktemp("rsp") / "any.rsp"
    path.write_bytes(data)
    assert all(isinstance(word, str) for word in expanded([f"@{path}"], SIGN.switches))


@given(st.lists(st.text(max_size=12), max_size=8))
def test_any_words_are_parsed_or_refused(words: list[str]) -> None:
    try:
        parse(SIGN, words)
    except (UsageError, FileError) as error:
        assert error.hint


def test_wildcards_stand_for_what_matches(work: Path) -> None:
    for name in ("b.sys", "a.SYS", "a.inf", "x[1].sys"):
        Path(name).write_bytes(b"")
    assert files(["*.sys"]) == ["a.SYS", "b.sys", "x[1].sys"]
    assert files(["?.inf", "none*.sys", "x[1].sys"]) == ["a.inf", "none*.sys", "x[1].sys"]


@pytest.mark.skipif(Path("a\\b").name != "a\\b", reason="backslashes separate folders here")
def test_backslashes_separate_folders(work: Path) -> None:
    Path("out").mkdir()
    Path("out/a.sys").write_bytes(b"")
    Path("odd\\name.sys").write_bytes(b"")
    assert files(["out\\*.sys", "out\\new.sys", "odd\\name.sys"]) == ["out/a.sys", "out/new.sys", "odd\\name.sys"]
    assert local("plain.sys") == "plain.sys"


def test_a_hyphen_is_a_file(work: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert tool("makecert", "-r", "-n", "CN=X", "-sv", "-", "x.cer") == 0
    assert capfd.readouterr().out == "Succeeded\n"
    assert Path("-").absolute().is_file()
