"""`drvsign tsa`: run a timestamp authority on this machine, for tests without a network."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from signer.cli.option_groups import command, examples
from signer.cli.options.certs import CertsDir, open_authority
from signer.cli.options.common import now
from signer.cli.output import Output
from signer.errors import SigningError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from signer.pkcs7.timestamp_authority import TimestampAuthority

_SIGNAL_POLL_SECONDS = 0.5
"""Seconds: on Windows, an interrupt does not end an unlimited wait."""

app = typer.Typer(no_args_is_help=True, add_completion=False, epilog=examples("drvsign tsa serve --port 3161"))

_PORT = 3161


@app.callback()
def tsa() -> None:
    """Run a timestamp authority for tests."""


@app.command(epilog=examples("drvsign tsa serve --port 3161", "drvsign tsa serve --time 2024-02-29T12:00:00Z"))
@command
def serve(
    output: Output,
    port: Annotated[
        int, typer.Option("--port", metavar="N", min=0, max=65535, help="The port to listen on; 0 selects a free one.")
    ] = _PORT,
    time: Annotated[
        str | None,
        typer.Option("--time", metavar="TIME", help="Always use this time, such as 2024-02-29T12:00:00Z."),
    ] = None,
    certs: CertsDir = None,
) -> None:
    """Answer timestamp requests until interrupted: RFC 3161 and Authenticode's legacy protocol.

    The test time-stamping certificate signs the timestamps, so only test machines trust them. The server accepts
    connections only from this machine.
    """
    from signer.cli.tsa_server import serving

    authority = _authority(output, certs, _clock(time))
    try:
        with serving(authority, port, output.detail) as server:
            _announce(output, server.url, authority)
            _wait()
    except OSError as error:
        raise SigningError(
            f"can't listen on port {port}: {(error.strerror or str(error)).lower()}",
            hint="Choose another --port; 0 selects a free one.",
        ) from error


def _clock(time: str | None) -> Callable[[], datetime]:
    """Return the authority's clock: the machine's, or a fixed time. Raises UsageError."""
    from signer.cli.options.verify import parse_time

    if time is None:
        return now
    fixed = parse_time(time, "--time")
    return lambda: fixed


def _authority(output: Output, certs: Path | None, clock: Callable[[], datetime]) -> TimestampAuthority:
    from signer.cli.tsa_server import serial_numbers
    from signer.pkcs7.timestamp_authority import authority
    from testcerts.time_stamping import time_stamping_identity

    identity, issued = time_stamping_identity(open_authority(certs, output), clock())
    if issued:
        output.note(f"The time-stamping certificate is not valid on {clock():%Y-%m-%d}; issued a new one.")
    return authority(identity, clock, serial_numbers())


def _announce(output: Output, url: str, authority: TimestampAuthority) -> None:
    if output.json:
        output.document({"schema": "drvsign.tsa/1", "url": url, "signer": authority.identity.name})
    else:
        output.print(f"Timestamps by {authority.identity.name!r} at {url}")
    sys.stdout.flush()  # a script that started the server waits for this line
    output.note(f"Use it with: drvsign sign --timestamp {url} (or --legacy-timestamp {url}). Stop it with Ctrl-C.")


def _wait() -> None:
    """Wait for SIGINT or SIGTERM; a shell that starts a process in the background makes it ignore SIGINT."""
    import signal
    from threading import Event

    ended = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    while not ended.wait(_SIGNAL_POLL_SECONDS):
        continue
