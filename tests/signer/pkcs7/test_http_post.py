"""A POST to a misbehaving server ends before its deadline with a reason."""

from __future__ import annotations

import contextlib
import http.client
import re
import socket
import subprocess
import sys
import threading
import time
import urllib.error
from collections.abc import Callable, Iterator

import pytest

from signer.errors import TimestampError, UsageError
from signer.pkcs7.http_post import Unreachable, _Watchdog, post, shown_url
from signer.pkcs7.timestamp import TimestampClient
from tests.support.patience import PATIENCE

SHORT = 0.6
"""Seconds that a test of the deadline waits."""
MIB = 1 << 20
"""The size of the largest answer that is read."""
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/timestamp-reply\r\n"


@contextlib.contextmanager
def server(behave: Callable[[socket.socket], None]) -> Iterator[str]:
    """Run a server that calls `behave` for each connection, and provide its URL."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def run() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = listening.accept()
                    with connection, contextlib.suppress(OSError):
                        behave(connection)

        threading.Thread(target=run, daemon=True).start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/tsa"


def receive(connection: socket.socket) -> bytes:
    """Read and return the whole request: closing earlier would reset the connection before its answer is read."""
    received = b""
    while b"\r\n\r\n" not in received:
        received += connection.recv(65536)
    head, _, body = received.partition(b"\r\n\r\n")
    found = re.search(rb"(?i)\ncontent-length: *(\d+)", head)
    while found and len(body) < int(found[1]):
        body += connection.recv(65536)
    return head + body


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://user:pass%40word@host/tsa?a=b@c", "http://host/tsa?a=b@c"),
        ("https://user@host:8080", "https://host:8080"),
        ("ftp://user:p@ss@host", "ftp://host"),
        ("http://host/a@b", "http://host/a@b"),
    ],
)
def test_a_user_and_a_password_in_a_url_are_not_shown(url: str, shown: str) -> None:
    assert shown_url(url) == shown


def test_a_user_and_a_password_in_a_url_are_sent_and_in_no_message() -> None:
    received: list[bytes] = []

    def refuse(connection: socket.socket) -> None:
        received.append(receive(connection))
        connection.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")

    told: list[str] = []
    with server(refuse) as url:
        hidden = url.replace("//", "//user:s%3Acret@")
        client = TimestampClient([hidden], warn=told.append, rounds=1)
        with pytest.raises(TimestampError) as caught:
            client(b"signature")
    assert b"Authorization: Basic dXNlcjpzOmNyZXQ=" in received[0]
    assert url in told[0]
    assert not any("cret" in text for text in (*told, str(caught.value), repr(client), str(caught.value.hint)))
    with pytest.raises(UsageError) as wrong:
        TimestampClient(["ftp://user:s%3Acret@host/"])
    assert "cret" not in str(wrong.value)


def test_a_redirect_gets_no_user_and_no_password() -> None:
    """It can lead to another host, whose operator must not learn them."""
    first: list[bytes] = []
    second: list[bytes] = []

    def target(connection: socket.socket) -> None:
        second.append(receive(connection))
        connection.sendall(HEAD + b"Content-Length: 1\r\n\r\nx")

    with server(target) as other:

        def redirect(connection: socket.socket) -> None:
            first.append(receive(connection))
            connection.sendall(b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: " + other.encode() + b"\r\n\r\n")

        with server(redirect) as url:
            post(url.replace("//", "//user:secret@"), b"request", "application/timestamp-query", PATIENCE)
    assert b"Authorization: Basic" in first[0]
    assert second and b"authorization" not in second[0].lower()


def answering(data: bytes) -> Callable[[socket.socket], None]:
    def behave(connection: socket.socket) -> None:
        receive(connection)
        connection.sendall(data)

    return behave


def dripping(head: bytes, drop: bytes) -> Callable[[socket.socket], None]:
    """Send a few bytes at a time, so that no single read reaches a timeout."""

    def behave(connection: socket.socket) -> None:
        receive(connection)
        connection.sendall(head)
        for _ in range(20 * PATIENCE):  # until the client closes the connection
            time.sleep(0.05)
            connection.sendall(drop)

    return behave


def silent(connection: socket.socket) -> None:
    """Wait until the client closes the connection."""
    receive(connection)
    connection.settimeout(PATIENCE)
    connection.recv(1)


def test_the_body_of_the_answer_is_returned() -> None:
    with server(answering(HEAD + b"Content-Length: 3\r\n\r\n\x30\x01\x00")) as url:
        assert post(url, b"request", "application/timestamp-query", PATIENCE) == b"\x30\x01\x00"


@pytest.mark.parametrize(
    "behave",
    [
        silent,
        dripping(HEAD + b"Content-Length: 10000\r\n\r\n", b"x"),
        dripping(b"HTTP/1.1 200 OK\r\n", b"X-More: headers\r\n"),
        dripping(HEAD + b"\r\n", b"x"),
    ],
    ids=["no answer", "slow body", "slow headers", "slow body of unknown length"],
)
def test_a_slow_answer_is_ended_at_the_deadline(behave: Callable[[socket.socket], None]) -> None:
    """Otherwise a server's answer would come to an end, or be too long, much later."""
    with server(behave) as url, pytest.raises(Unreachable, match=r"within 0\.6 seconds") as caught:
        post(url, b"request", "application/timestamp-query", SHORT)
    assert caught.value.transient


