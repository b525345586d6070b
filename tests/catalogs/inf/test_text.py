"""Decoding and encoding of INF text."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalogs.inf.text import decode
from signer.errors import InfError
from signer.limits import LIMITS

TEXT = "[Version]\r\nProvider = Zoë\r\n"


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        pytest.param(b"\xff\xfe" + TEXT.encode("utf-16-le"), "utf-16-le", id="utf-16-le"),
        pytest.param(b"\xfe\xff" + TEXT.encode("utf-16-be"), "utf-16-be", id="utf-16-be"),
        pytest.param(TEXT.encode("utf-16-le"), "utf-16-le", id="utf-16-le-without-mark"),
        pytest.param(TEXT.encode("utf-16-be"), "utf-16-be", id="utf-16-be-without-mark"),
        pytest.param(b"\xef\xbb\xbf" + TEXT.encode(), "utf-8", id="utf-8"),
        pytest.param(TEXT.encode("cp1252"), "cp1252", id="ansi"),
    ],
)
def test_every_encoding_gives_the_same_text(data: bytes, encoding: str) -> None:
    decoded = decode(data)
    assert decoded.text == TEXT
    assert decoded.encoding == encoding
    assert decoded.to_bytes() == data


def test_utf_8_without_a_bom_is_read_as_ansi_like_windows() -> None:
    assert decode(TEXT.encode()).text == TEXT.encode().decode("cp1252")


@pytest.mark.parametrize("code_page", ["cp1250", "cp1251", "cp1252", "cp1253", "cp437", "cp850", "latin-1"])
@settings(deadline=None)
@given(data=st.binary().filter(lambda data: b"\0" not in data and data[:2] not in (b"\xff\xfe", b"\xfe\xff")))
def test_ansi_text_of_any_bytes_round_trips(data: bytes, code_page: str) -> None:
    if data.startswith(b"\xef\xbb\xbf"):
        data = data[3:]
    assert decode(data, code_page).to_bytes() == data


@settings(deadline=None)
@given(st.text().filter(lambda text: "\0" not in text))
def test_unicode_text_round_trips(text: str) -> None:
    for mark, encoding in ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"), (b"\xef\xbb\xbf", "utf-8")):
        data = mark + text.encode(encoding)
        assert decode(data).text == text
        assert decode(data).to_bytes() == data


def test_unpaired_surrogates_round_trip() -> None:
    data = b"\xff\xfe" + b"[\0a\0]\0" + b"\x00\xd8" + b"\n\0"
    assert decode(data).to_bytes() == data


@pytest.mark.parametrize(
    ("data", "message"),
    [
        pytest.param(b"\xff\xfe[\0V", "truncated", id="truncated-utf-16"),
        pytest.param(b"\xef\xbb\xbf[V\xff]", "not valid UTF-8", id="not-utf-8"),
        pytest.param(b"[Version]\n\0\0\0\0\0", "NUL", id="nul"),
        pytest.param(b"MZ\x90\0\x03\0\0\0\x04\0\0\0\xff\xff" + bytes(range(256)) * 4, "NUL", id="image"),
        pytest.param(b"\xff\xfe" + "[a]\n\0".encode("utf-16-le"), "NUL", id="nul-in-utf-16"),
    ],
)
def test_binary_or_damaged_text_is_rejected(data: bytes, message: str) -> None:
    with pytest.raises(InfError, match=message) as caught:
        decode(data)
    assert caught.value.line is not None or caught.value.offset is not None


@pytest.mark.parametrize(
    "data", [b"PK\x03\x04\x14\0\0\0", b"\0" * 2048, b"MZ\x90\0\x03\0\0\0"], ids=["zip", "disk", "image"]
)
def test_the_hint_for_binary_data_is_not_only_to_save_it_as_text(data: bytes) -> None:
    with pytest.raises(InfError) as caught:
        decode(data)
    assert str(caught.value.hint).startswith("Check the path: the file is probably not an INF.")


def test_a_file_above_the_size_limit_is_rejected() -> None:
    with pytest.raises(InfError, match="bytes"):
        decode(b";" * (LIMITS["inf-size"] + 1))


@pytest.mark.parametrize("code_page", ["cp932", "cp936", "cp949", "cp950", "no-such-page", "utf-7"])
def test_only_single_byte_code_pages_are_accepted(code_page: str) -> None:
    with pytest.raises(InfError, match="code page"):
        decode(b"[Version]", code_page)


@pytest.mark.parametrize(
    ("text", "newlines"),
    [("a", "none"), ("a\nb", "lf"), ("a\r\nb\r\n", "crlf"), ("a\r\nb\n", "mixed"), ("a\rb", "none")],
)
def test_newline_style(text: str, newlines: str) -> None:
    assert decode(text.encode()).newlines == newlines
