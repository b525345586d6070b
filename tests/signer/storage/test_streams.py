"""Pipes, devices and descriptors are written to or refused, never replaced; a regular file is replaced."""

from __future__ import annotations

import os
import shutil
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from signer.errors import FileError
from signer.operations.signatures import is_signed
from signer.storage import streams
from signer.storage.files import write_atomically
from signer.storage.patching import PatchSet, patch_atomically
from signer.storage.transaction import atomic_update
from tests.support.images import PeSpec
from tests.support.inf_files import HELLO
from tests.support.patience import PATIENCE
from tests.support.program import drvsign

pytestmark = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no FIFOs")


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait longer for a reader: its thread may start late on a busy machine."""
    monkeypatch.setattr(streams, "READER_TIMEOUT", PATIENCE)


def written_to(pipe: Path, write: Callable[[], object]) -> bytes:
    """Return what `write` writes to a FIFO; the FIFO must still be one."""
    os.mkfifo(pipe)
    found: list[bytes] = []
    reader = threading.Thread(target=lambda: found.append(pipe.read_bytes()), daemon=True)
    reader.start()
    write()
    reader.join(PATIENCE)
    assert stat.S_ISFIFO(pipe.lstat().st_mode)
    return b"".join(found)


def test_a_fifo_gets_the_bytes(tmp_path: Path) -> None:
    data = bytes(range(256)) * 1000
    assert written_to(tmp_path / "pipe", lambda: write_atomically(tmp_path / "pipe", data)) == data
    assert [path.name for path in tmp_path.iterdir()] == ["pipe"]


@pytest.mark.parametrize("size", [100, 3_000_000], ids=["in-memory", "mapped"])
def test_a_changed_copy_goes_through_a_fifo(tmp_path: Path, size: int) -> None:
    (tmp_path / "source").write_bytes(bytes(size))
    changes = PatchSet(((1, b"new"),), size)
    pipe = tmp_path / "pipe"
    got = written_to(pipe, lambda: patch_atomically(tmp_path / "source", pipe, changes))
    assert got == changes.unchecked(bytes(size))


def test_a_fifo_without_a_reader_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "READER_TIMEOUT", 0)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(FileError, match="no program read it") as caught:
        write_atomically(tmp_path / "pipe", b"x")
    assert (caught.value.path, caught.value.hint) == (
        tmp_path / "pipe",
        "Start the program that reads it first, or name a file.",
    )


def test_a_fifo_is_never_opened_in_a_way_that_waits_for_a_reader(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reader can end at any moment. Writing waits all the same, when the pipe is full."""
    pipe, opened, ways = tmp_path / "pipe", os.open, []

    def spied(path: Path, flags: int, *rest: int) -> int:
        if path == pipe:
            ways.append(flags & os.O_NONBLOCK)
        return opened(path, flags, *rest)

    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    monkeypatch.setattr(os, "open", spied)
    descriptor = streams._opened(pipe)
    assert ways == [os.O_NONBLOCK]
    assert os.get_blocking(descriptor)
    os.close(descriptor)
    os.close(reader)


def test_a_link_to_a_fifo_is_followed(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "pipe")
    assert written_to(tmp_path / "pipe", lambda: write_atomically(tmp_path / "link", b"x")) == b"x"
    assert (tmp_path / "link").is_symlink()


def test_a_socket_and_a_folder_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # the path of a socket has a small limit
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket")
        with pytest.raises(FileError, match="socket"):
            write_atomically(Path("socket"), b"x")
        assert stat.S_ISSOCK(Path("socket").lstat().st_mode)
    Path("folder").mkdir()
    with pytest.raises(FileError):
        write_atomically(Path("folder"), b"x")
    assert Path("folder").is_dir()


def test_a_transaction_changes_nothing_if_a_target_is_a_fifo(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"old")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(FileError, match="pipe"), atomic_update(tmp_path) as transaction:
        transaction.write(tmp_path / "a", b"new")
        transaction.write(tmp_path / "pipe", b"new")
    assert (tmp_path / "a").read_bytes() == b"old"
    assert stat.S_ISFIFO((tmp_path / "pipe").lstat().st_mode)


@pytest.mark.skipif(sys.platform != "linux", reason="/dev/stdout is a link to a descriptor only on Linux")
@pytest.mark.parametrize("name", ["/dev/stdout", "/dev/fd/1"])
def test_standard_output_that_is_a_file_is_written_at_its_position(tmp_path: Path, name: str) -> None:
    program = f"""
import os, pathlib
from signer.storage import streams
from signer.storage.files import write_atomically
os.write(1, b"before ")
write_atomically(pathlib.Path({name!r}), b"data")
os.write(1, b" after")
"""
    with (tmp_path / "out").open("wb") as file:
        subprocess.run([sys.executable, "-c", program], stdout=file, check=True)
    assert (tmp_path / "out").read_bytes() == b"before data after"


COMMANDS: dict[str, tuple[object, ...]] = {
    "sign": ("sign", "a.sys", "--output"),
    "detached": ("sign", "a.sys", "--detached"),
    "request": ("sign", "a.sys", "--detached-request"),
    "depfile": ("sign", "a.sys", "--output", "out.sys", "--depfile"),
    "strip": ("strip", "signed.sys", "--output"),
    "extract": ("extract", "signed.sys", "--output"),
    "attach": ("attach", "a.sys", "--signature", "a.p7", "--output"),
    "catalog-build": ("catalog", "build", "hello", "--output"),
    "verify-events": ("verify", "signed.sys", "--policy", "kernel", "--events"),
    "certs-install-script": ("certs", "install-script", "certs", "--output"),
    "submission-build": ("submission", "build", "hello", "--unsigned", "--output"),
}


