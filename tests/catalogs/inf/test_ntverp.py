"""`catalogs.inf.ntverp`: the version of Ntverp.h, whatever else is in the header."""

from __future__ import annotations

from pathlib import Path

import pytest

from catalogs.inf.ntverp import version_in
from signer.errors import InfError

HEADER = (
    "#define VER_PRODUCTMAJORVERSION 10\n#define VER_PRODUCTMINORVERSION /* none */ 0\n/* the build,\nas a number */\n"
    "#define VER_PRODUCTBUILD 26100\n#define VER_PRODUCTBUILD_QFE 1 // fix\n"
)
PATH = Path("ntverp.h")


def test_comments_are_left_out_and_their_lines_count() -> None:
    with pytest.raises(InfError) as caught:
        version_in(HEADER.replace("VER_PRODUCTBUILD_QFE 1", "VER_PRODUCTBUILD_QFE 99999").encode(), PATH)
    assert caught.value.line == 6


def test_the_version_has_the_numbers_of_four_macros() -> None:
    assert version_in(HEADER.encode(), PATH) == "10.0.26100.1"
    assert version_in(HEADER.replace("\n", "\r\n").encode(), PATH) == "10.0.26100.1"


def test_what_follows_a_comment_without_an_end_is_a_comment() -> None:
    with pytest.raises(InfError, match="does not define VER_PRODUCTMAJORVERSION"):
        version_in(HEADER.replace("*/", "").replace("#", "/*#", 1).encode(), PATH)


@pytest.mark.parametrize(
    "piece", [b"/* ", b"#define A 1\n", b"//", b"#define "], ids=["comment", "macro", "line", "word"]
)
def test_a_large_header_takes_no_time(piece: bytes) -> None:
    """A comment without an end was searched for its end at each of its `/*`: 100 KB took 15 seconds."""
    with pytest.raises(InfError, match="does not define"):
        version_in(piece * (4_000_000 // len(piece)), PATH)
