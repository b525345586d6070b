"""Serve a timestamp authority over HTTP on this machine: RFC 3161, and Authenticode's legacy protocol.

Source: RFC 3161, 3.4. The Content-Type selects the protocol.
"""

from __future__ import annotations

import itertools
import secrets
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from signer.errors import SignatureFormatError
from signer.numbers import decimal
from signer.pkcs7.timestamp_authority import TimestampAuthority
from signer.pkcs7.timestamp_request import LEGACY, RFC3161_QUERY, RFC3161_REPLY

HOST = "127.0.0.1"
"""Loopback only: test timestamps are not for other machines."""

MAX_REQUEST_SIZE = 1 << 16
"""Maximum size of a request in bytes."""
_SECONDS_TO_SEND = 10
MAX_CONNECTIONS = 32
"""Maximum number of connections at a time; the server closes others at once."""
MAX_SECONDS = 30.0
"""Maximum duration of a connection in seconds, however often its client sends a byte."""
_POLL_SECONDS = 0.05
"""Time between two looks whether the server is to stop."""


class TsaServer(ThreadingHTTPServer):
    """Serves one authority. `log` receives a line for each request."""

    daemon_threads = True

    def __init__(self, authority: TimestampAuthority, port: int, log: Callable[[str], None]) -> None:
        self.authority = authority
        self.log = log
        self._free = threading.BoundedSemaphore(MAX_CONNECTIONS)
        super().__init__((HOST, port), _Handler)

    @property
    def url(self) -> str:
        """URL of the server."""
        return f"http://{HOST}:{self.server_address[1]}/"

    def verify_request(self, request: object, client_address: object) -> bool:
        """Accept a connection unless there are too many: then the server closes it."""
        accepted = self._free.acquire(blocking=False)
        if not accepted:
            self.log(f"refused a connection: {MAX_CONNECTIONS} are open")
        return accepted

    def process_request(self, request: Any, client_address: Any) -> None:
        """Start a thread for a connection. Raises RuntimeError if the system has none left."""
        try:
            super().process_request(request, client_address)
        except BaseException:
            self._free.release()
            raise

    def finish_request(self, request: Any, client_address: Any) -> None:
        """Answer the requests of a connection, and shut it down when its time is over.

        The connection no longer counts before it is closed: a client that sees its end can connect again at once.
        """
        watchdog = threading.Timer(MAX_SECONDS, _shut_down, (request,))
        watchdog.daemon = True
        try:
            watchdog.start()
            super().finish_request(request, client_address)
        finally:
            watchdog.cancel()
            self._free.release()

    def handle_error(self, request: object, client_address: object) -> None:
        """Log why a connection ended, without a traceback: the client disconnected, or an error of the server."""
        error = sys.exc_info()[1]
        is_client = isinstance(error, ConnectionError)
        self.log("a client disconnected" if is_client else f"error in the server: {type(error).__name__}: {error}")


def _shut_down(connection: socket.socket) -> None:
    with suppress(OSError):  # the client has closed it
        connection.shutdown(socket.SHUT_RDWR)


@contextmanager
def serving(
    authority: TimestampAuthority, port: int = 0, log: Callable[[str], None] = lambda message: None
) -> Iterator[TsaServer]:
    """Run a server in its own thread during the block. Port 0 selects a free one. Raises OSError."""
    with TsaServer(authority, port, log) as server:
        thread = threading.Thread(target=server.serve_forever, args=(_POLL_SECONDS,), name="tsa", daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def serial_numbers() -> Callable[[], int]:
    """Return a generator of serial numbers that differ between runs: a random start, then consecutive."""
    numbers = itertools.count(secrets.randbits(63) | 1 << 62)
    return lambda: next(numbers)


class _Handler(BaseHTTPRequestHandler):
    server: TsaServer
    timeout = _SECONDS_TO_SEND

    def do_POST(self) -> None:  # the name is http.server's
        """Answer a request for a timestamp."""
        size = decimal(self.headers.get("Content-Length") or "0")
        if size is None or size > MAX_REQUEST_SIZE:
            self.send_error(413)
            return
        body = self.rfile.read(size)
        if self.headers.get_content_type() == RFC3161_QUERY:
            self._reply(RFC3161_REPLY, self.server.authority.answer(body))
            return
        try:
            answer = self.server.authority.answer_legacy(body)
        except SignatureFormatError as error:
            self.send_error(400, explain=error.message)
            return
        self._reply(LEGACY, answer)

    def _reply(self, content_type: str, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Log one line for each request."""
        self.server.log(format % args)
