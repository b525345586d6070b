"""Passwords of key files: their encoding, their errors, and a limit on the time that a key is derived from them."""

from __future__ import annotations

from signer.asn1.iterations import iterations
from signer.errors import IdentityError, WrongSecret
from signer.limits import LIMITS, VARIABLE

_TRIES = 6
"""Times that a command derives a key at most: two for each of `guesses`, one for its own password and the user's."""


def encoded_password(password: str) -> bytes:
    """Return a password in UTF-8. Raises WrongSecret for a NUL, at which the binding of OpenSSL panics."""
    if "\0" in password:
        raise WrongSecret("the password contains a NUL character", hint="Check where the password comes from.")
    try:
        return password.encode()
    except UnicodeEncodeError as error:
        raise WrongSecret("the password is not UTF-8", hint="Check where the password comes from.") from error


def wrong_secret(container: str, *, given: bool) -> WrongSecret:
    """Return the error about a password that is wrong if one was given, or missing."""
    if not given:
        return WrongSecret(
            f"the {container} is protected by a password, and none was given",
            hint="Use --password-env, --password-file or --password-fd.",
        )
    return WrongSecret(
        f"the password of the {container} is wrong",
        hint="Check the password, also for spaces before and after it.",
    )


def require_few_iterations(data: bytes, container: str, limit: int | None = None) -> None:
    """Refuse a key file that takes more iterations to open than the limit `key-iterations`. Raises IdentityError.

    A PFX has a MAC and two encrypted parts; Windows writes 2,000 iterations for each, OpenSSL 2,048, key stores up to
    600,000.
    """
    count, limit = iterations(data), LIMITS["key-iterations"] if limit is None else limit
    if count > limit:
        raise IdentityError(
            f"the {container} requires {count:,} iterations to be opened; the limit is {limit:,}",
            hint=_raising(container, count),
        )


def _raising(container: str, count: int) -> str:
    """Return the hint of the error about a key file that requires `count` iterations."""
    variable = f"{VARIABLE}=key-iterations={count}"
    if container != "PFX":
        return f"If you trust the file, run the command with the environment variable {variable}"
    return (
        f"If you trust the file, run the command with the environment variable {variable}, or sign with "
        f"--identity 'pfx:FILE.pfx?iterations={count}'"
    )


def guesses(data: bytes) -> tuple[str | None, ...]:
    """Return the passwords to try before a user is asked: none and an empty one, which are common in PFX files.

    For a file of many iterations there are none, because each try takes as long as opening it.
    """
    return (None, "") if iterations(data) * _TRIES <= LIMITS["key-iterations"] else ()
