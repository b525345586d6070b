"""The results of commands that change files, as text and as `drvsign.result/1`."""

from __future__ import annotations

from pathlib import Path

from signer.algorithms import DigestAlgorithm
from signer.errors import FileError, PackageError
from signer.reports.file_results import FileResult, failed_results, result_document, results_summary, write_results
from signer.reports.sink import PlainSink

SIGNED = FileResult(Path("a.sys"), "signed", DigestAlgorithm.SHA256, b"\x01\x02", "Contoso", "from b.sys")
SKIPPED = FileResult(Path("c.sys"), "skipped")
FAILED = FileResult(
    Path("d.sys"), "failed", error=FileError("file or folder not found", path="d.sys", hint="Check it.")
)


class Problem:
    """A problem of a package, as `catalogs.inf.problems.PackageProblem` is one."""

    def __init__(self, severity: str, path: str) -> None:
        self.severity, self.path = severity, path

    def __str__(self) -> str:
        return f"{self.path}: 22.9.1: not found"

    def as_json(self) -> dict[str, str]:
        return {"code": "22.9.1", "severity": self.severity, "path": self.path, "hint": "Copy it there."}


def test_the_document_lists_every_file() -> None:
    document = result_document([SIGNED, FAILED])
    assert document == {
        "schema": "drvsign.result/1",
        "files": [
            {
                "path": "a.sys",
                "action": "signed",
                "digest_algorithm": "sha256",
                "digest": "0102",
                "signer": "Contoso",
                "error": None,
            },
            {
                "path": "d.sys",
                "action": "failed",
                "digest_algorithm": None,
                "digest": None,
                "signer": None,
                "error": {"code": "file", "message": "d.sys: file or folder not found", "hint": "Check it."},
            },
        ],
    }


def test_the_text_has_one_line_for_each_file_that_did_not_fail() -> None:
    written: list[str] = []
    write_results([SIGNED, SKIPPED, FAILED], PlainSink(written.append))
    assert "".join(written) == "signed a.sys  (sha256, Contoso, from b.sys)\nskipped c.sys\n"
    assert results_summary([SIGNED, SKIPPED, SKIPPED, FAILED]) == "1 signed, 2 skipped, 1 failed."


def test_an_error_of_a_package_is_a_result_and_so_is_each_of_its_problems() -> None:
    """Warnings do not make a file fail."""
    problems = (Problem("error", "x.sys"), Problem("warning", "y.sys"))
    error = PackageError("1 problem forbids the catalog", problems=problems)
    found = list(failed_results(error, Path("driver")))
    assert [(one.path, one.error.code if one.error else None) for one in found] == [
        (Path("driver"), "package"),
        (Path("x.sys"), "22.9.1"),
    ]
    assert found[1].error is not None
    assert found[1].error.hint == "Copy it there."
