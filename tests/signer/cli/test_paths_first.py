"""A wrong path, option or identity stops a call before anything changes; --keep-going does what can be done."""

from __future__ import annotations

from pathlib import Path

import pytest

from signer.cli.signtool_switches import hint_for_switches, replacement_for
from tests.support.images import PeSpec
from tests.support.inf_files import BASE, write_package
from tests.support.program import MakeOnce, drvsign, state

TSA = ("--timestamp", "http://127.0.0.1:9/")


@pytest.fixture
def folder(work: Path, make_once: MakeOnce) -> Path:
    make_once(_make_drivers)
    return work


def _make_drivers() -> None:
    for number, name in enumerate(("a.sys", "b.sys")):
        Path(name).write_bytes(PeSpec(fill=number).build())
    assert drvsign("sign", "b.sys").code == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ("sign", "a.sys", "gone.sys", "b.sys"),
        ("sign", "a.sys", "gone.sys", "--output-dir", "out"),
        ("sign", "a.sys", "--pfx", "gone.pfx", "--output-dir", "out"),
        ("sign", "a.sys", "--digest", "md5", "--output-dir", "out"),
        ("strip", "b.sys", "gone.sys"),
        ("timestamp", "b.sys", "gone.sys", *TSA),
        ("sign", "/fd", "SHA256", "/f", "x.pfx", "a.sys"),
        ("sign", "-fd", "SHA256", "a.sys"),
        ("strip", "/s", "b.sys"),
        ("package", "/v"),
    ],
    ids=lambda arguments: "-".join(arguments).replace("/", ""),
)
def test_a_wrong_call_changes_nothing(folder: Path, arguments: tuple[str, ...]) -> None:
    before = state(folder)
    assert drvsign(*arguments).code in (2, 3)
    assert state(folder) == before
    assert not (folder / "out").exists()


def test_every_missing_path_is_named(folder: Path) -> None:
    ran = drvsign("sign", "gone.sys", "a.sys", "lost.sys")
    assert "2 paths were not found: gone.sys, lost.sys" in ran.stderr


@pytest.mark.parametrize(
    ("arguments", "actions"),
    [
        (("sign", "a.sys", "gone.sys", "b.sys"), ["signed", "failed", "signed"]),
        (("strip", "gone.sys", "b.sys"), ["failed", "stripped"]),
    ],
    ids=["sign", "strip"],
)
def test_keep_going_does_what_can_be_done(folder: Path, arguments: tuple[str, ...], actions: list[str]) -> None:
    ran = drvsign(*arguments, "--keep-going", "--json")
    assert ran.code == 3
    assert [entry["action"] for entry in ran.document["files"]] == actions


def test_keep_going_signs_the_others_of_a_refused_file(folder: Path) -> None:
    assert drvsign("certs", "create", "colleague").code == 0
    assert drvsign("sign", "b.sys", "--replace", "--certs", "colleague").code == 0
    theirs = Path("b.sys").read_bytes()
    ran = drvsign("sign", "b.sys", "a.sys", "--keep-going", "--json")
    assert ran.code == 3
    assert [entry["action"] for entry in ran.document["files"]] == ["failed", "signed"]
    assert Path("b.sys").read_bytes() == theirs


def test_a_file_that_can_not_be_signed_fails_alone(folder: Path) -> None:
    Path("text.sys").write_bytes(b"text")
    ran = drvsign("sign", "text.sys", "a.sys", "--json")
    assert ran.code == 3
    assert [entry["action"] for entry in ran.document["files"]] == ["failed", "signed"]


def test_verify_answers_for_every_readable_file(folder: Path) -> None:
    ran = drvsign("verify", "b.sys", "gone.sys", "--json")
    assert [Path(entry["path"]).name for entry in ran.document["files"]] == ["b.sys", "gone.sys"]


def test_each_signtool_option_of_a_call_is_replaced(folder: Path) -> None:
    ran = drvsign("sign", "/fd", "SHA256", "/f", "x.pfx", "/tr", "http://t", "a.sys")
    assert ran.code == 2
    assert "'/fd' is an option of SignTool" in ran.stderr
    assert "for /fd use --digest; for /f use --pfx; for /tr use --timestamp" in ran.stderr


def test_verify_recognizes_the_options_of_signtool(folder: Path) -> None:
    ran = drvsign("verify", "/kp", "/c", "x.cat", "b.sys")
    assert ran.code == 2
    assert "for /kp use --policy kernel; for /c use --catalog" in ran.stderr


