"""`--format` and `--report`: every command that has them, in every format, with the same exit code."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from signer.cli.options.reports import FILE_FORMATS, FORMATS
from signer.cli.output import Output
from signer.cli.reporting import Answer, ReportFile, Reporting
from signer.reports.model import Report
from signer.reports.places import Places
from tests.support.images import PeSpec
from tests.support.inf_files import HELLO
from tests.support.program import MakeOnce, Ran, drvsign
from tests.support.reports import require_code_quality, require_commands, require_html, require_junit, require_sarif

CALLS = {
    "verify": "verify driver",
    "verify accepted": "verify signed --test-machine",
    "verify undecided": "verify gone.sys driver/hello.sys",
    "verify matrix": "verify signed/hello.sys --matrix",
    "inf lint": "inf lint driver",
    "inf lint rejected": "inf lint bad",
    "catalog check": "catalog check signed/hello.cat signed",
    "catalog check rejected": "catalog check signed/hello.cat driver",
    "submission check": "submission check signed",
    "submission check rejected": "submission check driver.cab",
    "package": "package driver --os 10_X64",
    "package dry run": "package driver --os 10_X64 --dry-run",
    "package refused": "package bad --os 10_X64",
    "explain": "explain Code 52 0xC0000428",
    "explain nothing": "explain empty.log",
}
"""A call of each command that writes reports, and of some in each of its outcomes."""
SHAPES: dict[str, Callable[[str], object]] = {
    "text": lambda text: text,
    "json": json.loads,
    "sarif": require_sarif,
    "junit": require_junit,
    "github": require_commands,
    "gitlab": require_code_quality,
    "markdown": lambda text: text.startswith("## drvsign "),
    "html": require_html,
}
"""What reads each format; it fails for a document that is not well-formed."""


@pytest.fixture
def packages(work: Path, make_once: MakeOnce, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Folders with an unsigned package, a signed one, and one whose INF has an error."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", str(int(time.time())))  # the same signatures from each call
    make_once(_make_packages)
    return work


def _make_packages() -> None:
    for folder in map(Path, ("driver", "signed", "bad")):
        folder.mkdir()
        text = HELLO if folder.name != "bad" else HELLO.replace("ClassGuid", ";ClassGuid")
        (folder / "hello.inf").write_bytes(text.replace("\n", "\r\n").encode())
        (folder / "hello.sys").write_bytes(PeSpec().build())
    assert drvsign("package", "signed", "--os", "10_X64").code == 0
    assert drvsign("submission", "build", "signed", "--unsigned", "-o", "driver.cab").code == 0
    Path("empty.log").write_text("nothing here\n")


def test_every_format_has_a_reader_in_this_test() -> None:
    assert set(SHAPES) == set(FORMATS)


@pytest.mark.parametrize("name", CALLS)
def test_the_exit_code_does_not_depend_on_the_format(packages: Path, name: str) -> None:
    call = CALLS[name].split()
    code = drvsign(*call).code
    for one in FORMATS:
        ran = drvsign(*call, "--format", one)
        assert ran.code == code, one
        assert SHAPES[one](ran.stdout) not in (None, False), one


@pytest.mark.parametrize("name", CALLS)
def test_a_report_in_a_file_is_what_the_format_prints(packages: Path, name: str) -> None:
    call = CALLS[name].split()
    ran = drvsign(*call, *(part for one in FILE_FORMATS for part in ("--report", f"{one}=report.{one}")))
    assert ran.stdout == drvsign(*call).stdout
    for one in FILE_FORMATS:
        assert Path(f"report.{one}").read_text("utf-8") == drvsign(*call, "--format", one).stdout, one


def test_json_is_the_same_by_either_name(packages: Path) -> None:
    assert drvsign("inf", "lint", "bad", "--json").stdout == drvsign("inf", "lint", "bad", "--format", "json").stdout


@pytest.mark.parametrize("option", ["--format=sarif", "--report=sarif=-", "--report=sarif=/dev/stdout"])
def test_a_report_on_stdout_is_printed_instead_of_the_text(packages: Path, option: str) -> None:
    assert require_sarif(drvsign("verify", "driver", option).stdout)["invocations"][0]["exitCode"] == 1


def test_sarif_names_the_line_of_the_inf_and_the_file_below_the_workspace(
    packages: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_WORKSPACE", str(packages.parent))
    run = require_sarif(drvsign("inf", "lint", "bad", "--format", "sarif").stdout)
    (error,) = run["results"]
    assert run["tool"]["driver"]["rules"][0]["shortDescription"]["text"] == "Missing directive '…' under […] section."
    place = error["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "work/bad/hello.inf"
    line = place["region"]["startLine"]
    assert HELLO.splitlines()[line - 1] == "[Version]"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("--format sarfi", "'sarfi' is not a report format; did you mean sarif?"),
        ("--report sarfi=x", "'sarfi' is not a report format; did you mean sarif?"),
        ("--format yaml", "choose one of text, json, sarif"),
        ("--report text=x", "'text' is not a report format"),
        ("--report sarif", "'sarif' has no file"),
        ("--report sarif=", "the path is empty"),
        ("--json --format sarif", "two results would be written to the standard output: json and sarif"),
        ("--report sarif=- --report json=-", "two results would be written to the standard output"),
        ("--format text --report sarif=-", "two results would be written to the standard output: text and sarif"),
        ("--report sarif=x --report json=./x", "two results would be written to this file"),
        ("--report sarif=driver/hello.inf", "the report would replace a file of a driver package"),
        ("--report sarif=driver/hello.sys", "the report would replace a file of a driver package"),
    ],
)
def test_a_wrong_option_ends_in_2_before_anything_is_checked(packages: Path, arguments: str, message: str) -> None:
    ran = drvsign("verify", "driver", *arguments.split())
    assert ran.code == 2
    assert message in ran.stderr
    assert "rejected" not in ran.stdout


@pytest.mark.parametrize(("place", "message"), [("nix/x.sarif", "folder does not exist"), ("driver", "is a folder")])
def test_a_report_that_can_t_be_written_ends_in_3_before_anything_is_checked(
    packages: Path, place: str, message: str
) -> None:
    ran = drvsign("verify", "driver", "--report", f"sarif={place}")
    assert (ran.code, ran.stdout) == (3, "")
    assert message in ran.stderr


@pytest.mark.skipif(os.name == "nt", reason="devices of POSIX")
def test_a_device_is_written_to_and_not_replaced(packages: Path) -> None:
    assert drvsign("verify", "driver", "--report", "sarif=/dev/null").code == 1
    assert Path("/dev/null").is_char_device()
    full = drvsign("verify", "driver", "--report", "sarif=/dev/full")
    assert full.code == 3
    assert "no space left" in full.stderr


def test_an_existing_report_is_replaced_and_a_link_is_kept(packages: Path) -> None:
    Path("real.sarif").write_text("old")
    Path("link.sarif").symlink_to("real.sarif")
    drvsign("verify", "driver", "--report", "sarif=link.sarif")
    assert Path("link.sarif").is_symlink()
    require_sarif(Path("real.sarif").read_text("utf-8"))


def test_an_error_that_stops_the_command_is_in_every_report(packages: Path) -> None:
    def call(*options: str) -> Ran:
        return drvsign("catalog", "check", "gone.cat", "driver", *options)

    ran = call("--report", "sarif=x.sarif", "--report", "json=x.json")
    assert (ran.code, ran.errors) == (3, ["error: gone.cat: could not read the file: no such file or directory"])
    (invocation,) = require_sarif(Path("x.sarif").read_text("utf-8"))["invocations"]
    assert (invocation["executionSuccessful"], invocation["exitCode"]) == (False, 3)
    assert json.loads(Path("x.json").read_text("utf-8"))["error"]["code"] == "file"
    assert require_sarif(call("--format", "sarif").stdout)["results"][0]["ruleId"] == "file"
    assert call("--json").document["schema"] == "drvsign.error/1"


def test_annotations_follow_the_text_in_github_actions(packages: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = drvsign("verify", "driver").stdout
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    ran = drvsign("verify", "driver", "--report", "json=x.json")
    assert ran.stdout.startswith(text)
    levels = [level for level, _, _ in require_commands(ran.stdout.removeprefix(text))]
    assert levels == ["error", "error"]
    assert drvsign("verify", "driver", "--json").document["schema"] == "drvsign.verdict/1"
    (error,) = require_commands(drvsign("catalog", "check", "gone.cat", "driver").stdout)
    assert error[1] == {"title": "drvsign catalog check: file", "file": "gone.cat"}
    assert "::" not in drvsign("verify", "signed", "--test-machine", "--format", "junit").stdout


def test_a_job_summary_is_added_to_the_summary_of_earlier_commands(
    packages: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", "summary.md")
    for command in (("inf", "lint"), ("verify",)):
        drvsign(*command, "driver", "--report", "markdown=summary.md", "--report", "markdown=other.md")
    assert re.findall(r"^## .*", Path("summary.md").read_text("utf-8"), re.MULTILINE) == [
        "## drvsign inf lint",
        "## drvsign verify",
    ]
    assert Path("other.md").read_text("utf-8").count("## drvsign") == 1


def test_a_package_that_can_t_be_signed_names_the_line_of_its_inf(packages: Path) -> None:
    (packages / "bad" / "hello.inf").write_text(HELLO)
    (packages / "bad" / "hello.sys").unlink()
    run = require_sarif(drvsign("package", "bad", "--os", "10_X64", "--format", "sarif").stdout)
    place = run["results"][0]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "bad/hello.inf"
    assert HELLO.splitlines()[place["region"]["startLine"] - 1] == "hello.sys"
    assert run["invocations"][0]["exitCode"] == 3


def test_how_to_export_logs_is_no_report(packages: Path) -> None:
    ran = drvsign("explain", "--how", "--report", "sarif=x.sarif")
    assert ran.code == 2
    assert "--how writes no report" in ran.stderr


def test_an_interrupted_call_reports_what_is_left(packages: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("catalogs.lint.lint", interrupt)
    ran = drvsign("inf", "lint", "driver", "--format", "sarif")
    assert ran.code == 130
    run = require_sarif(ran.stdout)
    assert (run["invocations"][0]["exitCode"], run["results"][0]["ruleId"]) == (130, "interrupted")


@pytest.mark.parametrize("end", [BrokenPipeError(), SystemExit(1)], ids=["of stdout", "by rich"])
def test_a_pipe_that_ends_early_loses_no_report(tmp_path: Path, end: BaseException) -> None:
    """As in `drvsign audit … --report html=F | head`."""

    def text(sink: object) -> None:
        raise end

    def no_model() -> Report:
        raise AssertionError("neither format needs it")

    files = [ReportFile("html", tmp_path / "a.html"), ReportFile("json", tmp_path / "a.json")]
    reporting = Reporting("audit", "text", files, Places(tmp_path, tmp_path))
    with pytest.raises(type(end)):
        reporting.write(Output(), Answer(text, lambda: {"a": 1}, no_model, {"html": lambda: ["page"]}))
    assert ((tmp_path / "a.html").read_text(), (tmp_path / "a.json").read_text()) == ("page", '{"a": 1}\n')
