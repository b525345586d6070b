"""Send an HTTP POST with one deadline for name resolution, connecting, sending and the whole answer.

A socket timeout applies to a single operation, so a server that sends a byte from time to time never triggers it.
"""

from __future__ import annotations

import base64
import http.client
import re
import socket
import threading
import urllib.error
import urllib.request
from typing import Any
from urllib.parse import unquote, urlsplit

from signer.errors import TimestampError, UsageError
from signer.numbers import counted

MAX_BYTES = 1 << 20
"""Maximum size of an answer in bytes. Timestamps have about 6 KB."""


_USERINFO = re.compile(r"(?<=//)[^/?#]*@")

_THIS_MACHINE = ("127.0.0.1", "::1", "localhost")


class Unreachable(TimestampError):
    """The server did not answer, or answered with an error. `transient` tells whether a retry can succeed."""

    def __init__(self, message: str, *, transient: bool) -> None:
        super().__init__(message)
        self.transient = transient


def require_http(url: str) -> str:
    """Return `url` if it is an HTTP or HTTPS URL with a host. Raises UsageError otherwise."""
    try:
        parts = urlsplit(url)
        valid = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        valid = False
    if not valid:
        raise UsageError(
            f"{shown_url(url)!r} is not the URL of a timestamp authority",
            hint="Use a URL that begins with http:// or https://.",
        )
    return url


def shown_url(url: str) -> str:
    """Return a URL for messages and documents: without the user name and password in it."""
    return _USERINFO.sub("", url)


def _credentials(url: str) -> dict[str, str]:
    """Return the header for the user name and password in a URL, which urllib does not send."""
    parts = urlsplit(url)
    if parts.username is None:
        return {}
    words = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return {"Authorization": f"Basic {base64.b64encode(words.encode()).decode('ascii')}"}


def post(url: str, body: bytes, content_type: str, seconds: float) -> bytes:
    """Send a POST and return the body of the answer. Raises Unreachable, also if that takes longer than `seconds`.

    Uses the proxies of the environment, as urllib does, but not for this machine.
    """
    headers = {
        "Content-Type": content_type,
        "User-Agent": "drvsign",
        "Accept": "*/*",
        "Cache-Control": "no-cache",
    }
    request = urllib.request.Request(shown_url(require_http(url)), body, headers)  # noqa: S310 - the scheme was checked
    for name, value in _credentials(url).items():
        request.add_unredirected_header(name, value)  # a redirect can lead to another host
    watchdog = _Watchdog(seconds)
    opener = urllib.request.build_opener(_Http(watchdog), _Https(watchdog), *_proxies(request))
    try:
        with watchdog, opener.open(request, timeout=seconds) as answer:
            data: bytes = answer.read(MAX_BYTES + 1)
            missing = answer.length or 0
    except urllib.error.HTTPError as error:
        error.close()
        transient = error.code >= 500 or error.code in (408, 429)
        raise Unreachable(f"the server answered with HTTP status {error.code}", transient=transient) from error
    except (OSError, http.client.HTTPException) as error:
        raise Unreachable(_reason(error, watchdog, seconds), transient=True) from error
    if watchdog.expired:
        raise Unreachable(f"the server sent no complete answer within {seconds:g} seconds", transient=True)
    if len(data) > MAX_BYTES:
        raise Unreachable(f"the answer is longer than {MAX_BYTES} bytes", transient=False)
    if missing:
        raise Unreachable(f"the connection failed (the answer lacks {counted(missing, 'byte')})", transient=True)
    return data


def _proxies(request: urllib.request.Request) -> list[urllib.request.BaseHandler]:
    """Return a handler that disables proxies for this machine; no handler for other hosts, so urllib adds its own."""
    return [urllib.request.ProxyHandler({})] if urlsplit(request.full_url).hostname in _THIS_MACHINE else []


def _reason(error: OSError | http.client.HTTPException, watchdog: _Watchdog, seconds: float) -> str:
    cause = error.reason if isinstance(error, urllib.error.URLError) else error
    if watchdog.expired or isinstance(cause, TimeoutError):
        return f"the server sent no complete answer within {seconds:g} seconds"
    if isinstance(cause, socket.gaierror):
        return "the host name can't be resolved"
    if isinstance(cause, ConnectionRefusedError):
        return "the server refused the connection"
    return f"the connection failed ({(getattr(cause, 'strerror', None) or str(cause) or type(cause).__name__).lower()})"


class _Watchdog:
    """Shuts down all watched connections when the deadline expires."""

    def __init__(self, seconds: float) -> None:
        self._timer = threading.Timer(seconds, self._expire)
        self._timer.daemon = True  # a program that was interrupted just here does not wait for the deadline to end
        self._sockets: list[socket.socket] = []
        self.expired = False

    def __enter__(self) -> None:
        self._timer.start()

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()

    def watch(self, connection: socket.socket) -> None:
        """Watch a connection, or shut it down now if the deadline has expired."""
        self._sockets.append(connection)
        if self.expired:
            _shut_down(connection)

    def _expire(self) -> None:
        self.expired = True
        for connection in self._sockets:
            _shut_down(connection)


def _shut_down(connection: socket.socket) -> None:
    """Shut a connection down, so that a blocked read in another thread returns."""
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:  # the connection is already closed
        return


class _Http(urllib.request.HTTPHandler):
    """HTTP over watched connections."""

    def __init__(self, watchdog: _Watchdog) -> None:
        super().__init__()
        self._watchdog = watchdog

    def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        """Send a request and return the answer."""
        return self.do_open(_watched(http.client.HTTPConnection, self._watchdog), req)


class _Https(urllib.request.HTTPSHandler):
    """HTTPS over watched connections."""

    def __init__(self, watchdog: _Watchdog) -> None:
        super().__init__()
        self._watchdog = watchdog

    def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        """Send a request and return the answer."""
        return self.do_open(_watched(http.client.HTTPSConnection, self._watchdog), req)


def _watched(connection_class: type[http.client.HTTPConnection], watchdog: _Watchdog) -> Any:
    """Derive a connection class that registers each socket with the watchdog."""

    class Watched(connection_class):  # type: ignore[valid-type,misc]  # a class for one request
        def connect(self) -> None:
            """Connect, and register the socket."""
            super().connect()
            watchdog.watch(self.sock)

    return Watched
