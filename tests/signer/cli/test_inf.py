"""`drvsign inf`."""

from __future__ import annotations

from pathlib import Path

import pytest

from catalogs.inf.problems import PackageProblem
from tests.support.files import corpus_files
from tests.support.inf_files import BASE, with_change, write_package
from tests.support.program import drvsign, state

INFS = corpus_files("**/*.[iI][nN][fFxX]")


def test_show_tells_what_a_catalog_would_be_made_from(tmp_path: Path) -> None:
    path = write_package(tmp_path)
    ran = drvsign("inf", "show", path, "--json")
    assert ran.code == 0
    (facts,) = ran.document["files"]
    assert ran.document["schema"] == "drvsign.inf/1"
    assert facts["path"] == str(path)
    assert (facts["encoding"], facts["line_ends"], facts["class"]) == ("cp1252", "crlf", "System")
    assert facts["catalogs"] == [{"architecture": "any", "name": "sample.cat"}]
    assert facts["hardware_ids"] == ["root\\sample", "root\\samplecompatible"]
    assert facts["models"][0]["devices"] == [
        {"description": "Sample Device", "install": "Sample", "ids": ["ROOT\\Sample", "ROOT\\SampleCompatible"]}
    ]
    assert facts["files"] == [{"name": "sample.sys", "source": "sample.sys", "architectures": ["amd64"], "line": 29}]
    assert "10_X64" in facts["releases"]
    assert "10_X86" not in facts["releases"]


def test_show_prints_tables(tmp_path: Path) -> None:
    ran = drvsign("inf", "show", write_package(tmp_path))
    assert ran.code == 0
    for text in ("cp1252, CRLF", "Sample Vendor", "05/01/2024,1.2.3.4", "Sample Device", "ROOT\\Sample", "sample.sys"):
        assert text in ran.stdout


def test_lint_of_a_sound_package_is_done(tmp_path: Path) -> None:
    write_package(tmp_path)
    before = state(tmp_path)
    ran = drvsign("inf", "lint", tmp_path)
    assert (ran.code, ran.stdout, ran.stderr) == (0, "0 errors, 0 warnings\n", "")
    assert state(tmp_path) == before


def test_lint_tells_all_problems_in_one_run_and_fails(tmp_path: Path) -> None:
    path = write_package(
        tmp_path, with_change(("05/01/2024", "2024"), ("sample.sys = 1\n", ""), (",2,Service", ",2,X"))
    )
    ran = drvsign("inf", "lint", path, "--json")
    assert ran.code == 1
    (entry,) = ran.document["files"]
    assert ran.document["schema"] == "drvsign.lint/1"
    assert (entry["path"], entry["errors"], entry["warnings"]) == (str(path), 6, 1)
    assert [(problem["code"], problem["line"]) for problem in entry["problems"]] == [
        ("1218", 6),
        ("22.9.6", 6),
        ("1203", 20),
        ("2006", 20),
        ("2083", 22),
        ("1230", 29),
        ("22.9.10", 29),
    ]
    assert all(problem["hint"] and problem["path"] == str(path) for problem in entry["problems"])
    assert "22.9.6" in drvsign("inf", "lint", path).stdout


def test_warnings_alone_do_not_fail(tmp_path: Path) -> None:
    ran = drvsign("inf", "lint", write_package(tmp_path, with_change(("PnpLockdown = 1\n", ""))))
    assert ran.code == 0
    assert "1324" in ran.stdout
    assert "0 errors, 1 warning\n" in ran.stdout


@pytest.mark.parametrize(("day", "code"), [("2024-04-30", 1), ("2024-05-01", 0)])
def test_the_day_can_be_given(tmp_path: Path, day: str, code: int) -> None:
    assert drvsign("inf", "lint", write_package(tmp_path), "--now", day).code == code


def test_releases_can_be_given(tmp_path: Path) -> None:
    path = write_package(tmp_path, BASE.replace("CatalogFile =", "CatalogFile.NTamd64 ="))
    assert drvsign("inf", "lint", path, "--os", "10_X64").code == 0
    ran = drvsign("inf", "lint", path, "--os", "10_VB_ARM64")
    assert ran.code == 1
    assert "22.9.4: Missing ARM64" in ran.stdout
    assert drvsign("inf", "lint", path, "--os", "12_X64").code == 2


