"""Timestamp authorities: options of `sign`, `package` and `timestamp`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from signer.cli.output import Output
from signer.cli.waiting import waiting
from signer.errors import UsageError
from signer.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from signer.algorithms import DigestAlgorithm
    from signer.config import Settings
    from signer.pkcs7.signed_data import TimestampAttribute, Timestamper
    from signer.pkcs7.timestamp import Kind, TimestampSource
    from signer.pkcs7.timestamping import TimestamperSelector

PANEL = "Timestamps"


@dataclass(frozen=True)
class TimestampOptions:
    """Options for timestamp authorities. With both kinds, SHA-1 signatures get the legacy one and others RFC 3161."""

    timestamp: Annotated[
        list[str] | None,
        typer.Option(
            "--timestamp",
            metavar="URL",
            help="An RFC 3161 timestamp authority. Repeat to name fallbacks.",
            rich_help_panel=PANEL,
        ),
    ] = None
    timestamp_digest: Annotated[
        str | None,
        typer.Option(
            "--timestamp-digest",
            metavar="ALG",
            help="sha1, sha256, sha384, sha512. Default: sha256.",
            rich_help_panel=PANEL,
        ),
    ] = None
    legacy_timestamp: Annotated[
        list[str] | None,
        typer.Option(
            "--legacy-timestamp",
            metavar="URL",
            help="A timestamp authority for Authenticode's legacy protocol, for releases before Windows 7. Repeatable.",
            rich_help_panel=PANEL,
        ),
    ] = None

    def using(self, settings: Settings) -> TimestampOptions:
        """Return these options; a profile sets those that were not given."""
        named = self if self.is_wanted else settings
        return TimestampOptions(
            list(named.timestamp or ()),
            self.timestamp_digest or settings.timestamp_digest,
            list(named.legacy_timestamp or ()),
        )

    @property
    def is_wanted(self) -> bool:
        """Whether any authority is named."""
        return bool(self.timestamp or self.legacy_timestamp)

    def chooser(self, output: Output) -> Callable[[DigestAlgorithm | None], Timestamper | None]:
        """Return a function from a digest algorithm to its timestamper, or None without one. Raises UsageError."""
        if self.is_wanted:
            return self.selector(output)
        self._algorithm()
        return lambda _: None

    def selector(self, output: Output) -> TimestamperSelector:
        """Return a function from a digest algorithm to its timestamper. Raises UsageError if no authority is named."""
        from signer.algorithms import DigestAlgorithm

        algorithm = self._algorithm()
        modern = _client(output, self.timestamp, "rfc3161", algorithm)
        legacy = _client(output, self.legacy_timestamp, "authenticode", algorithm)
        either = modern or legacy
        if either is None:
            raise UsageError("no timestamp authority was given", hint="Add --timestamp URL.")
        return lambda digest: (legacy if digest is DigestAlgorithm.SHA1 else modern) or either

    def _algorithm(self) -> DigestAlgorithm:
        """Return the algorithm of --timestamp-digest. Raises UsageError."""
        from signer.algorithms import DigestAlgorithm

        algorithm = DigestAlgorithm.named(self.timestamp_digest or "sha256")
        if algorithm is DigestAlgorithm.MD5:
            raise UsageError("MD5 can't be used for timestamps", hint="Choose sha256.", field="--timestamp-digest")
        return algorithm


def _client(output: Output, urls: Sequence[str] | None, kind: Kind, digest: DigestAlgorithm) -> Timestamper | None:
    if not urls:
        return None
    from signer.pkcs7.timestamp import TimestampClient

    said: set[str] = set()

    def once(say: Callable[[str], None], message: str) -> None:
        if message not in said:
            said.add(message)
            say(message)

    def report(source: TimestampSource) -> None:
        once(output.note, f"Timestamped by {source.url} ({source.kind}).")

    def warn(message: str) -> None:
        once(output.warn, f"timestamp authority {message}")

    client = TimestampClient(urls, kind, digest, report=report, warn=warn)

    def asked(signature: bytes) -> TimestampAttribute:
        with waiting():
            return client(signature)

    return asked
