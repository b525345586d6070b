"""Expanding SZDD files (COMPRESS.EXE), and refusing malformed ones."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signer.cab.szdd import expand, is_szdd
from signer.errors import MalformedInput
from tests.support.cabinets import szdd, szdd_header


def copy(position: int, length: int) -> bytes:
    """Encode a copy of `length` bytes from a position of the window; the file begins at position 4080."""
    return bytes((position & 0xFF, position >> 4 & 0xF0 | length - 3))


CASES = [
    ("empty", szdd_header(0), b""),
    ("literal-bytes", szdd(b"driver, as it was"), b"driver, as it was"),
    ("a-copy-of-earlier-bytes", szdd_header(8) + b"\x0f" + b"abcd" + copy(4080, 4), b"abcdabcd"),
    ("a-copy-that-overlaps-itself", szdd_header(11) + b"\x03" + b"ab" + copy(4080, 9), b"abababababa"),
    ("the-spaces-of-the-window", szdd_header(5) + b"\x02" + copy(0, 4) + b"!", b"    !"),
    ("from-the-spaces-to-the-file", szdd_header(5) + b"\x01" + b"x" + copy(4079, 4), b"x x x"),
    ("the-longest-copy", szdd_header(19) + b"\x01" + b"-" + copy(4080, 18), b"-" * 19),
]


@pytest.mark.parametrize(("packed", "contents"), [pytest.param(*case[1:], id=case[0]) for case in CASES])
def test_a_file_is_expanded(packed: bytes, contents: bytes) -> None:
    assert is_szdd(packed)
    assert expand(packed) == expand(memoryview(packed)) == contents


def test_the_window_is_a_ring_buffer_of_4096_bytes() -> None:
    data = bytes(range(256)) * 16
    packed = szdd_header(len(data) + 6) + szdd(data)[14:] + b"\x00" + copy(4080, 3) + copy(4079, 3)
    assert expand(packed) == data + data[:3] + bytes((data[-1], data[0], data[1]))


FAULTS = [
    ("another-format", b"MZ" + bytes(20), "not an SZDD file"),
    ("a-truncated-header", szdd(b"x")[:13], "not an SZDD file"),
    ("an-unknown-method", szdd_header(1, b"B") + b"\xffx", "method b'B'"),
    ("truncated", szdd(b"driver, as it was")[:-1], "gives 17 bytes as the expanded size, but the data expands to 16"),
    (
        "too-long",
        szdd_header(3) + szdd(b"four")[14:],
        "gives 3 bytes as the expanded size, but .* expands to 4 or more",
    ),
]


@pytest.mark.parametrize(("packed", "reason"), [pytest.param(*case[1:], id=case[0]) for case in FAULTS])
def test_a_malformed_file_is_refused(packed: bytes, reason: str) -> None:
    with pytest.raises(MalformedInput, match=reason):
        expand(packed)


@given(st.binary(max_size=200), st.integers(0, 5000))
def test_random_data_expands_to_the_size_in_the_header_or_is_refused(items: bytes, size: int) -> None:
    with contextlib.suppress(MalformedInput):
        assert len(expand(szdd_header(size) + items)) == size