def test_files_need_not_be_there_yet(tmp_path: Path) -> None:
    path = write_package(tmp_path)
    (tmp_path / "sample.sys").unlink()
    assert drvsign("inf", "lint", path).code == 1
    assert drvsign("inf", "lint", path, "--no-files").code == 0
    assert drvsign("inf", "lint", path.rename(path.with_suffix(".inx"))).code == 0


def test_a_file_that_was_changed_after_the_catalog_was_made_is_told(tmp_path: Path) -> None:
    write_package(tmp_path)
    assert drvsign("catalog", "build", tmp_path, "--os", "10_X64").code == 0
    assert "stale" not in drvsign("inf", "lint", tmp_path).stdout
    (tmp_path / "sample.inf").write_bytes((tmp_path / "sample.inf").read_bytes() + b"; changed\r\n")
    assert (
        "stale-catalog: sample.inf is not in sample.cat: it was changed after"
        in drvsign("inf", "lint", tmp_path).stdout
    )


BROKEN = {
    "nul": b"[Version]\0",
    "truncated-utf-16": b"\xff\xfe[\0V",
    "binary": bytes(range(256)) * 16,
    "no-section": b"hello\n",
    "unterminated-section": b"[Version\nSignature=x\n",
    "empty": b"",
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_no_inf_is_one_sentence(tmp_path: Path, name: str) -> None:
    path = tmp_path / "a.inf"
    path.write_bytes(BROKEN[name])
    shown = drvsign("inf", "show", path)
    assert shown.code == 3
    assert len(shown.errors) == 1
    ran = drvsign("inf", "lint", path, "--json")
    assert ran.code == 3
    (entry,) = ran.document["files"]
    expected = ["1002", "1299"] if name == "unterminated-section" else ["inf"]
    assert [problem["code"] for problem in entry["problems"]] == expected


def test_every_real_inf_is_shown_and_linted(corpus: Path) -> None:
    readable = [path for path in INFS if "autorun" not in path.name]
    assert len(drvsign("inf", "show", *readable, "--json").document["files"]) == len(readable) > 100
    ran = drvsign("inf", "lint", *readable, "--no-files", "--json")
    assert len(ran.document["files"]) == len(readable)


REPEATED = with_change(('Disk = "Sample Disk"\n', 'Disk = "Sample Disk"\n[Service]\n'))


@pytest.mark.parametrize(
    ("options", "code"),
    [
        pytest.param((), 0, id="as-of-driverver"),
        pytest.param(("--rulever", "latest"), 1, id="latest"),
        pytest.param(("--rulever", "2024-10-01"), 1, id="as-of-the-rule"),
        pytest.param(("--rulever", "2024-09-30"), 0, id="as-of-the-day-before"),
        pytest.param(("--rulever", "soon"), 2, id="not-a-date"),
        pytest.param(("--mode", "x"), 2, id="unknown-mode"),
        pytest.param(("--provider", "Contoso", "--rulever", "latest"), 1, id="provider"),
        pytest.param(("--dry-run",), 2, id="dry-run-of-nothing"),
    ],
)
def test_the_requirements_can_be_given(tmp_path: Path, options: tuple[str, ...], code: int) -> None:
    assert drvsign("inf", "lint", write_package(tmp_path, REPEATED), *options).code == code


def test_mode_h_says_where_its_levels_come_from(tmp_path: Path) -> None:
    path = write_package(tmp_path, with_change(("DefaultDestDir = 13", "DefaultDestDir = 12")))
    strict = drvsign("inf", "lint", path, "--rulever", "latest")
    assert (strict.code, "1322" in strict.stdout) == (1, True)
    ran = drvsign("inf", "lint", path, "--mode", "h", "--rulever", "latest")
    assert (ran.code, ran.stdout) == (0, "0 errors, 0 warnings\n")
    assert "publishes no levels" in ran.stderr


def test_fix_shows_a_diff_and_writes_unless_it_is_a_dry_run(tmp_path: Path) -> None:
    path = write_package(tmp_path, with_change(("PnpLockdown = 1\n", "")))
    before = path.read_bytes()
    shown = drvsign("inf", "lint", path, "--fix", "--dry-run")
    assert "+PnpLockdown = 1\n" in shown.stdout
    assert "1324" in shown.stdout
    assert path.read_bytes() == before
    (entry,) = drvsign("inf", "lint", path, "--fix", "--dry-run", "--json").document["files"]
    assert (entry["fixed"], entry["warnings"]) == (False, 1)
    (entry,) = drvsign("inf", "lint", path, "--fix", "--json").document["files"]
    assert (entry["fixed"], entry["warnings"]) == (True, 0)
    assert "+PnpLockdown = 1\n" in entry["diff"]
    assert b"PnpLockdown = 1\r\n" in path.read_bytes()
    assert drvsign("inf", "lint", path, "--fix").stdout == "0 errors, 0 warnings\n"


def test_fix_leaves_a_file_that_is_not_an_inf(tmp_path: Path) -> None:
    path = tmp_path / "a.inf"
    path.write_bytes(BROKEN["binary"])
    ran = drvsign("inf", "lint", path, "--fix", "--json")
    assert (ran.code, ran.document["files"][0]["fixed"]) == (3, False)
    assert path.read_bytes() == BROKEN["binary"]


def test_rules_lists_every_code_of_the_table(tmp_path: Path) -> None:
    document = drvsign("inf", "rules", "--json").document
    assert document["schema"] == "drvsign.inf-rules/1"
    rules = {rule["code"]: rule for rule in document["rules"]}
    assert sum(code.isdigit() for code in rules) == 202
    assert {"code", "levels", "since", "decided", "reason"} <= set(rules["1324"])
    assert rules["1324"]["levels"] == {"k": "warning", "u": "warning", "w": "error", "h": "unpublished"}
    assert rules["1320"]["levels"]["h"] == "error"
    assert (rules["1202"]["decided"], rules["1202"]["since"]) == (False, None)
    assert "no public list" in rules["1202"]["reason"]
    assert "1202" in drvsign("inf", "rules").stdout


def test_package_reports_infverifs_findings_as_warnings(tmp_path: Path) -> None:
    write_package(tmp_path, with_change(("StartType = 3", "StartType = 7"), ("05/01/2024", "11/01/2024")))
    ran = drvsign("package", tmp_path, "--dry-run", "--json")
    assert ran.code == 0
    assert [(problem["code"], problem["severity"]) for problem in ran.document["problems"]] == [("1081", "warning")]
    assert "1081" in ran.stderr
    checked = drvsign("submission", "check", tmp_path, "--json")
    assert ("1081", "error") in {
        (problem["code"], problem["severity"]) for problem in checked.document["submissions"][0]["problems"]
    }


def test_an_inf_can_be_the_standard_input(tmp_path: Path) -> None:
    """Its files are not checked: it has no folder."""
    data = write_package(tmp_path).read_bytes()
    ran = drvsign("inf", "lint", "-", stdin=data.replace(b"Provider = %Vendor%", b""))
    assert (ran.code, "error -:" in ran.stdout) == (1, True)
    assert drvsign("inf", "lint", "-", stdin=data).code == 0
    assert drvsign("inf", "show", "-", "--json", stdin=data).document["files"][0]["path"] == "-"
    assert drvsign("inf", "lint", "-", "--fix", stdin=data).code == 2


def test_an_interrupted_lint_has_every_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a", "b"):
        write_package(tmp_path / name)

    def interrupted(path: Path, *arguments: object, **options: object) -> list[PackageProblem]:
        if path.parent.name == "b":
            raise KeyboardInterrupt
        return []

    monkeypatch.setattr("catalogs.lint.lint", interrupted)
    ran = drvsign("inf", "lint", tmp_path, "--jobs", "1", "--json")
    assert ran.code == 130
    codes = [[problem["code"] for problem in entry["problems"]] for entry in ran.document["files"]]
    assert codes == [[], ["interrupted"]]
    assert "interrupted: 1 of 2 checked" in ran.stderr
