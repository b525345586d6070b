"""`drvsign timestamp` and `drvsign tsa`, as they are called."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import pytest

from catalogs.catalog.file import Catalog
from signer.algorithms import DigestAlgorithm
from signer.cli import tsa_server
from signer.cli.tsa_server import TsaServer, serving
from signer.errors import SignerError
from signer.operations.sign import sign_file
from signer.pkcs7.signed_data import SigningOptions, sign
from signer.pkcs7.timestamp_authority import TimestampAuthority
from signer.verify.gather import gather
from tests.support.files import ROOT, patched
from tests.support.identities import identity
from tests.support.images import PeSpec
from tests.support.patience import PATIENCE
from tests.support.timestamping import NOON, tsa


@pytest.fixture
def url() -> Iterator[str]:
    with serving(tsa()) as server:
        yield server.url


def connected(server: TsaServer) -> socket.socket:
    return socket.create_connection(server.server_address[:2], timeout=PATIENCE)


Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(warm_python: Path) -> Run:
    """A function that runs drvsign in a folder, as a program."""

    def run(folder: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        command = [str(warm_python), "-m", "signer", *map(str, arguments)]
        return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)

    return run


def signed_image(folder: Path, *digests: DigestAlgorithm) -> Path:
    path, data = folder / "a.sys", PeSpec().build()
    for digest in digests or (DigestAlgorithm.SHA256,):
        data = patched(data, sign_file(data, identity(), SigningOptions(digest), append=True).changes)
    path.write_bytes(data)
    return path


def test_an_image_gets_its_timestamps_once(run: Run, tmp_path: Path, url: str) -> None:
    path = signed_image(tmp_path, DigestAlgorithm.SHA1, DigestAlgorithm.SHA256)
    before = gather(path.read_bytes(), "image", "a.sys")
    done = run(tmp_path, "timestamp", "a.sys", "--timestamp", url, "--legacy-timestamp", url)
    assert done.returncode == 0, done.stderr
    assert "timestamped a.sys" in done.stdout
    after = gather(path.read_bytes(), "image", "a.sys").signatures
    assert [one.digest for one in after] == [one.digest for one in before.signatures]
    stamps = [one.timestamp for one in after]
    assert [(one.kind, one.time, one.intact) for one in stamps if one] == [
        ("authenticode", NOON, True),
        ("rfc3161", NOON, True),
    ]
    again = run(tmp_path, "timestamp", "a.sys", "--timestamp", url)
    assert "skipped" in again.stdout


def test_a_catalog_keeps_its_list(run: Run, tmp_path: Path, url: str, corpus: Path) -> None:
    catalog = Catalog.parse((corpus / "golden/generated-unsigned/catalog/sample.cat").read_bytes())
    (tmp_path / "a.cat").write_bytes(sign(catalog.content, identity(), SigningOptions()))
    done = run(tmp_path, "timestamp", "a.cat", "--timestamp", url, "--output", "b.cat")
    assert done.returncode == 0, done.stderr
    result = (tmp_path / "b.cat").read_bytes()
    assert Catalog.parse(result).content == catalog.content
    (signature,) = gather(result, "catalog", "b.cat").signatures
    assert signature.intact and signature.timestamp is not None and signature.timestamp.intact


def test_signing_asks_the_next_authority_and_says_which_answered(run: Run, tmp_path: Path, url: str) -> None:
    (tmp_path / "a.sys").write_bytes(PeSpec().build())
    dead = "http://127.0.0.1:9/"
    done = run(tmp_path, "sign", "a.sys", "--timestamp", dead, "--timestamp", url, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["files"][0]["action"] == "signed"
    assert f"{dead}: the server refused the connection" in done.stderr
    assert f"Timestamped by {url} (rfc3161)" in done.stderr
    (signature,) = gather((tmp_path / "a.sys").read_bytes(), "image", "a.sys").signatures
    assert signature.timestamp is not None and signature.timestamp.intact


def test_a_file_without_its_timestamp_stays_as_it_was(run: Run, tmp_path: Path) -> None:
    path = signed_image(tmp_path)
    before = path.read_bytes()
    done = run(tmp_path, "timestamp", "a.sys", "--timestamp", "http://127.0.0.1:9/")
    assert done.returncode == 3
    assert "no timestamp authority answered" in done.stderr and "Traceback" not in done.stderr
    assert "hint: Add another authority, or run the command again later." in done.stderr
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ((), 2, "no timestamp authority"),
        (("--timestamp", "ftp://x/"), 2, "not the URL of a timestamp authority"),
        (("--timestamp", "http://127.0.0.1:9/", "--timestamp-digest", "md5"), 2, "MD5 can't be used"),
    ],
    ids=["no authority", "not HTTP", "MD5"],
)
def test_what_can_t_mean_anything_is_a_usage_error(
    run: Run, tmp_path: Path, arguments: tuple[str, ...], code: int, message: str
) -> None:
    signed_image(tmp_path)
    done = run(tmp_path, "timestamp", "a.sys", *arguments)
    assert (done.returncode, message in done.stderr) == (code, True), done.stderr


def test_an_unsigned_image_has_nothing_to_timestamp(run: Run, tmp_path: Path, url: str) -> None:
    (tmp_path / "a.sys").write_bytes(PeSpec().build())
    done = run(tmp_path, "timestamp", "a.sys", "--timestamp", url)
    assert done.returncode == 3
    assert "not signed" in done.stderr and "drvsign sign" in done.stderr


@pytest.mark.skipif(os.name == "nt", reason="Windows sends no such signals to processes")
@pytest.mark.parametrize(("how", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("command", ["sign", "timestamp"])
def test_waiting_for_an_authority_ends_at_once_and_leaves_nothing(
    run: Run, tmp_path: Path, how: signal.Signals, code: int, command: str
) -> None:
    """One that takes calls and never answers, while the image was copied already."""
    path = tmp_path / "a.sys"
    path.write_bytes(PeSpec(overlay=bytes(1 << 21)).build())
    if command == "timestamp":
        assert run(tmp_path, "sign", "a.sys").returncode == 0
    before = path.read_bytes()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        call = [sys.executable, "-m", "signer", command, "a.sys", "--timestamp", url]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        with subprocess.Popen(call, cwd=tmp_path, stderr=subprocess.PIPE, env=environment) as waiting:
            connection, _ = silent.accept()
            with connection:
                waiting.send_signal(how)
                _, said = waiting.communicate(timeout=PATIENCE)
    assert waiting.returncode == code
    assert b"Traceback" not in said
    assert path.read_bytes() == before
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_the_authority_serves_with_the_test_certificates(run: Run, tmp_path: Path, how: signal.Signals) -> None:
    command = [
        sys.executable,
        "-m",
        "signer",
        "tsa",
        "serve",
        "--port",
        "0",
        "--time",
        "2024-02-29T12:00:00Z",
        "--json",
    ]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True, env=environment) as served:
        try:
            assert served.stdout is not None
            url = json.loads(served.stdout.readline())["url"]
            (tmp_path / "a.sys").write_bytes(PeSpec().build())
            done = run(tmp_path, "sign", "a.sys", "--timestamp", url)
        finally:
            served.send_signal(how)
            assert served.wait(PATIENCE) == 0
    assert (done.returncode, served.returncode) == (0, 0), done.stderr
    (signature,) = gather((tmp_path / "a.sys").read_bytes(), "image", "a.sys").signatures
    stamp = signature.timestamp
    assert stamp is not None and stamp.time == datetime(2024, 2, 29, 12, tzinfo=UTC)
    assert stamp.intact
    assert len(stamp.certificates) >= 2


def test_a_port_that_is_taken_is_named(run: Run, tmp_path: Path, url: str) -> None:
    port = url.rstrip("/").rpartition(":")[2]
    done = run(tmp_path, "tsa", "serve", "--port", port)
    assert done.returncode == 3
    assert f"can't listen on port {port}:" in done.stderr


def test_the_server_refuses_what_is_no_request(url: str) -> None:
    from signer.pkcs7.http_post import post

    for content_type, body in (("application/octet-stream", b"garbage"), ("text/plain", b""), ("x/y", bytes(1 << 17))):
        with pytest.raises(SignerError, match=r"status 4|connection failed"):
            post(url, body, content_type, 10)


def test_the_server_closes_connections_beyond_their_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """One more than the limit is closed at once; the others stay open."""
    monkeypatch.setattr(tsa_server, "MAX_CONNECTIONS", 2)
    monkeypatch.setattr(tsa_server._Handler, "timeout", PATIENCE)
    log: list[str] = []
    with serving(tsa(), log=log.append) as server, ExitStack() as opened:
        first, second, third = (opened.enter_context(connected(server)) for _ in range(3))
        assert third.recv(1) == b""
        assert log == ["refused a connection: 2 are open"]
        for one in (first, second):
            one.sendall(b"GET / HTTP/1.0\r\n\r\n")
            assert one.recv(1) == b"H"


def test_the_server_closes_connections_beyond_their_duration(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tsa_server, "MAX_SECONDS", 0.1)
    monkeypatch.setattr(tsa_server._Handler, "timeout", 2 * PATIENCE)
    with serving(tsa()) as server, connected(server) as client:
        assert client.recv(1) == b""


ERRORS = {
    "the client disconnected": (ConnectionResetError(104, "reset by peer"), "a client disconnected"),
    "an error of the server": (ValueError("no such field"), "error in the server: ValueError: no such field"),
    "a full disk": (OSError("no space left"), "error in the server: OSError: no space left"),
}


@pytest.mark.parametrize(("error", "line"), ERRORS.values(), ids=ERRORS.keys())
def test_the_server_logs_why_a_connection_ended(
    error: Exception, line: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def fail(self: object, body: bytes) -> bytes:
        raise error

    monkeypatch.setattr(TimestampAuthority, "answer_legacy", fail)
    log: list[str] = []
    with (
        serving(tsa(), log=log.append) as server,
        connected(server) as client,
    ):
        client.sendall(b"POST / HTTP/1.0\r\nContent-Type: a/b\r\nContent-Length: 1\r\n\r\n0")
        assert client.recv(1) == b""
    assert log == [line]
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("is_timer", [False, True], ids=["that of the connection", "its timer"])
def test_a_thread_that_does_not_start_frees_its_connection(is_timer: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tsa_server, "MAX_CONNECTIONS", 1)
    log: list[str] = []
    with serving(tsa(), log=log.append) as server, monkeypatch.context() as patched:
        start = threading.Thread.start

        def refuse(self: threading.Thread) -> None:
            if isinstance(self, threading.Timer) == is_timer:
                raise RuntimeError("can't start new thread")
            start(self)

        patched.setattr(threading.Thread, "start", refuse)
        for _ in range(3):
            with connected(server) as client:
                assert client.recv(1) == b""
    assert set(log) == {"error in the server: RuntimeError: can't start new thread"}


def test_both_signatures_of_a_dual_signed_image_get_the_kind_for_their_windows(
    run: Run, tmp_path: Path, url: str
) -> None:
    (tmp_path / "a.sys").write_bytes(PeSpec().build())
    done = run(tmp_path, "sign", "a.sys", "--dual", "--timestamp", url, "--legacy-timestamp", url)
    assert done.returncode == 0, done.stderr
    found = gather((tmp_path / "a.sys").read_bytes(), "image", "a.sys").signatures
    pairs = [(one.digest_algorithm, one.timestamp.kind) for one in found if one.timestamp and one.timestamp.intact]
    assert pairs == [(DigestAlgorithm.SHA1, "authenticode"), (DigestAlgorithm.SHA256, "rfc3161")]
    assert all(one.intact for one in found)
