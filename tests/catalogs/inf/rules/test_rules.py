"""InfVerif's rules: each has an INF that breaks it and a near miss; Microsoft's own signatures contradict none."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from catalogs.inf.driver import DriverInf
from catalogs.inf.problems import PackageProblem, Severity
from catalogs.inf.rules import CHECKS, UNPARSED, Level, Mode, RuleSet, check, rules
from catalogs.inf.rules.rule import RELEASES
from tests.catalogs.inf.rules import component_cases, file_cases, section_cases, version_cases
from tests.support.files import ROOT, corpus_files, corpus_id, corpus_root
from tests.support.inf_files import BASE, with_change
from tests.support.inf_rule_cases import MARK, Case

CASES: list[Case] = [*version_cases.CASES, *section_cases.CASES, *file_cases.CASES, *component_cases.CASES]
WITHOUT_A_LINE = {"1420", "1003", "utf-8-without-mark", "1210"}
LATEST = RuleSet(latest=True)


def problems_of(text: str, rule_set: RuleSet = LATEST) -> list[PackageProblem]:
    return check(DriverInf.parse(text.encode("cp1252"), Path("sample.inf")), rule_set)


def test_the_base_inf_has_no_problem() -> None:
    assert problems_of(BASE) == []


@pytest.mark.parametrize("case", [pytest.param(case, id=case.id) for case in CASES])
def test_a_rule_reports_the_line_that_breaks_it(case: Case) -> None:
    text = with_change(*case.fires)
    problems = problems_of(text, replace(LATEST, mode=case.mode))
    lines = [number for number, line in enumerate(text.split("\n"), start=1) if line.endswith(MARK)]
    assert len(lines) == 1
    found = [problem for problem in problems if problem.code == case.code]
    assert [problem.line for problem in found] == lines
    assert all(problem.hint and "<value>" not in problem.message for problem in problems)
    assert found[0].severity.value == rules()[case.code].level(case.mode).value or case.code in CAN_BE_WARNINGS


CAN_BE_WARNINGS = {"1078", "2650"}
"""Rules that are less certain than their level: the list of names is not complete, or Windows 10 has no other way."""


@pytest.mark.parametrize("case", [pytest.param(case, id=case.id) for case in CASES])
def test_a_near_miss_breaks_no_rule(case: Case) -> None:
    problems = problems_of(with_change(*case.near), replace(LATEST, mode=case.mode))
    assert case.code not in {problem.code for problem in problems}


ENCODINGS = {
    "ansi": (b"", "cp1252"),
    "utf-16-le": (b"\xff\xfe", "utf-16-le"),
    "utf-16-be": (b"\xfe\xff", "utf-16-be"),
    "utf-16-le-without-mark": (b"", "utf-16-le"),
    "utf-16-be-without-mark": (b"", "utf-16-be"),
    "utf-8": (b"\xef\xbb\xbf", "utf-8"),
}
FORMS = {
    "crlf": lambda text: text.replace("\n", "\r\n"),
    "mixed-newlines": lambda text: text.replace("\n\n", "\r\n\n"),
    "end-of-text": lambda text: f"{text}\x1a[broken\nA = \\",
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize(("mark", "encoding"), ENCODINGS.values(), ids=ENCODINGS)
def test_line_numbers_are_right_in_every_encoding(mark: bytes, encoding: str, form: Callable[[str], str]) -> None:
    for case in CASES:
        text = with_change(*case.fires)
        driver = DriverInf.parse(mark + form(text).encode(encoding), Path("sample.inf"))
        found = [one.line for one in check(driver, replace(LATEST, mode=case.mode)) if one.code == case.code]
        lines = [number for number, line in enumerate(text.split("\n"), start=1) if line.endswith(MARK)]
        assert found == lines, case.id


def test_every_decided_rule_has_a_case_and_a_near_miss() -> None:
    decided = {rule.code for rule in rules().values() if rule.decided} - UNPARSED - WITHOUT_A_LINE
    assert {case.code for case in CASES} == decided
    assert [case.id for case in CASES if not case.near] == []


def test_every_decided_rule_has_a_check_and_every_other_one_a_reason() -> None:
    checked = {code for each in CHECKS for code in each.codes}
    for rule in rules().values():
        assert rule.decided == (rule.code in checked | UNPARSED), rule.code
        assert bool(rule.fix) == rule.decided, rule.code


def test_the_table_has_microsofts_202_codes() -> None:
    assert sum(code.isdigit() for code in rules()) == 202


def test_a_rule_is_no_newer_than_the_first_release_after_the_page_had_its_levels() -> None:
    """The page had levels in each mode from April 2024, for Windows 11 24H2; `since` may be earlier, by another page.

    A code that the page had before is of an earlier release, unless it was then an error with /u only (1300 to 1399),
    or is 1100, whose requirement changed in 24H2.
    """
    for rule in rules().values():
        if not rule.code.isdigit():
            assert rule.documented == ""
            continue
        day, commit = rule.documented.split(" ")
        documented = datetime.date.fromisoformat(day)
        assert (len(commit), documented.year >= 2016) == (10, True), rule.code
        following = min((date for date, _ in RELEASES.values() if date >= documented), default=documented)
        early = rule.code.startswith("13") or rule.code == "1100"
        assert rule.since <= (LEVELS_PUBLISHED if early and documented < LEVELS_PUBLISHED else following), rule.code


LEVELS_PUBLISHED = datetime.date(2024, 10, 1)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        pytest.param(b"\xef\xbb\xbf" + BASE.encode(), "1003", id="utf-8"),
        pytest.param(b"\xfe\xff" + BASE.encode("utf-16-be"), "1003", id="utf-16-be"),
        pytest.param(BASE.encode("utf-16-le"), "1003", id="utf-16-without-mark"),
        pytest.param(BASE.replace('Disk"', 'Disk ü"').encode(), "utf-8-without-mark", id="utf-8-without-mark"),
        pytest.param(b"\xff\xfe" + BASE.encode("utf-16-le"), None, id="utf-16"),
        pytest.param(BASE.replace('Disk"', 'Disk ü"').encode("cp1252"), None, id="ansi"),
    ],
)
def test_encodings_that_windows_does_not_read_are_reported(data: bytes, code: str | None) -> None:
    found = [problem.code for problem in check(DriverInf.parse(data, Path("sample.inf")))]
    assert found == ([] if code is None else [code])


def test_a_provider_can_be_required() -> None:
    other, own = RuleSet(provider="Contoso"), RuleSet(provider="Sample Vendor")
    assert [(problem.code, problem.line) for problem in problems_of(BASE, other)] == [("1210", 5)]
    assert problems_of(BASE, own) == []


HEAD = BASE[: BASE.index("[Manufacturer]")].replace("%Vendor%", "x").replace("PnpLockdown = 1\n", "")


def test_primitive_drivers_get_infverifs_messages() -> None:
    text = HEAD + "[DefaultInstall]\nCopyFiles = @a.sys\n[DefaultUninstall]\n"
    found = {problem.code: problem.message for problem in problems_of(text)}
    assert found["1420"] == "[DefaultInstall]-based INF cannot be processed as Primitive."
    assert found["1421"] == "Section [DefaultUninstall] missing an architecture decoration."
    assert "1420" not in {problem.code for problem in problems_of(text.replace("Install]", "Install.NTamd64]"))}


def test_a_template_may_contain_stampinf_variables() -> None:
    text = with_change(("Models,NTamd64\n", "Models,NT$ARCH$\n"), ("[Models.NTamd64]", "[Models.NT$ARCH$]"))
    text = text.replace("DriverVer = 05/01/2024,1.2.3.4\n", "")
    found = check(DriverInf.parse(text.encode(), Path("sample.inx")), LATEST)
    assert {problem.code for problem in found} == {"2083"}


LEGACY_SECTION = with_change(('Disk = "Sample Disk"\n', 'Disk = "Sample Disk"\n[Service]\n'))


@pytest.mark.parametrize(
    ("driver_date", "rule_set", "severity"),
    [
        pytest.param("05/01/2024", RuleSet(), Severity.WARNING, id="the-rule-is-newer-than-the-inf"),
        pytest.param("10/01/2024", RuleSet(), Severity.ERROR, id="the-inf-is-of-the-day-of-the-rule"),
        pytest.param("05/01/2024", RuleSet(latest=True), Severity.ERROR, id="latest"),
        pytest.param("05/01/2024", RuleSet(as_of=datetime.date(2024, 10, 1)), Severity.ERROR, id="as-of-the-rule"),
        pytest.param(
            "05/01/2025", RuleSet(as_of=datetime.date(2024, 9, 30)), Severity.WARNING, id="as-of-a-day-before"
        ),
        pytest.param("May 2024", RuleSet(), Severity.ERROR, id="no-date"),
    ],
)
def test_a_rule_newer_than_the_inf_is_a_warning_that_names_its_date(
    driver_date: str, rule_set: RuleSet, severity: Severity
) -> None:
    problems = problems_of(LEGACY_SECTION.replace("05/01/2024", driver_date), rule_set)
    (found,) = (problem for problem in problems if problem.code == "1209")
    assert found.severity is severity
    assert ("2024-10-01, Windows 11 24H2" in found.message) == (severity is Severity.WARNING)


def test_the_levels_of_a_mode_decide() -> None:
    text = with_change(("CopyFiles = Drivers", "CopyFiles = Drivers\nAddReg = R\n[R]\nHKLM,SOFTWARE\\X,V,,1"))
    codes = {mode: {problem.code for problem in problems_of(text, RuleSet(mode, latest=True))} for mode in Mode}
    assert [mode.value for mode in Mode if "1304" in codes[mode]] == ["k", "u"]
    assert [mode.value for mode in Mode if "1321" in codes[mode]] == ["w", "h"]


def test_mode_h_has_levels_where_microsoft_publishes_exceptions() -> None:
    published = {code for code, rule in rules().items() if rule.levels[Mode.H] is not Level.UNPUBLISHED}
    assert published == {"1304", "1306", "1320", "1321", "1322", "2660"}
    assert all(rule.level(Mode.H) is rule.level(Mode.W) for rule in rules().values())


REAL = corpus_files("infs/*.[iI][nN][fFxX]", "packages*/*/*.[iI][nN][fF]")


@pytest.mark.parametrize("path", [path for path in REAL if "autorun" not in path.name], ids=corpus_id)
def test_every_real_inf_gets_whole_messages(path: Path) -> None:
    problems = check(DriverInf.read(path), LATEST)
    assert all(problem.hint and "<value>" not in problem.message for problem in problems)


def signed_by_microsoft() -> list[Path]:
    """Return the INFs of packages with a catalog that the Hardware Dev Center signed, by the corpus' own index."""
    index = corpus_root() / "INDEX.tsv"
    rows = (line.split("\t") for line in index.read_text("utf-8").splitlines()) if index.is_file() else ()
    catalogs = [corpus_root() / row[0] for row in rows if row[1] == "cat" and row[4].startswith(PUBLISHER)]
    return sorted({inf for catalog in catalogs for inf in catalog.parent.glob("*.[iI][nN][fF]")})


PUBLISHER = "Microsoft Windows Hardware Compatibility Publisher"


@pytest.mark.parametrize("path", signed_by_microsoft(), ids=corpus_id)
@pytest.mark.parametrize("mode", list(Mode))
def test_an_inf_that_microsoft_signed_has_no_error(path: Path, mode: Mode) -> None:
    """Rules that are newer than the INF are warnings, which name the rule."""
    problems = check(DriverInf.read(path), RuleSet(mode))
    assert [str(problem) for problem in problems if problem.severity is Severity.ERROR] == []
    newer = {problem.code for problem in problems if "newer than the INF" in problem.message}
    errors = {
        one.code for one in check(DriverInf.read(path), RuleSet(mode, latest=True)) if one.severity is Severity.ERROR
    }
    assert newer == errors


def test_the_page_on_infs_lists_the_codes_that_are_not_decided() -> None:
    page = (ROOT / "docs" / "inf.md").read_text("utf-8")
    rows = [line.strip("| ").split(" | ") for line in page.partition("does not decide these codes")[2].splitlines()]
    listed = {row[0]: row[-1] for row in rows if row[0].isdigit()}
    assert listed == {rule.code: rule.reason for rule in rules().values() if rule.reason}
