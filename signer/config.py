"""`drvsign.toml`: how a driver is signed, written down once, in profiles.

What is said on the command line counts before the environment (`DRVSIGN_IDENTITY`, `DRVSIGN_TIMESTAMP`, …), and that
before the profile. A profile holds no secret, only where one comes from.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote, unquote

from signer.algorithms import DigestAlgorithm
from signer.errors import ConfigError, UsageError

FILE_NAME = "drvsign.toml"
PREFIX = "DRVSIGN_"

Trust = Literal["release", "test-signing"]

_TOML_HINT = 'Write a table for each way to sign, such as [profile.release] with digest = "sha256" below it.'
_SECRETS = re.compile(r"(?i)^(pin|pin-value|password|passphrase|secret|token|key-password)$")
_SECRET_IN_URI = re.compile(r"(?i)(^|[?&;])(pin-value|pin|password|passphrase|secret|token)=")
_PKCS11_TOKEN = re.compile(r"(?i)^pkcs11:")


@dataclass(frozen=True, slots=True)
class Settings:
    """How to sign, as far as it is said. Every field is a key of a profile, with `-` for `_`."""

    identity: str | None = None
    """The URI of the key. None: the test identity, which only a profile for tests may sign with."""
    certificate: Path | None = None
    """The key's certificate, where the URI does not lead to it."""
    password_env: str | None = None
    """The environment variable that holds the key's password or PIN."""
    password_file: Path | None = None
    digest: str | None = None
    page_hashes: bool | None = None
    description: str | None = None
    url: str | None = None
    cross_certificates: tuple[Path, ...] = ()
    timestamp: tuple[str, ...] = ()
    """RFC 3161 authorities, the first that answers."""
    timestamp_digest: str | None = None
    legacy_timestamp: tuple[str, ...] = ()
    os: tuple[str, ...] = ()
    """Releases of the catalog, by Inf2Cat's names."""
    catalog_version: int | None = None
    targets: tuple[str, ...] = ()
    """Releases that must accept the package, such as `win7-x64`."""
    trust: Trust | None = None
    """Which roots the package is verified with. A profile that does not say is for release."""
    roots: tuple[Path, ...] = ()
    """Roots of your own, with `trust = "test-signing"`."""


@dataclass(frozen=True, slots=True)
class Profile:
    """A named way to sign."""

    name: str
    source: Path
    settings: Settings

    @property
    def is_release(self) -> bool:
        """Whether what it signs is for machines that are not in test-signing mode."""
        return self.settings.trust != "test-signing"


KEYS = tuple(field.name.replace("_", "-") for field in fields(Settings))
"""The keys of a profile, in the order of the documentation."""


def parse_profiles(data: bytes, source: Path) -> dict[str, Profile]:
    """The profiles in a `drvsign.toml`; its relative paths are taken from its folder. Raises ConfigError."""
    import tomllib

    text = _decoded(data, source)
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"at line (\d+)", str(error))
        reason = str(error).partition(" (at ")[0].lower()
        number = int(line[1]) if line else None
        raise ConfigError(f"not TOML: {reason}", path=source, line=number, hint=_TOML_HINT) from error
    for key in document:
        if key != "profile":
            raise _unknown(key, ("profile",), source, text, "Profiles are tables such as [profile.release].")
    profiles = document.get("profile", {})
    if not isinstance(profiles, dict) or not all(isinstance(value, dict) for value in profiles.values()):
        message = "profiles are tables such as [profile.release]"
        raise ConfigError(message, path=source, line=_line(text, "profile"), hint=_TOML_HINT)
    return {name: Profile(name, source, _settings(table, source, text)) for name, table in profiles.items()}


def find_profile(profiles: Mapping[str, Profile], name: str, source: Path) -> Profile:
    """The profile called `name`. Raises ConfigError with the nearest name."""
    if name in profiles:
        return profiles[name]
    known = ", ".join(profiles) or "none"
    near = difflib.get_close_matches(name, profiles, 1)
    hint = f"Did you mean {near[0]}?" if near else f"There is: {known}."
    raise ConfigError(f"there is no profile called {name!r}", path=source, hint=hint)


def from_environment(environment: Mapping[str, str]) -> Settings:
    """What variables such as DRVSIGN_IDENTITY say; those that are empty say nothing. Raises ConfigError.

    Lists are separated by spaces or commas, paths as the system separates them in PATH.
    """
    found: dict[str, Any] = {}
    for field in fields(Settings):
        name = PREFIX + field.name.upper()
        text = environment.get(name, "")
        if text and field.name != "trust":  # what a profile is for is said in the profile alone
            found[field.name] = _Reader(Path(), name, None).read(field.name, _from_text(field.name, text))
    return Settings(**found)


def merged(first: Settings, second: Settings) -> Settings:
    """`first` with what it leaves open taken from `second`."""
    said = {field.name: value for field in fields(Settings) if (value := getattr(first, field.name)) not in (None, ())}
    return replace(second, **said)