@pytest.mark.parametrize(
    ("answer", "message", "transient"),
    [
        (b"HTTP/1.1 500 Broken\r\nContent-Length: 0\r\n\r\n", "status 500", True),
        (b"HTTP/1.1 499 Gone\r\nContent-Length: 0\r\n\r\n", "status 499", False),
        (b"HTTP/1.1 408 Slow\r\nContent-Length: 0\r\n\r\n", "status 408", True),
        (b"HTTP/1.1 407 Proxy\r\nContent-Length: 0\r\n\r\n", "status 407", False),
        (b"HTTP/1.1 409 Conflict\r\nContent-Length: 0\r\n\r\n", "status 409", False),
        (b"HTTP/1.1 503 Later\r\nContent-Length: 0\r\n\r\n", "status 503", True),
        (b"HTTP/1.1 429 Slow down\r\nContent-Length: 0\r\n\r\n", "status 429", True),
        (b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n", "status 404", False),
        (b"HTTP/1.1 401 Who\r\nContent-Length: 0\r\n\r\n", "status 401", False),
        (b"", "connection failed", True),
        (b"SSH-2.0-OpenSSH\r\n", "connection failed", True),
        (HEAD + b"Content-Length: 100\r\n\r\nshort", "connection failed", True),
        (HEAD + b"\r\n" + bytes(MIB + 1), "longer than", False),
    ],
    ids=[
        "500",
        "499",
        "408",
        "407",
        "409",
        "503",
        "429",
        "404",
        "401",
        "closed",
        "another protocol",
        "truncated",
        "too long",
    ],
)
def test_an_invalid_answer_is_an_error(answer: bytes, message: str, transient: bool) -> None:
    with server(answering(answer)) as url, pytest.raises(Unreachable, match=message) as caught:
        post(url, b"request", "application/timestamp-query", PATIENCE)
    assert caught.value.transient is transient


def test_an_answer_of_the_largest_size_is_returned() -> None:
    with server(answering(HEAD + b"\r\n" + bytes(MIB))) as url:
        assert len(post(url, b"request", "application/timestamp-query", PATIENCE)) == MIB


@pytest.mark.parametrize("url", ["http://[::1/tsa", "http://", "ftp://host/", "host/tsa"])
def test_anything_but_an_http_url_is_refused(url: str) -> None:
    with pytest.raises(UsageError, match="is not the URL of a timestamp authority"):
        post(url, b"request", "application/timestamp-query", PATIENCE)


def test_a_refused_connection_is_an_error() -> None:
    with socket.socket() as deaf, pytest.raises(Unreachable, match="the server refused the connection"):
        deaf.bind(("127.0.0.1", 0))  # the port is nobody else's, and nobody listens
        port = deaf.getsockname()[1]
        post(f"http://127.0.0.1:{port}/", b"", "application/timestamp-query", PATIENCE)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (urllib.error.URLError(OSError(104, "Connection reset by peer")), "connection reset by peer"),
        (urllib.error.URLError(OSError("No number")), "no number"),
        (http.client.HTTPException(), "httpexception"),
    ],
    ids=["an error of the system", "an error without a number", "an error without a text"],
)
def test_a_failed_connection_has_a_reason(error: Exception, reason: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("urllib.request.OpenerDirector.open", fail)
    with pytest.raises(Unreachable) as caught:
        post("http://tsa.invalid/", b"", "application/timestamp-query", PATIENCE)
    assert caught.value.message == f"the connection failed ({reason})"


def test_an_unknown_host_name_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(Unreachable, match="the host name can't be resolved"):
        post("http://tsa.invalid/", b"", "application/timestamp-query", PATIENCE)


def test_requests_to_this_machine_bypass_the_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9/")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    with server(answering(HEAD + b"Content-Length: 2\r\n\r\nok")) as url:
        assert post(url, b"request", "application/timestamp-query", PATIENCE) == b"ok"
    with pytest.raises(Unreachable, match="the server refused the connection"):
        post("http://tsa.invalid/", b"request", "application/timestamp-query", PATIENCE)


def test_a_connection_that_is_closed_already_is_no_error_at_the_deadline() -> None:
    watchdog = _Watchdog(60)
    watchdog.expired = True
    with socket.socket() as closed:
        watchdog.watch(closed)


INTERRUPTED = """
import threading
from signer.pkcs7.http_post import post
start = threading.Timer.start
def interrupted(timer):
    start(timer)
    raise KeyboardInterrupt
threading.Timer.start = interrupted
try:
    post("http://127.0.0.1:9/", b"", "text/plain", 10 * 60)
except KeyboardInterrupt:
    print("interrupted")
"""


def test_a_program_that_was_interrupted_does_not_wait_for_the_deadline() -> None:
    done = subprocess.run([sys.executable, "-c", INTERRUPTED], capture_output=True, text=True, timeout=PATIENCE)
    assert (done.stdout, done.stderr) == ("interrupted\n", "")
