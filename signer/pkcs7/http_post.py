"""One HTTP POST with a deadline for all of it: looking up, connecting, sending and every byte of the answer.

A timeout of a socket is for one operation only, so that a server which sends a byte now and then never runs into it.
"""

from __future__ import annotations

import http.client
import socket
import threading
import urllib.error
import urllib.request
from typing import Any
from urllib.parse import urlsplit

from signer.errors import TimestampError, UsageError

MAX_BYTES = 1 << 20
"""The longest answer that is read; real ones have some 6 KB."""


_THIS_MACHINE = ("127.0.0.1", "::1", "localhost")


class Unreachable(TimestampError):
    """No answer came, or one that says to try again later. `passing` says whether asking again may help."""

    def __init__(self, message: str, *, passing: bool) -> None:
        super().__init__(message)
        self.passing = passing


def require_http(url: str) -> str:
    """`url` if it is one of HTTP or HTTPS with a host. Raises UsageError."""
    try:
        parts = urlsplit(url)
        sound = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        sound = False
    if not sound:
        raise UsageError(
            f"not the address of a timestamp authority: {url!r}", hint="It begins with http:// or https://."
        )
    return url


def post(url: str, body: bytes, content_type: str, seconds: float) -> bytes:
    """The body of the answer to a POST, which comes within `seconds` or not at all. Raises Unreachable.

    Proxies are those of the environment, as urllib has them, but never for this machine itself.
    """
    headers = {"Content-Type": content_type, "User-Agent": "drvsign", "Accept": "*/*", "Cache-Control": "no-cache"}
    request = urllib.request.Request(require_http(url), body, headers)  # noqa: S310  # the scheme was checked
    watchdog = _Watchdog(seconds)
    opener = urllib.request.build_opener(_Http(watchdog), _Https(watchdog), *_proxies(request))
    try:
        with watchdog, opener.open(request, timeout=seconds) as answer:
            data: bytes = answer.read(MAX_BYTES + 1)
            missing = answer.length or 0
    except urllib.error.HTTPError as error:
        error.close()
        passing = error.code >= 500 or error.code in (408, 429)
        raise Unreachable(f"it answered with HTTP status {error.code}", passing=passing) from error
    except (OSError, http.client.HTTPException) as error:
        raise Unreachable(_reason(error, watchdog, seconds), passing=True) from error
    if watchdog.barked:
        raise Unreachable(f"no whole answer came within {seconds:g} seconds", passing=True)
    if len(data) > MAX_BYTES:
        raise Unreachable(f"the answer is longer than {MAX_BYTES} bytes", passing=False)
    if missing:
        raise Unreachable(f"the connection failed (the answer lacks {missing} bytes)", passing=True)
    return data


def _proxies(request: urllib.request.Request) -> list[urllib.request.BaseHandler]:
    """No proxies for an authority on this machine; else nothing, so that urllib's own way holds."""
    return [urllib.request.ProxyHandler({})] if urlsplit(request.full_url).hostname in _THIS_MACHINE else []


def _reason(error: OSError | http.client.HTTPException, watchdog: _Watchdog, seconds: float) -> str:
    cause = error.reason if isinstance(error, urllib.error.URLError) else error
    if watchdog.barked or isinstance(cause, TimeoutError):
        return f"no whole answer came within {seconds:g} seconds"
    if isinstance(cause, socket.gaierror):
        return "its name is not known"
    if isinstance(cause, ConnectionRefusedError):
        return "nothing listens there"
    return f"the connection failed ({(getattr(cause, 'strerror', None) or str(cause) or type(cause).__name__).lower()})"


class _Watchdog:
    """Ends every connection that it was given when its time is over."""

    def __init__(self, seconds: float) -> None:
        self._timer = threading.Timer(seconds, self._bark)
        self._timer.daemon = True
        self._sockets: list[socket.socket] = []
        self.barked = False

    def __enter__(self) -> None:
        self._timer.start()

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()

    def watch(self, connection: socket.socket) -> None:
        """End this connection too when the time is over, or at once if it is."""
        self._sockets.append(connection)
        if self.barked:
            _end(connection)

    def _bark(self) -> None:
        self.barked = True
        for connection in self._sockets:
            _end(connection)


def _end(connection: socket.socket) -> None:
    """Have whoever reads from the connection see its end."""
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:  # it has ended by itself
        return


class _Http(urllib.request.HTTPHandler):
    """HTTP over connections that are watched."""

    def __init__(self, watchdog: _Watchdog) -> None:
        super().__init__()
        self._watchdog = watchdog

    def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        """The answer to a request."""
        return self.do_open(_watched(http.client.HTTPConnection, self._watchdog), req)


class _Https(urllib.request.HTTPSHandler):
    """HTTPS over connections that are watched."""

    def __init__(self, watchdog: _Watchdog) -> None:
        super().__init__()
        self._watchdog = watchdog

    def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        """The answer to a request."""
        return self.do_open(_watched(http.client.HTTPSConnection, self._watchdog), req)


def _watched(kind: type[http.client.HTTPConnection], watchdog: _Watchdog) -> Any:
    """A kind of connection whose socket the watchdog knows as soon as there is one."""

    class Watched(kind):  # type: ignore[valid-type,misc]  # a class for one request
        def connect(self) -> None:
            """Connect, and be watched."""
            super().connect()
            watchdog.watch(self.sock)

    return Watched
