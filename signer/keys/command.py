"""Sign by running a command: `exec:COMMAND`, for key stores without a backend of their own.

The command reads the digest from standard input and writes the signature to standard output, both as raw bytes. The
signature is RSASSA-PKCS1-v1_5, or ECDSA in DER. The command runs without a shell. Environment variables give it the
digest algorithm and the key, and `{algorithm}` in its arguments is replaced with the name of the digest algorithm.
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
from signer.keys.uri import KeyUri, ReadsVariable, Secret

_TIMEOUT = 120.0
_MAX_LINE = 300


def open_key(uri: KeyUri, certificates: tuple[x509.Certificate, ...], secret: Secret) -> RemoteKey:
    """Open the key of `exec:COMMAND?timeout=SECONDS`. `certificates` must contain the certificate of the key.

    Does not call `secret`: the command itself obtains its secrets, and does not inherit the variable with ours. Raises
    UsageError and IdentityError.
    """
    uri.require_known("timeout")
    command, timeout = _split(uri.name), _timeout(uri.options.get("timeout"))
    if not certificates:
        raise KeyNotFound(
            "exec: needs the certificate of the key",
            hint="Name the certificate file with --cert, or with ?cert= in the URI.",
        )
    certificate = leaf_of(certificates)
    public = require_supported(public_key(certificate))
    variables = {**_inherited(secret), "DRVSIGN_KEY": key_kind(public), "DRVSIGN_KEY_SHA256": spki_sha256(certificate)}
    # One at a time: if the command uses a token, every thread would try a wrong PIN.
    return RemoteKey(f"the command {command[0]!r}", public, _signer(command, variables, timeout), one_at_a_time=True)


def _split(text: str) -> list[str]:
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise UsageError(
            f"the command in the exec: URI can't be split into words ({error})", hint="Close the quotes."
        ) from error
    if not words:
        raise UsageError("the exec: URI has no command", hint="Write exec:COMMAND ARGUMENTS?cert=CERT.cer.")
    return words


def _timeout(text: str | None) -> float:
    try:
        seconds = _TIMEOUT if text is None else float(text)
    except ValueError:
        seconds = 0
    if not 0 < seconds < float("inf"):
        raise UsageError(
            f"{text!r} is not a number of seconds", field="timeout", hint="Write a positive number, such as timeout=60."
        )
    return seconds


def _inherited(secret: Secret) -> dict[str, str]:
    """Return the environment without the variable that `secret` reads."""
    withheld = secret.variable if isinstance(secret, ReadsVariable) else None
    return {name: value for name, value in os.environ.items() if name != withheld}


def _signer(command: list[str], variables: dict[str, str], timeout: float) -> Callable[[bytes, DigestAlgorithm], bytes]:
    def sign(digest: bytes, algorithm: DigestAlgorithm) -> bytes:
        words = [command[0], *(word.replace("{algorithm}", str(algorithm)) for word in command[1:])]
        return _run(words, digest, {**variables, "DRVSIGN_ALGORITHM": str(algorithm)}, timeout)

    return sign


def _run(command: list[str], digest: bytes, environment: dict[str, str], timeout: float) -> bytes:
    """Run the command and return its standard output. Keeps the terminal session, so that it can prompt for a PIN."""
    name = f"the command {command[0]!r}"
    try:
        done = subprocess.run(  # noqa: S603 - the user's own command, and no shell
            command, input=digest, capture_output=True, env=environment, timeout=timeout, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise IdentityError(
            f"{name} wrote no signature within {timeout:g} seconds",
            hint="Add timeout=SECONDS to the URI if the command needs more time.",
        ) from error
    except (OSError, ValueError) as error:
        reason = error.strerror.lower() if isinstance(error, OSError) and error.strerror else str(error)
        raise IdentityError(f"{name} can't be run: {reason}", hint="Check the path of the command.") from error
    if done.returncode != 0:
        status = f"exit code {done.returncode}" if done.returncode > 0 else f"signal {-done.returncode}"
        raise IdentityError(f"{name} failed with {status}: {_last_line(done.stderr)}")
    if not done.stdout:
        raise IdentityError(f"{name} wrote no signature: {_last_line(done.stderr)}")
    return done.stdout


def _last_line(stderr: bytes) -> str:
    lines = [line.strip() for line in stderr.decode("utf-8", "replace").splitlines() if line.strip()]
    return lines[-1][:_MAX_LINE] if lines else "it wrote no error message"
