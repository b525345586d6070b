"""Keys behind a command: `exec:`, the door for everything that has no backend of its own.

The command gets the digest on its standard input as raw bytes, and gives the signature on its standard output as raw
bytes: RSASSA-PKCS1-v1_5, or ECDSA as DER. No shell takes part. What it has to know stands in its environment, and
`{algorithm}` in its arguments becomes the name of the digest algorithm.
"""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Callable

from cryptography import x509

from signer.algorithms import DigestAlgorithm
from signer.certificates import public_key, spki_sha256
from signer.errors import IdentityError, KeyNotFound, UsageError
from signer.keys.chain import leaf_of
from signer.keys.identity import require_supported
from signer.keys.remote import RemoteKey, key_kind
from signer.keys.uri import KeyUri, Secret

_TIMEOUT = 120.0
_LONGEST_LINE = 300


def open_key(uri: KeyUri, certificates: tuple[x509.Certificate, ...], secret: Secret) -> RemoteKey:
    """The key behind the command of `exec:COMMAND?timeout=SECONDS`; `certificates` have the key's own.

    No secret is asked for: how the command gets at its key is its own affair. Raises UsageError, IdentityError.
    """
    uri.require_known("timeout")
    command, timeout = _split(uri.name), _timeout(uri.options.get("timeout"))
    if not certificates:
        raise KeyNotFound(
            "a command does not say whose key it has",
            hint="Name the certificate's file with --cert, or ?cert= in the URI.",
        )
    certificate = leaf_of(certificates)
    public = require_supported(public_key(certificate))
    about = {"DRVSIGN_KEY": key_kind(public), "DRVSIGN_KEY_SHA256": spki_sha256(certificate)}
    # One at a time: a command may have a token behind it, which must not see a wrong PIN from every thread.
    return RemoteKey(f"the command {command[0]!r}", public, _signer(command, about, timeout), one_at_a_time=True)


def _split(text: str) -> list[str]:
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise UsageError(
            f"the command of exec: can't be split into words ({error})", hint="Close its quotes."
        ) from error
    if not words:
        raise UsageError("exec: names no command", hint="Write exec:COMMAND ARGUMENTS?cert=CERT.cer.")
    return words


def _timeout(text: str | None) -> float:
    try:
        seconds = _TIMEOUT if text is None else float(text)
    except ValueError:
        seconds = 0
    if not 0 < seconds < float("inf"):
        raise UsageError(f"{text!r} is not a number of seconds", field="timeout")
    return seconds


def _signer(command: list[str], about: dict[str, str], timeout: float) -> Callable[[bytes, DigestAlgorithm], bytes]:
    def sign(digest: bytes, algorithm: DigestAlgorithm) -> bytes:
        words = [command[0], *(word.replace("{algorithm}", str(algorithm)) for word in command[1:])]
        return _run(words, digest, {**os.environ, **about, "DRVSIGN_ALGORITHM": str(algorithm)}, timeout)

    return sign


def _run(command: list[str], digest: bytes, environment: dict[str, str], timeout: float) -> bytes:
    """What the command writes. It stays in the session of the terminal, so that it can ask for a PIN there."""
    name = f"the command {command[0]!r}"
    try:
        done = subprocess.run(  # noqa: S603 - the user's own command, and no shell
            command, input=digest, capture_output=True, env=environment, timeout=timeout, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise IdentityError(
            f"{name} gave no signature within {timeout:g} seconds",
            hint="Add timeout=SECONDS to the URI if it needs more.",
        ) from error
    except (OSError, ValueError) as error:
        reason = error.strerror.lower() if isinstance(error, OSError) and error.strerror else str(error)
        raise IdentityError(f"{name} can't be run: {reason}", hint="Check its path.") from error
    if done.returncode != 0:
        how = f"exit code {done.returncode}" if done.returncode > 0 else f"signal {-done.returncode}"
        raise IdentityError(f"{name} failed with {how}: {_last_line(done.stderr)}")
    if not done.stdout:
        raise IdentityError(f"{name} gave no signature: {_last_line(done.stderr)}")
    return done.stdout


def _last_line(stderr: bytes) -> str:
    lines = [line.strip() for line in stderr.decode("utf-8", "replace").splitlines() if line.strip()]
    return lines[-1][:_LONGEST_LINE] if lines else "it did not say why"
