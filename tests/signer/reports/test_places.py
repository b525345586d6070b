"""Paths of reports: below the root of the sources, and as URIs."""

from __future__ import annotations

from pathlib import PurePath, PurePosixPath, PureWindowsPath

import pytest

from signer.reports.places import Places

NOWHERE = Places()
POSIX = Places(PurePosixPath("/work/driver"), PurePosixPath("/work"))
WINDOWS = Places(PureWindowsPath(r"D:\work\driver"), PureWindowsPath(r"D:\work"))

CASES = [
    ("plain-name", NOWHERE, PurePosixPath("hello.inf"), "hello.inf", True),
    (
        "space-unicode-and-reserved-characters",
        NOWHERE,
        PurePosixPath("a b/ü#%?.inf"),
        "a%20b/%C3%BC%23%25%3F.inf",
        True,
    ),
    ("a-colon-is-not-a-scheme", NOWHERE, PurePosixPath("c:d.inf"), "c%3Ad.inf", True),
    ("a-backslash-of-posix-is-no-separator", NOWHERE, PurePosixPath("a\\b.inf"), "a%5Cb.inf", True),
    ("a-byte-that-is-not-utf-8", NOWHERE, PurePosixPath("a\udcff.inf"), "a%FF.inf", True),
    ("a-surrogate-that-is-no-byte", NOWHERE, PurePosixPath("a\ud800.inf"), "a%ED%A0%80.inf", True),
    ("below-the-folder", POSIX, PurePosixPath("x/hello.inf"), "driver/x/hello.inf", True),
    ("dots", POSIX, PurePosixPath("./x/../../other/hello.inf"), "other/hello.inf", True),
    ("absolute-below-the-root", POSIX, PurePosixPath("/work/a/b.inf"), "a/b.inf", True),
    ("outside-the-root", POSIX, PurePosixPath("../../tmp/b.inf"), "file:///tmp/b.inf", False),
    ("windows-relative", WINDOWS, PureWindowsPath(r"x\hello.inf"), "driver/x/hello.inf", True),
    ("windows-other-case", WINDOWS, PureWindowsPath(r"d:\WORK\hello.inf"), "hello.inf", True),
    ("windows-drive", WINDOWS, PureWindowsPath(r"C:\a b\ü.inf"), "file:///C:/a%20b/%C3%BC.inf", False),
    ("windows-share", WINDOWS, PureWindowsPath(r"\\server\sh are\x.inf"), "file://server/sh%20are/x.inf", False),
    ("windows-path-of-a-log", POSIX, PureWindowsPath(r"\Windows\x.sys"), "file:///Windows/x.sys", False),
    ("windows-drive-of-a-log", POSIX, PureWindowsPath(r"C:\Windows\x.sys"), "file:///C:/Windows/x.sys", False),
    ("windows-drive-without-a-root", NOWHERE, PureWindowsPath(r"C:\x.sys"), "file:///C:/x.sys", False),
]


@pytest.mark.parametrize(
    ("places", "path", "uri", "is_relative"), [case[1:] for case in CASES], ids=[c[0] for c in CASES]
)
def test_uris(places: Places, path: PurePath, uri: str, is_relative: bool) -> None:
    assert places.uri(path) == (uri, is_relative)


def test_relative_paths_have_slashes_and_others_are_absolute() -> None:
    assert WINDOWS.relative(PureWindowsPath(r"x\y.inf")) == "driver/x/y.inf"
    assert WINDOWS.relative(PureWindowsPath(r"C:\y.inf")) == "C:/y.inf"
    assert POSIX.relative(PurePosixPath("../../y.inf")) == "/y.inf"
