"""An audit as text: the answer comes first, then tables of drivers by policy and remedy, then what changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest

from signer.audit.baseline import Difference
from signer.audit.rows import LoggedEvent, MachineAnswer, Reason, Row
from signer.reports.audit_text import listed_answers, write_audit, write_differences
from signer.reports.sink import PlainSink
from tests.support.audits import CHANGES, POLICY, SAMPLE, hostile_rows, row


def text_of(rows: Sequence[Row], *, verbose: bool = False) -> str:
    pieces: list[str] = []
    listed = [one for one in rows if one.reason.answer in listed_answers(verbose=verbose)]
    write_audit(listed, Counter(one.reason.answer for one in rows), PlainSink(pieces.append), verbose=verbose)
    return "".join(pieces)


def differences_of(changes: Sequence[Difference], *, verbose: bool = False, after_blank: bool = False) -> list[str]:
    pieces: list[str] = []
    write_differences(changes, PlainSink(pieces.append), verbose=verbose, after_blank=after_blank)
    return "".join(pieces).splitlines()


def test_the_first_two_lines_are_the_answer_and_the_numbers() -> None:
    first, second, empty = text_of(SAMPLE).splitlines()[:3]
    assert first == "3 of 67 drivers stop loading, 1 more unless allowed."
    assert second.startswith("3 stop loading, 1 stops loading unless the allow list names it, 1 did not load before, ")
    assert empty == ""


@pytest.mark.parametrize(
    ("reasons", "lines"),
    [
        (["already-refused"] * 2, ["No driver stops loading: 2 drivers did not load before."]),
        (["loads"], ["The driver does not stop loading.", "1 loads"]),
        (["loads", "already-refused"], ["None of 2 drivers stops loading.", "1 did not load before, 1 loads"]),
        ([], ["No driver was found."]),
    ],
)
def test_the_numbers_do_not_repeat_the_first_line(reasons: list[Any], lines: list[str]) -> None:
    assert text_of([row(str(number), Reason(one)) for number, one in enumerate(reasons)]).splitlines() == lines


def test_a_group_names_its_policy_and_remedy_once_before_its_drivers() -> None:
    lines = text_of(SAMPLE).splitlines()
    start = lines.index("3 drivers stop loading:")
    assert lines[start + 1 : start + 6] == [
        "  Windows Driver Policy, from 2026-04-14 on",
        "  hint: Submit the driver package to Microsoft's Hardware Dev Center.",
        "Driver             Publisher  Signed                   Where",
        "alpha.sys 1.2.3.4  Contoso    cross-signed 2013-05-01  alpha.inf; on pc-1, pc-2",
        "beta.sys 1.2.3.4   Contoso    cross-signed 2014-06-01  beta.inf; on pc-1",
    ]
    assert lines.count("  Windows Driver Policy, from 2026-04-14 on") == 2  # one for each answer
    assert "  Memory integrity" in lines


@pytest.mark.parametrize("verbose", [False, True])
def test_a_blank_line_precedes_each_group(*, verbose: bool) -> None:
    lines = text_of(SAMPLE, verbose=verbose).splitlines()
    titles = [number for number, line in enumerate(lines) if line[:1].isdigit() and line.endswith(":")]
    assert len(titles) > 2
    assert [lines[number - 1] for number in titles] == [""] * len(titles)
    assert not any(one == other == "" for one, other in pairwise(lines))


def test_drivers_that_did_not_load_before_are_listed_only_if_verbose() -> None:
    assert "epsilon.sys" not in text_of(SAMPLE)
    assert "store\\epsilon.inf_amd64\\epsilon.sys 1.2.3.4; epsilon.inf" in text_of(SAMPLE, verbose=True)


def test_fifty_drivers_of_an_answer_are_listed_unless_verbose() -> None:
    rows = [row(f"d{number}", POLICY, "Contoso", "2013-05-01", "Net") for number in range(53)]
    assert text_of(rows).splitlines()[-1] == "    … and 3 more; -v lists all, --output FILE writes them to a table"
    assert "more" not in text_of(rows, verbose=True).partition("\n\n")[2]


def test_machines_with_another_answer_and_events_are_named() -> None:
    event = LoggedEvent(3077, "2026-05-01T00:00:00", "", "Windows Driver Policy", "ci.evtx", "pc-1")
    logged = Reason("stops", "Windows Driver Policy", "2026-05-01", "event-3077", "ci.evtx", "Replace it.", "log")
    answers = (MachineAnswer("pc-1", logged), MachineAnswer("pc-2", Reason("loads")))
    one = Row("C:\\Windows\\a.sys", ("C:\\Windows\\a.sys",), "", logged, SAMPLE[0].identity, (), ("pc-1", "pc-2"))
    one = Row(one.file, one.paths, "", logged, one.identity, (), one.machines, answers, (event,), present=False)
    expected = "the file is not here; on pc-1, pc-2 (loads); event 3077 2026-05-01T00:00:00 policy"
    assert expected in text_of([one])
    assert "the file is not here; on pc-1, pc-2 (loads); event 3077" in text_of([one], verbose=True)


def test_the_error_of_a_file_is_not_a_hint() -> None:
    listed = Reason("needs-file", rule="inventory", remedy="Audit the files.", origin="inventory")
    damaged = Reason("needs-file", rule="file", remedy="The .zip is damaged. Get another copy.")
    rows = [Row(f"{n}.sys", (), "", one, SAMPLE[0].identity) for n, one in enumerate((listed, damaged))]
    lines = text_of(rows).splitlines()
    assert "  hint: Audit the files." in lines
    assert "  The .zip is damaged. Get another copy." in lines


FOLDERS = {
    "a/b/c/d.sys": "a/b/c",
    "/a/b/c/d.sys": "…/b/c",
    "/a/b.sys": "/a",
    "C:\\Windows\\System32\\drivers\\a.sys": "…/System32/drivers",
    "a.sys": ".",
}


@pytest.mark.parametrize("path", FOLDERS)
def test_a_driver_without_a_package_has_its_folder(path: str) -> None:
    one = Row(path, (path,), "ab" * 32, POLICY, SAMPLE[0].identity)
    assert text_of([one]).splitlines()[-2].endswith(f"  {FOLDERS[path]}")


def test_hostile_names_are_escaped() -> None:
    text = text_of(hostile_rows()) + text_of(hostile_rows(), verbose=True)
    assert not set(text) & set("\x00\x1b\u202e\u2028")
    assert "\n::error::" not in text


def test_what_changed_has_the_drivers_that_stop_now_and_no_longer() -> None:
    stopped = Difference("changed", "c.sys", "ab" * 32, "stops", "loads", "ab" * 32)
    assert differences_of([*CHANGES, stopped]) == [
        "",
        "Since the earlier audit: 2 changed, 1 new, 1 gone.",
        "  Stop now:",
        "    store\\alpha.inf_amd64\\alpha.sys: loads, now stops",
        "    store\\beta.inf_amd64\\beta.sys: not there, now stops",
        "  No longer stop:",
        "    c.sys: stops, now loads",
    ]
    assert differences_of([], after_blank=True) == ["Since the earlier audit: no driver changed."]
    assert differences_of([]) == ["", "Since the earlier audit: no driver changed."]


def test_many_changes_are_cut_unless_verbose() -> None:
    many = [Difference("new", f"{n}.sys", f"{n:064}", None, "stops", f"{n:064}") for n in range(60)]
    assert differences_of(many)[-1] == "    … and 10 more; -v lists all"
    assert len(differences_of(many, verbose=True)) == 63
