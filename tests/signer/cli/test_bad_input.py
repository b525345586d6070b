"""Whatever is wrong with the input: one error line, an exit code, no traceback, and every file as it was."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from signer.cli.app import COMMANDS
from tests.support.files import ROOT
from tests.support.full_disk import full_disk
from tests.support.images import PeSpec
from tests.support.inf_files import HELLO
from tests.support.program import drvsign, state

KERNEL = ("--policy", "kernel", "--target", "win11-24h2-x64")


@pytest.fixture
def files(work: Path) -> Path:
    """Files of every kind, most of them bad."""
    image = PeSpec().build()
    (work / "good.sys").write_bytes(image)
    (work / "cut.sys").write_bytes(image[:0x300])
    (work / "dos.sys").write_bytes(b"MZ" + bytes(200))
    (work / "text.sys").write_bytes(b"this is no image\n")
    (work / "empty.sys").write_bytes(b"")
    (work / "table.sys").write_bytes(PeSpec(table=(0x100, 0x200)).build())
    (work / "junk.cat").write_bytes(os.urandom(64))
    (work / "cut.cat").write_bytes(bytes.fromhex("3082010006092a864886f70d010702a0"))
    (work / "empty.cat").write_bytes(b"")
    (work / "junk.pfx").write_bytes(b"junk")
    (work / "junk.p7").write_bytes(b"\x30\x03\x02\x01\x00")
    (work / "folder.sys").mkdir()
    (work / "folder.sys" / "readme.txt").write_text("nothing to sign")
    (work / "notes.txt").write_text("nothing to sign")
    return work


CASES = {
    "sign-missing": (("sign", "gone.sys"), 3),
    "sign-truncated": (("sign", "cut.sys"), 3),
    "sign-dos-program": (("sign", "dos.sys"), 3),
    "sign-text": (("sign", "text.sys"), 3),
    "sign-empty": (("sign", "empty.sys"), 3),
    "sign-table-in-the-way": (("sign", "table.sys"), 3),
    "sign-garbage-catalog": (("sign", "junk.cat"), 3),
    "sign-cut-catalog": (("sign", "cut.cat"), 3),
    "sign-folder-without-images": (("sign", "folder.sys"), 2),
    "sign-list-that-is-missing": (("sign", "@gone.txt"), 3),
    "sign-garbage-pfx": (("sign", "good.sys", "--pfx", "junk.pfx"), 3),
    "sign-missing-pfx": (("sign", "good.sys", "--pfx", "gone.pfx"), 3),
    "sign-unset-variable": (
        ("sign", "good.sys", "--pfx", "testcerts/generated/code-signing.pfx", "--password-env", "NOT_SET_ANYWHERE"),
        2,
    ),
    "sign-unknown-identity": (("sign", "good.sys", "--identity", "teapot:x"), 2),
    "sign-garbage-certificate": (("sign", "good.sys", "--cert", "notes.txt", "--key", "notes.txt"), 3),
    "sign-garbage-cross-certificate": (("sign", "good.sys", "--cross-cert", "notes.txt"), 3),
    "sign-into-missing-folder": (("sign", "good.sys", "--output", "no/such/folder/x.sys"), 3),
    "sign-onto-a-folder": (("sign", "good.sys", "--output", "folder.sys"), 3),
    "sign-below-a-file": (("sign", "good.sys", "--output-dir", "notes.txt/x"), 3),
    "strip-truncated": (("strip", "cut.sys"), 3),
    "strip-catalog": (("strip", "cut.cat"), 3),
    "extract-unsigned": (("extract", "good.sys", "--output", "x.p7"), 3),
    "extract-missing": (("extract", "gone.sys", "--output", "x.p7"), 3),
    "verify-garbage-revocation-list": (("verify", "good.sys", *KERNEL, "--crl", "notes.txt"), 3),
    "attach-garbage": (("attach", "good.sys", "--signature", "notes.txt"), 3),
    "attach-no-signature": (("attach", "good.sys", "--signature", "junk.p7"), 3),
    "attach-missing": (("attach", "good.sys", "--signature", "gone.p7"), 3),
    "digest-missing": (("digest", "gone.sys"), 3),
    "digest-truncated": (("digest", "cut.sys"), 3),
    "explain-missing": (("explain", "gone.evtx"), 3),
    "explain-unknown-code": (("explain", "0xDEADBEEF"), 3),
    "explain-image": (("explain", "good.sys"), 3),
    "explain-text": (("explain", "notes.txt"), 3),
    "explain-empty": (("explain", "empty.sys"), 3),
    "explain-folder": (("explain", "folder.sys"), 3),
    "explain-unknown-target": (("explain", "52", "--target", "win12-x64"), 2),
    "explain-nothing": (("explain",), 2),
    "inspect-truncated": (("inspect", "cut.sys"), 3),
    "inspect-garbage-catalog": (("inspect", "junk.cat"), 3),
    "inspect-text": (("inspect", "notes.txt"), 3),
    "verify-missing": (("verify", "gone.sys", *KERNEL), 3),
    "verify-truncated": (("verify", "cut.sys", *KERNEL), 3),
    "verify-text": (("verify", "text.sys", *KERNEL), 3),
    "verify-garbage-catalog": (("verify", "junk.cat", *KERNEL), 3),
    "verify-empty-catalog": (("verify", "empty.cat", *KERNEL), 3),
    "verify-with-garbage-catalog": (("verify", "good.sys", *KERNEL, "--catalog", "junk.cat"), 3),
    "verify-with-garbage-root": (
        ("verify", "good.sys", *KERNEL, "--roots", "test-signing", "--root", "notes.txt"),
        3,
    ),
    "verify-with-garbage-crl": (("verify", "good.sys", *KERNEL, "--crl", "notes.txt"), 3),
    "verify-with-garbage-list": (("verify", "good.sys", *KERNEL, "--allow-list", "notes.txt"), 3),
    "verify-folder-without-images": (("verify", "folder.sys", *KERNEL), 2),
    "catalog-show-garbage": (("catalog", "show", "junk.cat"), 3),
    "catalog-show-cut": (("catalog", "show", "cut.cat"), 3),
    "catalog-build-missing": (("catalog", "build", "gone"), 3),
    "catalog-build-without-inf": (("catalog", "build", "folder.sys"), 3),
    "catalog-build-garbage-cdf": (("catalog", "build", "notes.cdf"), 3),
    "package-missing": (("package", "gone"), 3),
    "package-file": (("package", "good.sys"), 3),
    "package-without-inf": (("package", "folder.sys"), 3),
}


@pytest.mark.parametrize("as_json", [False, True], ids=["text", "json"])
@pytest.mark.parametrize(("arguments", "code"), CASES.values(), ids=CASES)
def test_bad_input_is_one_error_line_and_nothing_changes(files: Path, arguments, code: int, as_json: bool) -> None:
    before = state(files)
    ran = drvsign(*arguments, *(["--json"] if as_json else []))
    assert ran.code == code, ran.stderr
    assert len(ran.errors) == 1, ran.stderr
    assert ran.stderr.startswith("error: ")
    assert "\nhint: " in ran.stderr or "\n    " in ran.stderr  # a hint, or one with each problem
    assert state(files) == before
    if as_json:
        assert ran.document["schema"].startswith("drvsign.")
    else:
        assert ran.stdout == ""


@pytest.mark.parametrize("kind", ["unknown-algorithm", "broken"])
def test_a_key_in_a_certificate_that_can_not_be_read_is_no_surprise(files: Path, kind: str) -> None:
    """The library parses the key of a certificate only when it is asked for."""
    assert drvsign("certs", "create", "own", "--profile", "self-signed").code == 0
    spki = bytes.fromhex("06092a864886f70d01010105000382")
    wrong = spki.replace(b"\x01\x01\x01\x05", b"\x01\x01\x7f\x05") if kind == "unknown-algorithm" else spki
    name = Path("own/self-signed")

    def spoiled(data: bytes) -> bytes:
        at = data.index(spki)
        rest = data[at + len(spki) :]
        return data[:at] + wrong + (rest if kind == "unknown-algorithm" else rest[:3] + b"\x55" + rest[4:])

    assert drvsign("sign", "good.sys", "--cert", f"{name}.cer", "--key", f"{name}.key.pem").code == 0
    (files / "bad.sys").write_bytes(spoiled((files / "good.sys").read_bytes()))
    (files / "bad.cer").write_bytes(spoiled(Path(f"{name}.cer").read_bytes()))
    assert drvsign("verify", "bad.sys", *KERNEL).code in (1, 3)
    assert drvsign("inspect", "bad.sys").code == 0
    before = state(files)
    ran = drvsign("sign", "good.sys", "--cert", "bad.cer", "--key", f"{name}.key.pem")
    assert (ran.code, len(ran.errors)) == (3, 1)
    assert "should not have happened" not in ran.stderr
    assert state(files) == before


def test_a_wrong_password_is_named_with_its_file_and_nothing_changes(files: Path, made_identity: Path) -> None:
    (files / "password").write_text("wrong\n")
    before = state(files)
    pfx = made_identity / "code-signing.pfx"
    ran = drvsign("sign", "good.sys", "--pfx", pfx, "--password-file", "password")
    assert ran.code == 3
    assert ran.errors == [f"error: {pfx}: the password of the PFX is wrong"]
    assert state(files) == before


def in_a_process(*arguments: str, **options: Any) -> subprocess.CompletedProcess[bytes]:
    """The program as the system starts it."""
    options = {"env": {**os.environ, "PYTHONPATH": str(ROOT)}, **options}
    return subprocess.run([sys.executable, "-m", "signer", *arguments], capture_output=True, check=False, **options)


@pytest.mark.parametrize("arguments", [("sign", "good.sys"), ("package", "driver", "--os", "10_X64")])
def test_a_full_disk_leaves_every_file_as_it_was(files: Path, arguments: tuple[str, ...]) -> None:
    (files / "driver").mkdir()
    (files / "driver" / "hello.inf").write_bytes(HELLO.encode())
    (files / "driver" / "hello.sys").write_bytes(PeSpec().build())
    before = state(files)
    ran = in_a_process(*arguments, **full_disk(600))
    assert ran.returncode == 3
    errors = [line for line in ran.stderr.splitlines() if line.startswith(b"error: ")]
    assert len(errors) == 1, ran.stderr
    assert b"could not write the file" in errors[0]
    assert state(files) == before


WITHOUT_RIGHTS = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search,-fowner"] if os.geteuid() == 0 else []


@pytest.mark.skipif(bool(WITHOUT_RIGHTS) and not shutil.which("setpriv"), reason="root reads everything")
@pytest.mark.parametrize(
    "arguments",
    [
        ("sign", "locked.sys"),
        ("digest", "locked.sys"),
        ("verify", "locked.sys", *KERNEL),
        ("catalog", "show", "locked.sys"),
        ("sign", "good.sys", "--pfx", "locked.sys"),
        ("sign", "good.sys", "--output", "closed/x.sys"),
        ("package", "closed"),
        ("inspect", "closed/x.sys"),
    ],
    ids=lambda arguments: "-".join(arguments[:2]),
)
def test_a_file_without_permissions_is_no_wrong_call(files: Path, arguments: tuple[str, ...]) -> None:
    (files / "closed").mkdir(0o000)
    (files / "locked.sys").write_bytes(PeSpec().build())
    (files / "locked.sys").chmod(0o000)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [*WITHOUT_RIGHTS, sys.executable, "-m", "signer", *arguments]
    ran = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    (files / "closed").chmod(0o700)
    assert ran.returncode == 3, ran.stderr
    assert "permission denied\nhint: Check the permissions of the file and of its folder.\n" in ran.stderr


def test_names_that_are_not_text_are_signed_and_printed(work: Path) -> None:
    name = os.fsdecode(b"dr\xffver.sys")
    (work / name).write_bytes(PeSpec().build())
    ran = in_a_process("sign", name)
    assert (ran.returncode, b"dr\\udcffver.sys" in ran.stdout) == (0, True), ran.stderr
    for arguments in (("inspect", name), ("digest", name), ("sign", name, "--json")):
        assert in_a_process(*arguments).returncode == 0
    assert in_a_process("sign", os.fsdecode(b"g\xffne.sys")).returncode == 3


def test_a_reader_that_goes_away_is_no_traceback(work: Path) -> None:
    (work / "good.sys").write_bytes(PeSpec().build())
    command = f"{sys.executable} -m signer digest good.sys --page-hashes | head -c 1"
    ran = subprocess.run(command, shell=True, capture_output=True, env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert b"Traceback" not in ran.stderr


def subcommands() -> list[tuple[str, ...]]:
    """Every command, and those below it."""
    import typer

    from signer.cli.app import app

    root = typer.main.get_command(app)
    found: list[tuple[str, ...]] = []
    for name in COMMANDS:
        command = root.get_command(None, name)
        below = getattr(command, "commands", {})
        found += [(name, one) for one in below] if below else [(name,)]
    return found


@pytest.mark.parametrize("group", ["", *sorted({path[0] for path in subcommands() if len(path) > 1})])
def test_the_help_of_every_group_has_an_example_and_nothing_of_typer_s(group: str) -> None:
    ran = drvsign(*group.split(), "--help")
    assert f"drvsign {group}".strip() in ran.stdout.partition("Example")[2]
    assert "--install-completion" not in ran.stdout


@pytest.mark.parametrize("path", [(), *subcommands()], ids="-".join)
def test_help_speaks_of_no_type_of_python(path: tuple[str, ...]) -> None:
    assert re.findall(r"<[a-z]\w*[^>]*>", drvsign(*path, "--help").stdout) == []


@pytest.mark.parametrize("path", subcommands(), ids="-".join)
def test_the_help_of_every_command_has_an_example_of_it(path: tuple[str, ...]) -> None:
    ran = drvsign(*path, "--help")
    assert ran.code == 0
    help_ = " ".join(ran.stdout.split())
    assert "Example" in help_
    assert f"drvsign {' '.join(path)}" in help_.partition("Example")[2]
    assert "--json" in help_ or path[0] in ("tsa",)
