"""Parse key URIs: scheme, name and options, such as `aws-kms:alias/release?region=eu-central-1&cert=release.cer`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol, runtime_checkable
from urllib.parse import unquote

from signer.errors import UsageError
from signer.records import dataclass

Secret = Callable[[str], str | None]
"""Returns the password for a described key or file, or None if the user gave none and can't be prompted."""


@runtime_checkable
class ReadsVariable(Protocol):
    """A `Secret` that may read an environment variable."""

    @property
    def variable(self) -> str | None:
        """Name of the variable, which other programs must not inherit; None if the secret comes from elsewhere."""


@dataclass(frozen=True, slots=True)
class KeyUri:
    """A parsed key URI. Name and options are percent-decoded, so `%3F` is a question mark in the name."""

    scheme: str
    name: str
    options: Mapping[str, str]

    @classmethod
    def parse(cls, text: str) -> KeyUri:
        """Parse a key URI. Raises UsageError."""
        scheme, _, rest = text.partition(":")
        name, _, query = rest.partition("?")
        options: dict[str, str] = {}
        for part in filter(None, query.split("&")):
            option, equals, value = part.partition("=")
            if not equals or option in options:
                problem = "occurs twice" if equals else "has no value"
                raise UsageError(
                    f"the option {option!r} {problem} in the key URI",
                    field=option,
                    hint=f"Write {option}=VALUE once.",
                )
            options[option] = unquote(value)
        if not name:
            raise UsageError(
                f"the URI {text!r} does not name a key", field=scheme, hint=f"Write the key after {scheme}:."
            )
        return cls(scheme.lower(), unquote(name), options)

    def require_known(self, *known: str) -> None:
        """Raise UsageError for an option that is neither `cert` nor one of `known`, because it may be misspelled."""
        for option in self.options:
            if option not in ("cert", *known):
                raise UsageError(
                    f"unknown option {option!r} in the {self.scheme} URI",
                    field=option,
                    hint=f"Known options: {', '.join(sorted(('cert', *known)))}.",
                )
