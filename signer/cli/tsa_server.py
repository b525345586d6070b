"""The HTTP side of our timestamp authority: RFC 3161 over HTTP, and Authenticode's legacy protocol, on this machine.

Source: RFC 3161, 3.4. What a request is, is told by its Content-Type.
"""

from __future__ import annotations

import itertools
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from signer.errors import SignatureFormatError
from signer.pkcs7.timestamp_authority import TimestampAuthority
from signer.pkcs7.timestamp_request import LEGACY, RFC3161_QUERY, RFC3161_REPLY

HOST = "127.0.0.1"
"""Test timestamps are nothing for others, so nobody else can ask for them."""

_MAX_REQUEST_SIZE = 1 << 16
_SECONDS_TO_SEND = 10


class TsaServer(ThreadingHTTPServer):
    """Serves one authority. `log` is told about each request."""

    daemon_threads = True

    def __init__(self, authority: TimestampAuthority, port: int, log: Callable[[str], None]) -> None:
        self.authority = authority
        self.log = log
        super().__init__((HOST, port), _Handler)

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://{HOST}:{self.server_address[1]}/"

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes away is no reason to say anything."""
        self.log("a client went away")


@contextmanager
def serving(
    authority: TimestampAuthority, port: int = 0, log: Callable[[str], None] = lambda message: None
) -> Iterator[TsaServer]:
    """A server in a thread of its own, for as long as the block runs. Port 0 takes any that is free. Raises OSError."""
    with TsaServer(authority, port, log) as server:
        thread = threading.Thread(target=server.serve_forever, name="tsa", daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def serial_numbers() -> Callable[[], int]:
    """Serial numbers that no other run has given out: a random beginning, then one after the other."""
    numbers = itertools.count(secrets.randbits(63) | 1 << 62)
    return lambda: next(numbers)


class _Handler(BaseHTTPRequestHandler):
    server: TsaServer
    timeout = _SECONDS_TO_SEND

    def do_POST(self) -> None:  # the name is http.server's
        """Answer a request for a timestamp."""
        size = (
            int(self.headers.get("Content-Length") or 0)
            if (self.headers.get("Content-Length") or "0").isdigit()
            else -1
        )
        if not 0 <= size <= _MAX_REQUEST_SIZE:
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
        """One line for each request, to wherever the server says."""
        self.server.log(format % args)
