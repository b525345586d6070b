"""`--machine-state`: files with the states of machines."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from signer.cli.options.machine_states import MAX_SIZE, load_machine_state
from signer.cli.options.verify import MachineOptions
from signer.errors import ConfigError
from tests.support.images import PeSpec
from tests.support.program import drvsign

LARGE = "#" * MAX_SIZE
TOML = 'target = "win10-22h2-x64"\nhvci = true\nsecure-boot = false\nblock-list = "lists/block.xml"\n'


@pytest.mark.parametrize(
    "data",
    [
        TOML.encode(),
        TOML.encode("utf-16"),
        json.dumps(
            {"target": "win10-22h2-x64", "HVCI": True, "secure_boot": False, "block-list": "lists/block.xml"}
        ).encode("utf-8-sig"),
        b'{"target": "win10-22h2-x64", "hvci": true, "secure-boot": false, "publisher": null, '
        b'"block-list": "lists/block.xml"}',
    ],
    ids=["TOML", "UTF-16", "JSON", "JSON with null"],
)
def test_the_file_overrides_the_options_of_the_call(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "pc.toml"
    path.write_bytes(data)
    stated = load_machine_state(path, MachineOptions(secure_boot=True, upgraded=True))
    assert stated.target == "win10-22h2-x64"
    options = stated.options
    assert (options.hvci, options.secure_boot, options.upgraded) == (True, False, True)
    assert options.block_list == tmp_path / "lists" / "block.xml"


RELEASES = {
    "build = 26100": "win11-24h2-x64",
    'build = 22631\narchitecture = "arm64"': "win11-23h2-arm64",
    "build = 20348\nserver = true": "server2022-x64",
    "hvci = true": None,
}


@pytest.mark.parametrize(("text", "target"), RELEASES.items())
def test_a_build_stands_for_its_release(tmp_path: Path, text: str, target: str | None) -> None:
    (tmp_path / "pc.toml").write_text(text)
    assert load_machine_state(tmp_path / "pc.toml", MachineOptions()).target == target


_EXAMPLE = 'target = "win11-24h2-x64"'
WRONG: dict[str, tuple[str, str]] = {
    "a misspelled key": ("secureboot = true", "Known: secure-boot."),
    "a key of another kind": ("color = 1", "Known: allow-list"),
    "a text for a number": ('build = "26100"', "Write a number, such as: build = 26100"),
    "a number for a truth value": ("hvci = 1", "Write true or false, such as: hvci = true"),
    "no release has the build": ("build = 1", "Write the release instead of the build, such as: target = "),
    "a number for a text": ("driver-policy = 1", 'Write a text in quotes, such as: driver-policy = "enforced"'),
    "no value of the option": ('driver-policy = "on"', "Choose one of off, evaluation, enforced."),
    "no word about a publisher": ('publisher = "me"', "Choose one of trusted, untrusted, unknown."),
    "a key twice in JSON": ('{"hvci": true, "hvci": false}', _EXAMPLE),
    "a key twice in two spellings": ("secure-boot = true\nsecure_boot = false", _EXAMPLE),
    "a date for a text": ("target = 2026-01-01", 'such as: target = "win11-24h2-x64"'),
    "not TOML": ("Secure Boot is on", 'target = "win11-24h2-x64"'),
    "a list": ("[1, 2]", 'target = "win11-24h2-x64"'),
}


@pytest.mark.parametrize(("text", "hint"), WRONG.values(), ids=WRONG.keys())
def test_a_wrong_file_says_what_to_change(tmp_path: Path, text: str, hint: str) -> None:
    (tmp_path / "pc.toml").write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_machine_state(tmp_path / "pc.toml", MachineOptions())
    assert caught.value.path == tmp_path / "pc.toml"
    assert hint in (caught.value.hint or "")


def test_a_wrong_choice_is_reported_as_the_key_of_the_file(tmp_path: Path) -> None:
    """Not as the option of the command line, which has the same values."""
    (tmp_path / "pc.toml").write_text('driver-policy = "on"')
    with pytest.raises(ConfigError) as caught:
        load_machine_state(tmp_path / "pc.toml", MachineOptions())
    assert caught.value.message == "driver-policy can't be 'on'"


@pytest.mark.parametrize("name", ["a\\u0000b", "\\ud800"], ids=["NUL", "a lone surrogate"])
def test_a_path_that_no_file_can_have_is_an_error_of_the_path(work: Path, name: str) -> None:
    (work / "a.sys").write_bytes(PeSpec().build())
    (work / "pc.json").write_text(f'{{"block-list": "{name}"}}')
    ran = drvsign("audit", "--machine", "pc=a.sys", "--machine-state", "pc=pc.json")
    assert (ran.code, len(ran.errors), "no file can have this name" in ran.stderr) == (3, 1, True)


def test_a_binary_file_is_not_the_state_of_a_machine(tmp_path: Path) -> None:
    (tmp_path / "pc.toml").write_bytes(b"\x99\x00")
    with pytest.raises(ConfigError, match="not text in UTF-8"):
        load_machine_state(tmp_path / "pc.toml", MachineOptions())


def audited(*arguments: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(drvsign("audit", *arguments, "--json").stdout)
    return document


def test_each_machine_has_its_own_answer_and_the_worst_comes_first(work: Path) -> None:
    (work / "a.sys").write_bytes(PeSpec().build())
    (work / "x86.toml").write_text('target = "win11-24h2-arm64"\n')
    machines = ("--machine", "pc-1=a.sys", "--machine", "pc-2=a.sys", "--machine-state", "pc-1=x86.toml")
    document = audited(*machines)
    (row,) = document["drivers"]
    assert [(one["machine"], one["answer"]) for one in row["answers"]] == [
        ("pc-2", "already-refused"),
        ("pc-1", "not-for-target"),
    ]
    assert row["answer"] == "already-refused"
    assert document["machines"] == {"pc-1": ["win11-24h2-arm64"]}
    assert audited(*machines)["drivers"] == document["drivers"]  # from the cache


CALLS: dict[str, tuple[tuple[str, ...], int, str]] = {
    "a machine that is not audited": (("--machine-state", "pc-9=pc.toml"), 2, "Add --machine pc-9=PATH"),
    "a missing file": (("--machine-state", "pc-1=no.toml"), 3, "no.toml"),
    "an unknown target": (("--machine-state", "pc-1=pc.toml"), 2, "win12"),
}


@pytest.mark.parametrize(("arguments", "code", "text"), CALLS.values(), ids=CALLS.keys())
def test_a_wrong_call_says_what_to_do(work: Path, arguments: tuple[str, ...], code: int, text: str) -> None:
    (work / "a.sys").write_bytes(PeSpec().build())
    (work / "pc.toml").write_text('target = "win12-x64"\n')
    ran = drvsign("audit", "--machine", "pc-1=a.sys", *arguments)
    assert (ran.code, text in ran.stderr) == (code, True)


def test_a_large_file_is_refused(tmp_path: Path) -> None:
    """10 MB of keys took four seconds."""
    path = tmp_path / "pc.toml"
    path.write_text(LARGE)
    load_machine_state(path, MachineOptions())
    path.write_text(LARGE + "#")
    with pytest.raises(ConfigError, match="at most 65,536 bytes"):
        load_machine_state(path, MachineOptions())


@pytest.mark.parametrize("word", ["pc=-", "pc", "=pc.toml", "pc="])
def test_a_state_that_is_no_file_is_refused_with_what_is_expected(work: Path, word: str) -> None:
    ran = drvsign("audit", "--machine", "pc=.", "--machine-state", word)
    assert ran.code == 2
    assert f"'{word}' is not NAME=FILE with the TOML or JSON file of a machine's state, such as pc-17" in ran.stderr
