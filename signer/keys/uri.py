"""URIs of keys: a scheme, a name, and options, such as `aws-kms:alias/release?region=eu-central-1&cert=release.cer`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from signer.errors import UsageError

Secret = Callable[[str], str | None]
"""Asks for a password, given what it opens; None where there is nobody to ask."""


@dataclass(frozen=True, slots=True)
class KeyUri:
    """A key that is elsewhere. Name and options are decoded: `%3F` is a question mark that belongs to the name."""

    scheme: str
    name: str
    options: Mapping[str, str]

    @classmethod
    def parse(cls, text: str) -> KeyUri:
        """The URI that `text` is. Raises UsageError."""
        scheme, _, rest = text.partition(":")
        name, _, query = rest.partition("?")
        options: dict[str, str] = {}
        for part in filter(None, query.split("&")):
            option, equals, value = part.partition("=")
            if not equals or option in options:
                what = "stands twice" if equals else "has no value"
                raise UsageError(f"the option {option!r} {what} in the URI of the key", field=option)
            options[option] = unquote(value)
        if not name:
            raise UsageError(f"the URI {text!r} does not name a key", field=scheme)
        return cls(scheme.lower(), unquote(name), options)

    def require_known(self, *known: str) -> None:
        """Raise UsageError for an option that is neither `cert` nor one of `known`: it may be a misspelt one."""
        for option in self.options:
            if option not in ("cert", *known):
                raise UsageError(
                    f"{self.scheme}: has no option {option!r}",
                    field=option,
                    hint=f"Known are {', '.join(sorted(('cert', *known)))}.",
                )
