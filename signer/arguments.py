"""Convert the arguments of public functions: paths, digests, passwords and times.

A value of the wrong type raises TypeError, a wrong value UsageError; both say what is accepted.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from signer.algorithms import DigestAlgorithm
from signer.errors import UsageError

PathLike = str | os.PathLike[str]
Paths = PathLike | Iterable[PathLike]
"""One path, or several."""
Password = str | Callable[[], str | None] | None
"""A password, a function that is called when one is needed, or None."""


def to_path(value: PathLike, what: str) -> Path:
    """Return `value` as a path. Raises TypeError, and UsageError for an empty one."""
    if not isinstance(value, str | os.PathLike):
        raise TypeError(f"{what} must be a str or a Path, not {type(value).__name__}")
    text = os.fspath(value)
    if not isinstance(text, str):
        raise TypeError(f"{what} must be a str or a Path, not a path of bytes")
    if not text:
        raise UsageError(f"{what} is empty", hint="Pass the path of a file or folder.")
    if "\0" in text:
        raise UsageError(f"{what} contains a NUL character", hint="Pass the path of a file or folder.")
    return Path(text)


def to_paths(value: Paths, what: str) -> list[Path]:
    """Return one path or several as a list. Raises TypeError, UsageError."""
    if isinstance(value, str | os.PathLike):
        return [to_path(value, what)]
    _require_several(value, f"{what} must be a str or a Path, or several")
    return [to_path(one, what) for one in value]


def to_digest(value: str | DigestAlgorithm) -> DigestAlgorithm:
    """Return the digest algorithm for new signatures. Raises TypeError, and UsageError for an unusable one."""
    if not isinstance(value, str | DigestAlgorithm):
        raise TypeError(f"digest must be a str such as 'sha256', not {type(value).__name__}")
    usable = [algorithm for algorithm in DigestAlgorithm if algorithm is not DigestAlgorithm.MD5]
    for algorithm in usable:
        if value is algorithm or value == algorithm.label:
            return algorithm
    names = ", ".join(algorithm.label for algorithm in usable)
    raise UsageError(f"{str(value)!r} can't be used as the digest of a signature", hint=f"Use one of {names}.")


def to_strings(value: str | Iterable[str], what: str) -> tuple[str, ...]:
    """Return one string or several as a tuple. Raises TypeError."""
    if isinstance(value, str):
        return (value,)
    _require_several(value, f"{what} must be a str, or several")
    values = tuple(value)
    for one in values:
        if not isinstance(one, str):
            raise TypeError(f"{what} must be strings, not {type(one).__name__}")
    return values


def to_text(value: str | None, what: str) -> str | None:
    """Return a text that Unicode can encode, or None. Raises TypeError, UsageError."""
    if value is None:
        return None
    if not isinstance(value, str):
        raise TypeError(f"{what} must be a str, not {type(value).__name__}")
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise UsageError(f"{what} contains half of a surrogate pair", hint="Pass text that was decoded without errors.")
    return value


def to_flag(value: bool, what: str) -> bool:
    """Return True or False. Raises TypeError: a str such as "no" would count as true."""
    if not isinstance(value, bool):
        raise TypeError(f"{what} must be True or False, not {type(value).__name__}")
    return value


def to_time(value: datetime | None) -> datetime:
    """Return an aware time; None is now. Raises TypeError, and UsageError for a time without a time zone."""
    if value is None:
        return datetime.now(UTC)
    if not isinstance(value, datetime):
        raise TypeError(f"the time must be a datetime, not {type(value).__name__}")
    if value.tzinfo is None:
        raise UsageError(f"the time {value.isoformat()} has no time zone", hint="Pass tzinfo=datetime.UTC.")
    return value


def require_choices(record: object, what: str) -> None:
    """Check the fields of a dataclass that are flags or Literals: any other value would silently count as one of them.

    Raises TypeError, and UsageError for an unknown str.
    """
    for name, hint in get_type_hints(type(record)).items():
        allowed, value = _choices(hint), getattr(record, name)
        if allowed is None or any(value is one or (isinstance(one, str) and value == one) for one in allowed):
            continue
        shown = ", ".join(map(str, allowed))
        if isinstance(value, str) and any(isinstance(one, str) for one in allowed):
            raise UsageError(f"{what}.{name} can't be {value!r}", hint=f"Use one of {shown}.")
        raise TypeError(f"{what}.{name} must be one of {shown}, not {value!r}")


def _choices(hint: Any) -> tuple[object, ...] | None:
    """Return the values that a type hint allows; None if it is not of flags, Literals and None alone."""
    if hint is bool:
        return (True, False)
    if hint is NoneType:
        return (None,)
    if get_origin(hint) is Literal:
        return get_args(hint)
    if get_origin(hint) not in (Union, UnionType):
        return None
    parts = [_choices(one) for one in get_args(hint)]
    known = [part for part in parts if part is not None]
    return tuple(chain.from_iterable(known)) if len(known) == len(parts) else None


def to_secret(value: Password) -> Callable[[str], str | None]:
    """Return a function that answers a request for a password. Both raise TypeError and UsageError."""
    if not callable(value):
        if value is not None and not isinstance(value, str):
            raise TypeError(f"password must be a str or a function, not {type(value).__name__}")
        password = to_text(value, "password")
        return lambda prompt: password
    return lambda prompt: to_text(value(), "the result of the password function")


def _require_several(value: object, expected: str) -> None:
    if isinstance(value, bytes | bytearray) or not isinstance(value, Iterable):
        raise TypeError(f"{expected}, not {type(value).__name__}")