def suffix_for(command: tuple[object, ...]) -> str:
    """Return a suffix that the command accepts for its output."""
    return ".cmd" if "install-script" in command else ".cab"


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one input for every command."""
    folder = tmp_path_factory.mktemp("inputs")
    (folder / "hello").mkdir()
    (folder / "hello" / "hello.inf").write_bytes(HELLO.encode())
    (folder / "hello" / "hello.sys").write_bytes(PeSpec().build())
    (folder / "a.sys").write_bytes(PeSpec().build())
    certs = ("--certs", folder / "certs")
    assert drvsign("sign", folder / "a.sys", "--output", folder / "signed.sys", *certs).code == 0
    assert drvsign("extract", folder / "signed.sys", "--output", folder / "a.p7").code == 0
    return folder


@pytest.fixture
def prepared(inputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder: a copy of the inputs."""
    folder = tmp_path / "work"
    shutil.copytree(inputs, folder)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("DRVSIGN_CERTS", str(folder / "certs"))
    return folder


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_every_command_writes_the_same_to_a_fifo_as_to_a_file(prepared: Path, command: tuple[object, ...]) -> None:
    pipe, codes = prepared / ("output" + suffix_for(command)), []
    got = written_to(pipe, lambda: codes.append(drvsign(*command, pipe).code))
    assert got
    assert codes[0] in (0, 1)


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_every_command_writes_through_a_link(prepared: Path, command: tuple[object, ...]) -> None:
    suffix = suffix_for(command)
    link, target = prepared / f"link{suffix}", prepared / f"target{suffix}"
    target.write_bytes(b"old")
    link.symlink_to(target.name)
    assert drvsign(*command, link).code in (0, 1)
    assert link.is_symlink()
    assert target.read_bytes() != b"old"


def test_a_driver_of_a_package_that_is_a_link_stays_one(prepared: Path) -> None:
    folder, real = prepared / "hello", prepared / "hello" / "bin" / "hello.sys"
    real.parent.mkdir()
    (folder / "hello.sys").replace(real)
    (folder / "hello.sys").symlink_to("bin/hello.sys")
    assert drvsign("package", folder).code == 0
    assert (folder / "hello.sys").is_symlink()
    assert is_signed(real.read_bytes())


def test_a_catalog_that_is_a_link_out_of_the_package_is_refused(prepared: Path) -> None:
    catalog, elsewhere = prepared / "hello" / "hello.cat", prepared / "elsewhere.cat"
    catalog.symlink_to("../elsewhere.cat")
    driver = (prepared / "hello" / "hello.sys").read_bytes()
    ran = drvsign("package", prepared / "hello")
    assert ran.code == 3
    assert "hello.cat: the path is a symbolic link to a file outside of the folder" in ran.stderr
    assert (catalog.is_symlink(), elsewhere.exists()) == (True, False)
    assert (prepared / "hello" / "hello.sys").read_bytes() == driver


@pytest.mark.parametrize("name", ["sign", "extract", "catalog-build", "verify-events", "certs-install-script"])
def test_devices_stay_devices(prepared: Path, name: str) -> None:
    """In a private mount namespace, with devices of its own: no device of this machine is at risk."""
    script = """
set -e
mount -t tmpfs tmpfs dev
mknod dev/null.cab c 1 3; mknod dev/full.cab c 1 7; mknod dev/block.cab b 7 250
set +e
"$@" dev/null.cab >&2; echo "null $? $(stat -c %F dev/null.cab)"
"$@" dev/full.cab >&2; echo "full $? $(stat -c %F dev/full.cab)"
"$@" dev/block.cab >&2; echo "block $? $(stat -c %F dev/block.cab)"
"""
    command = COMMANDS[name]
    script = script.replace(".cab", suffix_for(command))
    (prepared / "dev").mkdir()
    if shutil.which("unshare") is None or os.getuid() != 0:
        pytest.skip("a private mount namespace needs root and unshare")
    call = [sys.executable, "-m", "signer", *map(str, command)]
    ran = subprocess.run(
        ["unshare", "-m", "sh", "-c", script, "sh", *call], capture_output=True, text=True, timeout=PATIENCE
    )
    if ran.returncode and not ran.stdout:
        pytest.skip(f"no private mount namespace with devices here: {ran.stderr.strip()}")
    null, full, block = ran.stdout.splitlines()
    assert null.removeprefix("null ") in ("0 character special file", "1 character special file"), ran.stderr
    assert full == "full 3 character special file", ran.stderr
    assert block == "block 3 block special file", ran.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="/dev/stdout is a link to a descriptor only on Linux")
def test_a_result_on_standard_output_is_alone_there(prepared: Path) -> None:
    call = [sys.executable, "-m", "signer", "extract", "signed.sys", "--output", "/dev/stdout"]
    ran = subprocess.run(call, capture_output=True, check=True)
    assert ran.stdout == (prepared / "a.p7").read_bytes()
