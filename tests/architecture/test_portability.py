"""What can be checked here for Windows and macOS: calls that only POSIX has, and paths in the form of Windows.

`make lint` also checks the types as on Windows and macOS, where typeshed lacks the functions that these systems lack.
"""

from __future__ import annotations

import ast
import ntpath
import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

import pytest
import typer

from catalogs.inf.problems import PackageProblem
from catalogs.submission import cabinet, portal_signatures
from signer.cli import param_types
from signer.cli.options import depfile
from tests.support.files import ROOT

MODULES = {
    "fcntl",
    "grp",
    "posix",
    "pty",
    "pwd",
    "resource",
    "syslog",
    "termios",
    "tty",
    "msvcrt",
    "winreg",
    "winsound",
}
"""Modules that exist on POSIX only, or on Windows only."""
ATTRIBUTES = {
    "os": "chown chroot copy_file_range fchmod fchown fork forkpty getegid geteuid getgid getpgid getuid initgroups"
    " killpg lchown mkfifo mknod nice openpty posix_fadvise posix_fallocate pread preadv pwrite pwritev"
    " register_at_fork sched_getaffinity sched_setaffinity sendfile setgid setsid setuid statvfs sysconf uname wait4"
    " waitid O_CLOEXEC O_DIRECTORY O_NOCTTY O_NOFOLLOW O_NONBLOCK O_BINARY startfile",
    "signal": "SIGALRM SIGCHLD SIGHUP SIGKILL SIGPIPE SIGQUIT SIGUSR1 SIGUSR2 alarm pause pthread_kill pthread_sigmask"
    " setitimer sigpending sigwait SIG_BLOCK SIG_SETMASK SIG_UNBLOCK",
    "mmap": "MAP_ANONYMOUS MAP_PRIVATE MAP_SHARED MADV_DONTNEED MADV_SEQUENTIAL PROT_READ PROT_WRITE",
    "select": "epoll kqueue poll",
}
"""What these modules have on some systems only."""
ONLY_SOMEWHERE = {f"{module}.{name}" for module, names in ATTRIBUTES.items() for name in names.split()}
GUARDS = ("sys.platform", "os.name", "hasattr(")


def uses(source: str) -> Iterator[tuple[int, str]]:
    """Yield line and name of each use of what some systems lack, unless the function asked for the system before."""
    tree, lines = ast.parse(source), source.splitlines()
    functions = [one for one in ast.walk(tree) if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)]
    for node in ast.walk(tree):
        for name in named(node):
            line = getattr(node, "lineno", 1)
            around = [one for one in functions if one.lineno <= line <= (one.end_lineno or 0)]
            start = max((one.lineno for one in around), default=1)
            if not any(guard in text for guard in GUARDS for text in lines[start - 1 : line]):
                yield line, name


def named(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [one.name for one in node.names if one.name in MODULES]
    if isinstance(node, ast.ImportFrom):
        full = [f"{node.module}.{one.name}" for one in node.names]
        return [node.module] if node.module in MODULES else [one for one in full if one in ONLY_SOMEWHERE]
    return [ast.unparse(node)] if isinstance(node, ast.Attribute) and ast.unparse(node) in ONLY_SOMEWHERE else []


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import fcntl", ["fcntl"]),
        ("from os import fork", ["os.fork"]),
        ("def f():\n    os.getuid()", ["os.getuid"]),
        ("def f():\n    if sys.platform != 'win32':\n        return os.getuid()", []),
        ("def f():\n    sys.platform\ndef g():\n    os.fork()", ["os.fork"]),
        ("def f():\n    os.open(p, getattr(os, 'O_NOCTTY', 0))", []),
        ("import os.path", []),
    ],
)
def test_the_check_finds_calls_without_a_guard(source: str, found: list[str]) -> None:
    assert [name for _, name in uses(source)] == found


def test_no_call_that_some_systems_lack_is_unguarded() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{line} {name}"
        for package in ("signer", "catalogs", "testcerts")
        for path in sorted((ROOT / package).rglob("*.py"))
        for line, name in uses(path.read_text("utf-8"))
    ]
    assert wrong == []


@pytest.fixture
def windows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let code that asks `os` for the separator, or for relative paths, get the answers of Windows."""
    monkeypatch.setattr(os, "sep", "\\")
    monkeypatch.setattr(os, "path", ntpath)


FOLDER, INSIDE = PureWindowsPath(r"C:\build\driver"), PureWindowsPath(r"C:\build\driver\x64\a b.sys")


def test_paths_in_reports_have_slashes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cabinet, "Path", PureWindowsPath)
    problem: Any = PackageProblem("code", "message", INSIDE)
    below: list[Any] = [
        cabinet._below(INSIDE, as_path(FOLDER)),
        portal_signatures._below(problem, as_path(FOLDER)).path,
    ]
    assert below == [PurePosixPath("x64/a b.sys")] * 2


def test_dependencies_for_make_have_slashes(windows: None) -> None:
    assert depfile._escaped(as_path(INSIDE)) == r"C:/build/driver/x64/a\ b.sys"


@pytest.mark.parametrize(
    ("folder", "shown"), [(r"C:\build", r"driver\x64\a b.sys"), (r"D:\out", r"C:\build\driver\x64\a b.sys")]
)
def test_a_ddf_names_files_on_another_drive_by_their_whole_path(windows: None, folder: str, shown: str) -> None:

    assert cabinet._from(as_path(PureWindowsPath(folder)), as_path(OnWindows(INSIDE))) == shown


def test_a_backslash_at_the_end_names_a_folder(windows: None) -> None:
    with pytest.raises(typer.BadParameter, match="ends with a slash"):
        param_types.to_file("signed\\")


class OnWindows(PureWindowsPath):
    """A path that is absolute already."""

    def absolute(self) -> PureWindowsPath:
        return self


def as_path(path: Any) -> Path:
    """The path, for parameters that are declared as paths of the system that runs."""
    return path
