"""`drvsign explain` on the command line: answers, exit codes, text, one line a file, JSON."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.signer.explain.test_readers import BLOCKED, PATH, xml
from tests.support.images import PeSpec
from tests.support.inf_files import HELLO
from tests.support.program import drvsign

SUBJECT = {"file", "gate", "cause", "rule", "confidence", "codes", "events", "next"}
MACHINE = {"release", "architecture", "secure_boot", "testsigning", "hvci", "driver_policy"}


@pytest.fixture
def log(work: Path) -> Path:
    path = work / "ci.xml"
    path.write_bytes(f"<Events>{xml(3077, **BLOCKED)}</Events>".encode("utf-16"))
    return path


def test_json_is_the_document_of_the_contract(log: Path) -> None:
    ran = drvsign("explain", str(log), "--json")
    document = json.loads(ran.stdout)
    (subject,) = document["subjects"]
    assert (ran.code, document["schema"]) == (0, "drvsign.explanation/1")
    assert set(document["machine"]) >= MACHINE
    assert set(subject) >= SUBJECT
    assert set(subject["next"]) == {"user", "administrator", "developer"}
    assert (subject["file"], subject["gate"], subject["rule"]) == ("X.sys", "driver-policy", "driver-policy")
    assert (subject["confidence"], subject["codes"], subject["events"]) == ("certain", ["0xC0E90002"], [3077])
    assert document["machine"]["driver_policy"] == "enforced"


def test_the_block_names_cause_confidence_and_next_steps(log: Path) -> None:
    ran = drvsign("explain", str(log))
    assert ran.code == 0
    for part in ("X.sys", "Windows Driver Policy", "certain", "event 3077", "user:", "administrator:", "developer:"):
        assert part in ran.stdout


def test_brief_prints_one_line_for_each_file(work: Path) -> None:
    text = "".join(xml(3004, FileNameBuffer=PATH.replace("X", name)) for name in "ABC")
    (work / "three.xml").write_text(text)
    ran = drvsign("explain", "three.xml", "--brief")
    assert [line.split(":")[0] for line in ran.stdout.splitlines()] == ["A.sys", "B.sys", "C.sys"]


def test_options_override_what_the_log_says(log: Path) -> None:
    options = ("--target", "win11-24h2-arm64", "--no-secure-boot", "--hvci", "--driver-policy", "evaluation")
    machine = json.loads(drvsign("explain", str(log), *options, "--json").stdout)["machine"]
    assert (machine["release"], machine["architecture"]) == ("win11-24h2", "arm64")
    assert (machine["secure_boot"], machine["hvci"], machine["driver_policy"]) == (False, True, "evaluation")


def test_standard_input_is_read(work: Path) -> None:
    ran = drvsign("explain", "-", "--json", stdin=b"[SC] StartService FAILED 577:\n")
    assert json.loads(ran.stdout)["subjects"][0]["codes"] == ["577"]


def test_nothing_recognised_exits_with_3_and_says_what_was_looked_for(work: Path) -> None:
    (work / "notes.txt").write_text("nothing of the kind\n")
    ran = drvsign("explain", "notes.txt", "--json")
    assert ran.code == 3
    assert ran.stderr.startswith(
        "error: notes.txt: nothing was recognised\nhint: Run: drvsign explain --how\nLooked for:\n  events"
    )
    assert max(map(len, ran.stderr.splitlines())) <= 80
    assert json.loads(ran.stdout)["subjects"] == []
    (work / "more.txt").write_text("nothing of the kind\n")
    assert drvsign("explain", "notes.txt", "more.txt").stderr.startswith("error: nothing was recognised\n")
    assert drvsign("explain", "notes.txt", "3089").stderr.startswith("error: no driver that was stopped is reported")


def test_control_sequences_of_a_log_do_not_reach_the_terminal(work: Path) -> None:
    (work / "evil.xml").write_text(xml(3004, FileNameBuffer=PATH.replace("X", "\x1b[31mX")))
    ran = drvsign("explain", "evil.xml")
    assert "\x1b" not in ran.stdout + ran.stderr


@pytest.mark.parametrize(("target", "has"), [("win7-x64", False), ("win11-24h2-x64", True)])
def test_how_prints_the_commands_of_a_release(work: Path, target: str, has: bool) -> None:
    ran = drvsign("explain", "--how", "--target", target)
    assert ran.code == 0
    assert "wevtutil epl Microsoft-Windows-CodeIntegrity/Operational" in ran.stdout
    assert ("CiTool --list-policies" in ran.stdout) == has


def test_a_driver_is_checked_and_compared_with_the_log(driver: Path) -> None:
    (driver.parent / "ci.xml").write_text(xml(3004, FileNameBuffer=PATH.replace("X", "toaster")))
    ran = drvsign("explain", "ci.xml", "--driver", "toaster.sys", "--target", "win11-24h2-x64", "--json")
    (subject,) = ran.document["subjects"]
    assert (ran.code, subject["rule"], subject["confidence"]) == (0, "unsigned", "certain")
    assert (subject["prediction"]["agrees"], subject["prediction"]["verdict"]) == (True, "rejected")
    text = drvsign("explain", "ci.xml", "--driver", "toaster.sys").stdout
    assert "agrees with the log" in text


def test_a_package_is_compared_with_the_log_of_its_installation(work: Path) -> None:
    (work / "driver").mkdir()
    (work / "driver" / "hello.inf").write_text(HELLO)
    (work / "driver" / "hello.sys").write_bytes(PeSpec().build())
    (work / "setupapi.dev.log").write_text(
        ">>>  [Setup Import Driver Package - C:\\d\\hello.inf]\n"
        "!!!  sto: Failed to import driver package. Error = 0xE000022F\n"
        "<<<  [Exit status: FAILURE(0xe000022f)]\n"
    )
    ran = drvsign("explain", "setupapi.dev.log", "--package", "driver", "--target", "win11-24h2-x64", "--json")
    (subject,) = ran.document["subjects"]
    assert ran.code == 0
    assert (subject["gate"], subject["prediction"]["rule"], subject["prediction"]["agrees"]) == (
        "pnp",
        "catalog-file",
        True,
    )


def test_a_driver_that_is_missing_is_an_error(log: Path) -> None:
    ran = drvsign("explain", str(log), "--driver", "gone.sys")
    assert ran.code == 3
    assert len(ran.errors) == 1


def test_an_event_about_the_machine_alone_shows_the_state_and_stops_no_driver(work: Path) -> None:
    ran = drvsign("explain", "3084")
    assert ran.code == 3
    assert "Secure Boot: on" in ran.stdout
    assert "no driver that was stopped is reported" in ran.stderr


def test_a_folder_and_a_list_of_logs_are_read(work: Path, log: Path) -> None:
    (work / "logs" / "deep").mkdir(parents=True)
    (work / "logs" / "deep" / "sc.txt").write_text("sc start other\n[SC] StartService FAILED 577:\n")
    (work / "logs" / "picture.png").write_bytes(b"error 577 in x.sys")
    (work / "all.txt").write_text("ci.xml\nlogs\n")
    ran = drvsign("explain", "@all.txt", "--json")
    assert {one["file"] for one in ran.document["subjects"]} == {"X.sys", "other"}


def test_a_text_in_another_language_without_any_field_is_named_as_such(work: Path) -> None:
    (work / "de.txt").write_text("Die Codeintegrität hat festgestellt, dass eine Datei ungültig ist.\n")
    ran = drvsign("explain", "de.txt")
    assert ran.code == 3
    assert "the text is in German" in ran.stderr
    assert "hint: Export the event as XML" in ran.stderr


def test_a_driver_is_matched_by_the_hash_in_3089(driver: Path) -> None:
    (digest,) = drvsign("digest", "toaster.sys", "--json").document["files"]
    events = xml(3004, FileNameBuffer=PATH.replace("X", "renamed")) + xml(
        3089, TotalSignatureCount=0, Hash=digest["digests"]["sha256"].upper(), VerificationError=3
    )
    (driver.parent / "ci.xml").write_text(events)
    ran = drvsign("explain", "ci.xml", "--driver", "toaster.sys", "--target", "win11-24h2-x64", "--json")
    (subject,) = ran.document["subjects"]
    assert (subject["file"], subject["prediction"]["matched_by"]) == ("renamed.sys", "hash")


def test_a_text_in_quotes_is_read(work: Path) -> None:
    ran = drvsign("explain", "Windows cannot verify the digital signature for this file: toaster.sys", "--json")
    (subject,) = ran.document["subjects"]
    assert (subject["file"], subject["codes"]) == ("toaster.sys", ["577"])
    assert "drvsign verify toaster.sys" in subject["next"]["developer"]


def test_a_label_and_its_number_may_be_two_words(work: Path) -> None:
    ran = drvsign("explain", "code", "52", "event", "3004", "--json")
    (subject,) = ran.document["subjects"]
    assert (subject["codes"], subject["events"]) == (["Code 52"], [3004])


def test_a_name_that_a_shell_would_read_is_not_put_into_a_command(work: Path) -> None:
    (work / "evil.xml").write_text(xml(3004, FileNameBuffer=PATH.replace("X", "a;reboot")))
    (subject,) = drvsign("explain", "evil.xml", "--json").document["subjects"]
    assert "drvsign verify FILE" in subject["next"]["developer"]


def test_a_log_with_spaces_in_its_name_that_is_missing_is_no_text(work: Path) -> None:
    ran = drvsign("explain", "my log.evtx")
    assert (ran.code, "neither a file nor a known code" in ran.stderr) == (3, True)