def _settings(table: Mapping[str, Any], source: Path, text: str) -> Settings:
    found: dict[str, Any] = {}
    for key, value in table.items():
        if _SECRETS.match(key):
            raise ConfigError(
                f"a secret does not belong in {FILE_NAME}: {key}",
                path=source,
                line=_line(text, key),
                hint="Say where it comes from: password-env or password-file.",
            )
        if key not in KEYS:
            raise _unknown(key, KEYS, source, text, f"Known are {', '.join(KEYS)}.")
        found[key.replace("-", "_")] = _Reader(source, key, _line(text, key)).read(key.replace("-", "_"), value)
    return Settings(**found)


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads one value, and knows where it stands."""

    source: Path
    key: str
    line: int | None

    def read(self, field: str, value: Any) -> Any:
        """The value as the field of Settings has it. Raises ConfigError."""
        readers: Mapping[str, Callable[[Any], Any]] = {
            "identity": self._identity,
            "certificate": self._path,
            "password_file": self._path,
            "page_hashes": self._bool,
            "catalog_version": self._version,
            "cross_certificates": self._paths,
            "roots": self._paths,
            "timestamp": self._urls,
            "legacy_timestamp": self._urls,
            "os": self._texts,
            "targets": self._texts,
            "digest": self._digest,
            "timestamp_digest": self._digest,
            "trust": self._trust,
        }
        reader: Callable[[Any], Any] = readers.get(field, self._text)
        return reader(value)

    def _text(self, value: Any) -> str:
        if not isinstance(value, str) or not value:
            raise self._wrong("a text", value)
        return value

    def _texts(self, value: Any) -> tuple[str, ...]:
        items = [value] if isinstance(value, str) else value
        if not isinstance(items, list) or not all(isinstance(item, str) and item for item in items):
            raise self._wrong("a list of texts", value)
        return tuple(items)

    def _urls(self, value: Any) -> tuple[str, ...]:
        urls = self._texts(value)
        for url in urls:
            if not url.startswith(("http://", "https://")):
                raise self._wrong("a list of http or https addresses", url)
        return urls

    def _path(self, value: Any) -> Path:
        return self.source.parent / self._text(value)

    def _paths(self, value: Any) -> tuple[Path, ...]:
        return tuple(self.source.parent / item for item in self._texts(value))

    def _bool(self, value: Any) -> bool:
        if not isinstance(value, bool):
            raise self._wrong("true or false", value)
        return value

    def _version(self, value: Any) -> int:
        if value not in (1, 2) or isinstance(value, bool):
            raise self._wrong("1 or 2", value)
        return int(value)

    def _digest(self, value: Any) -> str:
        try:
            return str(DigestAlgorithm.named(self._text(value)))
        except UsageError as error:
            message = f"{self.key}: {error.message}"
            raise ConfigError(message, path=self.source, line=self.line, hint=error.hint) from error

    def _trust(self, value: Any) -> str:
        if value not in ("release", "test-signing"):
            raise self._wrong('"release" or "test-signing"', value)
        return str(value)

    def _identity(self, value: Any) -> str:
        uri = self._text(value)
        query = re.sub(r"(?i)([:;])token=", r"\1", uri) if _PKCS11_TOKEN.match(uri) else uri  # there it names a token
        if _SECRET_IN_URI.search(query.partition(":")[2]):
            raise ConfigError(
                f"a secret does not belong in {FILE_NAME}: the identity's URI has one",
                path=self.source,
                line=self.line,
                hint="Say where it comes from: password-env, password-file, or pin-source in a PKCS #11 URI.",
            )
        return _rebased(uri, self.source.parent)

    def _wrong(self, wanted: str, value: Any) -> ConfigError:
        shown = value if isinstance(value, (str, int, float, bool)) else type(value).__name__
        message = f"{self.key} is to be {wanted}, not {shown!r}"
        return ConfigError(message, path=self.source, line=self.line, hint=f"Correct {self.key}, or leave it out.")


def _rebased(uri: str, folder: Path) -> str:
    """A URI with the relative paths in it taken from `folder`: those of a key's file, its certificate and its PIN."""
    scheme, _, rest = uri.partition(":")
    if folder == Path():
        return uri
    path, mark, query = rest.partition("?")
    if scheme.lower() in ("pfx", "file"):
        path = quote(str(folder / unquote(path)))
    parts = [_rebased_option(part, folder) for part in query.split("&")]
    return f"{scheme}:{path}{mark}{'&'.join(parts)}"


def _rebased_option(part: str, folder: Path) -> str:
    name, equals, value = part.partition("=")
    if name not in ("cert", "pin-source") or value.startswith("file:/"):
        return part
    return f"{name}{equals}{quote(str(folder / unquote(value.removeprefix('file:'))))}"


def _from_text(field: str, text: str) -> Any:
    """A variable's text as TOML would have it."""
    if field in ("cross_certificates", "roots"):
        import os

        return [item for item in text.split(os.pathsep) if item]
    if field in ("timestamp", "legacy_timestamp", "os", "targets"):
        return re.split(r"[\s,]+", text.strip())
    if field == "page_hashes":
        return {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}.get(text.lower(), text)
    return int(text) if field == "catalog_version" and text.isdigit() else text


def _decoded(data: bytes, source: Path) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(
            "not TOML: it is not UTF-8", path=source, offset=error.start, hint="Save the file as UTF-8."
        ) from error


def _line(text: str, key: str) -> int | None:
    """The first line that begins with a key, or with a table of that name."""
    pattern = re.compile(rf"""\s*(\[\s*)?["']?{re.escape(key)}["']?\s*[=.\]]""")
    return next((number for number, line in enumerate(text.splitlines(), 1) if pattern.match(line)), None)


def _unknown(key: str, known: Iterable[str], source: Path, text: str, otherwise: str) -> ConfigError:
    near = difflib.get_close_matches(key.replace("_", "-"), known, 1)
    hint = f"Did you mean {near[0]}?" if near else otherwise
    return ConfigError(f"there is no key called {key!r}", path=source, line=_line(text, key), hint=hint)