def test_a_path_that_exists_is_no_option(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert replacement_for("/f") == "--pfx"
    monkeypatch.setattr(Path, "exists", lambda _: True)
    assert replacement_for("/f") is None


@pytest.mark.parametrize("word", ["toaster.sys", "/tmp/f", "--fd", "fd", "/unknown", "-o", "-j"])
def test_other_words_are_no_options_of_signtool(word: str) -> None:
    assert hint_for_switches([word]) is None


@pytest.fixture
def account(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The data folder of an account that has no test identity; b.sys and the package `theirs` are somebody else's."""
    write_package(Path("theirs"), BASE, "sample.sys")
    assert drvsign("package", "theirs").code == 0
    (folder / "testcerts" / "generated").unlink()
    Path("text.sys").write_bytes(b"text")
    return folder.parent / "data"


@pytest.mark.usefixtures("no_pauses")
@pytest.mark.parametrize(
    "arguments",
    [
        ("sign", "b.sys"),
        ("sign", "a.sys", "b.sys"),
        ("sign", "b.sys", "--keep-going"),
        ("sign", "text.sys"),
        ("sign", "a.sys", "--output", "b.sys"),
        ("catalog", "sign", "theirs/sample.cat"),
        ("package", "theirs"),
        ("submission", "build", "theirs", "-o", "x.cab", "--certs", "../data/new"),
        ("package", "theirs", "--replace", "--timestamp", "http://127.0.0.1:9/"),
        ("sign", "a.sys", "--output", "missing/x.sys"),
        ("sign", "a.sys", "--output", "b.sys/x.sys"),
        ("sign", "a.sys", "--output", "x.sys", "--depfile", "missing/x.d"),
        ("sign", "a.sys", "--detached", "missing/x.p7"),
        ("sign", "a.sys", "--output-dir", "b.sys"),
        ("catalog", "sign", "theirs/sample.cat", "--append", "--output", "x.cat"),
        ("package", "theirs", "--output-dir", "b.sys"),
        ("package", "theirs", "--output-dir", "b.sys/out"),
        ("package", "theirs", "--output-dir", "out", "--depfile", "missing/x.d"),
    ],
    ids=" ".join,
)
def test_a_refused_call_creates_no_test_identity(account: Path, arguments: tuple[str, ...]) -> None:
    before = state(Path.cwd())
    assert drvsign(*arguments).code in (1, 3)
    assert (state(Path.cwd()), account.exists()) == (before, False)


@pytest.mark.parametrize("command", ["sign a.sys --depfile out/x.d", "package theirs --depfile out/x.d"])
def test_a_list_of_dependencies_may_be_in_the_folder_that_the_call_creates(account: Path, command: str) -> None:
    assert drvsign(*command.split(), "--output-dir", "out").code == 0
    assert Path("out/x.d").is_file()


@pytest.mark.parametrize("option", ["--output", "--detached"])
def test_a_missing_folder_for_the_result_is_an_error_of_the_call(account: Path, option: str) -> None:
    ran = drvsign("sign", "a.sys", option, "missing/x", "--json")
    assert (ran.code, ran.document["error"]["message"]) == (
        3,
        "missing/x: could not write the file: no such file or directory",
    )


def test_a_file_that_can_be_signed_creates_the_test_identity(account: Path) -> None:
    assert drvsign("sign", "a.sys", "text.sys").code == 3
    assert account.exists()
    assert drvsign("sign", "a.sys").code == 0, "it is the identity that signed"


@pytest.mark.parametrize(
    ("arguments", "key"),
    [
        (("inf", "lint", "gone.inf", "theirs"), "problems"),
        (("inf", "show", "gone.inf", "theirs"), "class"),
        (("certs", "show", "gone.cer", "root.cer"), "certificates"),
    ],
    ids=lambda arguments: " ".join(arguments) if isinstance(arguments, tuple) else None,
)
def test_reading_answers_for_every_file_that_can_be_read(folder: Path, arguments: tuple[str, ...], key: str) -> None:
    write_package(Path("theirs"), BASE, "sample.sys")
    Path("root.cer").write_bytes(Path("testcerts/generated/root.cer").read_bytes())
    ran = drvsign(*arguments, "--json")
    assert (ran.code, len(ran.document["files"])) == (3, 2)
    assert any(entry.get(key) is not None and "gone" not in entry["path"] for entry in ran.document["files"])


def test_fixing_infs_changes_nothing_if_one_is_missing(folder: Path) -> None:
    write_package(Path("theirs"), BASE.replace("PnpLockdown = 1\n", ""), "sample.sys")
    before = state(folder)
    assert drvsign("inf", "lint", "theirs", "gone.inf", "--fix").code == 3
    assert state(folder) == before
    ran = drvsign("inf", "lint", "gone.inf", "theirs", "--fix", "--keep-going", "--json")
    assert (ran.code, [entry["fixed"] for entry in ran.document["files"]]) == (3, [False, True])


@pytest.mark.parametrize(
    ("paths", "others"), [(["gone.sys"], False), (["gone.sys", "lost.sys"], False), (["gone.sys", "a.sys"], True)]
)
def test_other_files_are_only_spoken_of_if_there_are_some(folder: Path, paths: list[str], others: bool) -> None:
    ran = drvsign("sign", *paths)
    assert (ran.code, "hint: Check the path." in ran.stderr, "--keep-going" in ran.stderr) == (3, True, others)
