"""A mutant is judged by its own tests and never meets the code before the change; the code itself passes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest

from tests.support.files import ROOT
from tests.support.mutants import copy_tree
from tests.support.mutation.areas import area_of, mutants
from tests.support.mutation.imports import independent
from tests.support.mutation.recording import Recording
from tests.support.mutation.worker import Job, Verdict, Warming

LIMIT = "LIMIT = 3\n\n\ndef small(number):\n    return number < LIMIT\n"
FILES = {
    "limits.py": LIMIT,
    "user.py": "from limits import LIMIT\n\nTWICE = 2 * LIMIT\n",
    "other.py": "NAME = 'other'\n",
    "test_limits.py": "from limits import small\n\n\ndef test_small():\n    assert small(2)\n",
    "test_user.py": "from user import TWICE\n\n\ndef test_twice():\n    assert TWICE == 6\n",
}
SMALL, TWICE = "test_limits.py::test_small", "test_user.py::test_twice"
ENDLESS = f"{LIMIT}\n\ndef small(number):\n    while True:\n        pass\n"


forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows has no fork")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Return a project of two modules with a test each."""
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def verdicts(tree: Path, *jobs: Job, project: list[str]) -> list[Verdict]:
    """Run jobs on limits.py in one process."""
    lines = [json.dumps(asdict(Warming("limits.py", ["json"], project))), *(json.dumps(asdict(job)) for job in jobs)]
    command = [sys.executable, "-m", "tests.support.mutation.worker"]
    environment = os.environ | {"PYTHONPATH": f"{tree}{os.pathsep}{ROOT}", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = subprocess.run(
        command, cwd=tree, env=environment, input="\n".join(lines), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return [Verdict(**json.loads(line)) for line in done.stdout.splitlines()]


@forks
@pytest.mark.parametrize(
    ("source", "tests", "outcome", "by"),
    [
        pytest.param(LIMIT, [SMALL, TWICE], "survived", "", id="the code itself"),
        pytest.param(LIMIT.replace("3", "1"), [SMALL], "killed", SMALL, id="a constant of the module"),
        pytest.param(LIMIT.replace("3", "4"), [SMALL, TWICE], "killed", TWICE, id="a constant used elsewhere"),
        pytest.param(LIMIT.replace("<", "<="), [SMALL, TWICE], "survived", "", id="a change that no test sees"),
        pytest.param("import nothing_of_this_name\n", [SMALL], "killed", "import of test_limits.py", id="no import"),
        pytest.param(ENDLESS, [SMALL], "timeout", "", id="a loop without end"),
    ],
)
def test_a_mutant_is_judged_by_its_tests(tree: Path, source: str, tests: list[str], outcome: str, by: str) -> None:
    job = Job(source, [{test: 1.0} for test in tests], max_seconds=120)
    (found,) = verdicts(tree, job, project=["other"])
    assert (found.outcome, found.by) == (outcome, by)
    assert (tree / "limits.py").read_text(encoding="utf-8") == LIMIT


@forks
def test_a_mutant_does_not_see_the_one_before_it(tree: Path) -> None:
    sources = (LIMIT.replace("3", "1"), LIMIT, LIMIT.replace("3", "2"), LIMIT)
    jobs = [Job(source, [{SMALL: 9.0, TWICE: 9.0}], max_seconds=120) for source in sources]
    found = [one.outcome for one in verdicts(tree, *jobs, project=["other"])]
    assert found == ["killed", "survived", "killed", "survived"]


def test_only_modules_that_do_not_import_the_mutated_one_are_imported_before(tree: Path) -> None:
    names = ["limits", "user", "other"]
    assert independent(names, "limits", tree) == ["other"]
    assert independent(names, "other", tree) == ["limits", "user"]


def test_the_modules_of_a_package_depend_on_the_package(tmp_path: Path) -> None:
    (tmp_path / "box").mkdir()
    for name, text in (("__init__", "from box import inner"), ("inner", ""), ("outer", "")):
        (tmp_path / "box" / f"{name}.py").write_text(text, encoding="utf-8")
    assert independent(["box", "box.inner", "box.outer"], "box.inner", tmp_path) == []


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        pytest.param([2], ["b", "a"], id="the fastest first"),
        pytest.param([3], ["b"], id="one line"),
        pytest.param([1], ["b", "a"], id="a line that runs on import needs all tests of the module"),
        pytest.param([9], ["b", "a"], id="so does a line that no test executes"),
    ],
)
def test_tests_are_those_that_execute_the_line(lines: list[int], expected: list[str]) -> None:
    executed = {"m.py": {1: frozenset[str](), 2: frozenset("ab"), 3: frozenset("b")}}
    assert Recording({"a": 2.0, "b": 1.0, "c": 0.5}, executed, (), ()).tests("m.py", lines) == expected


def test_a_constant_of_a_module_meets_the_tests_that_import_it_first() -> None:
    """They may only compare it, and then execute nothing in the module."""
    seconds = {"test_n.py::a": 1.0, "test_m.py::b": 3.0, "test_m.py::c": 2.0}
    recording = Recording(seconds, {"m.py": {2: frozenset(["test_n.py::a"])}}, (), (), {"test_m.py": frozenset(["m"])})
    assert recording.tests("m.py", [1]) == ["test_m.py::c", "test_m.py::b", "test_n.py::a"]
    assert recording.tests("m.py", [2]) == ["test_n.py::a"]


def test_a_short_run_tries_a_case_of_each_test_first() -> None:
    seconds = {"a[1]": 1.0, "a[2]": 1.0, "a[3]": 1.0, "b[1]": 1.0, "c": 1.0}
    recording = Recording(seconds, {}, (), ())
    assert recording.varied(["a[1]", "a[2]", "b[1]", "a[3]", "c"], 4.0) == ["a[1]", "b[1]", "c", "a[2]"]


def test_a_package_has_mutants_and_tests_of_its_own() -> None:
    assert area_of("signer/pkcs7/http_post.py") == "signer/pkcs7/http_post.py"
    assert area_of("signer/pkcs7/parse.py") == "signer/pkcs7"
    places = {mutant.begin for mutant in mutants("signer/verify/catalogs.py")}
    assert len(places) > 5


def test_mutants_are_made_in_a_copy(tmp_path: Path) -> None:
    copy_tree(tmp_path)
    assert (tmp_path / "signer" / "errors.py").is_file()
    assert not (tmp_path / "build").exists()
