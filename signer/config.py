"""Read the signing profiles in `drvsign.toml` and the `DRVSIGN_*` environment variables.

Command-line options override the environment (`DRVSIGN_IDENTITY`, `DRVSIGN_TIMESTAMP`, …), which overrides the profile.
A profile never contains a secret, only a reference to an environment variable or a file.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote, unquote

from signer.algorithms import DigestAlgorithm
from signer.costly_text import MAX_DOTS, is_costly_toml
from signer.errors import ConfigError, UsageError
from signer.records import dataclass

FILE_NAME = "drvsign.toml"
PREFIX = "DRVSIGN_"

Trust = Literal["release", "test-signing"]

_TOML_HINT = 'Write one table for each profile, for example [profile.release] followed by digest = "sha256".'
_SECRETS = re.compile(r"(?i)^(pin|pin-value|password|passphrase|secret|token|key-password)$")
_SECRET_IN_URI = re.compile(r"(?i)(^|[?&;])(pin-value|pin|password|passphrase|secret|token)=")
_PKCS11_TOKEN = re.compile(r"(?i)^pkcs11:")


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of a profile. Each field is a key of the TOML table, with `-` for `_`; None and () mean unset."""

    identity: str | None = None
    """The URI of the key. None: the test identity, which only profiles with `trust = "test-signing"` may use."""
    certificate: Path | None = None
    """The key's certificate, if the URI does not contain or name it."""
    certs: Path | None = None
    """The folder of the test certificates. The test identity in it signs if no other is named."""
    password_env: str | None = None
    """The environment variable that holds the key's password or PIN."""
    password_file: Path | None = None
    digest: str | None = None
    page_hashes: bool | None = None
    description: str | None = None
    url: str | None = None
    cross_certificates: tuple[Path, ...] = ()
    timestamp: tuple[str, ...] = ()
    """URLs of RFC 3161 timestamp authorities, tried in order until one answers."""
    timestamp_digest: str | None = None
    legacy_timestamp: tuple[str, ...] = ()
    os: tuple[str, ...] = ()
    """Operating systems of the catalog, in Inf2Cat's names, such as `10_X64`."""
    catalog_version: int | None = None
    driver_date: str | None = None
    """The date of DriverVer in the INF that a template (.inx) becomes."""
    driver_version: str | None = None
    """The version of DriverVer in the INF that a template becomes; `*` for the time."""
    arch: str | None = None
    """The value of $ARCH$ in templates."""
    kmdf: str | None = None
    """The value of $KMDFVERSION$ in templates."""
    umdf: str | None = None
    """The value of $UMDFVERSION$ in templates."""
    targets: tuple[str, ...] = ()
    """Targets that must accept the package, such as `win7-x64`."""
    trust: Trust | None = None
    """The roots that the package is verified with. None means "release"."""
    roots: tuple[Path, ...] = ()
    """Additional trusted roots, for `trust = "test-signing"`."""


@dataclass(frozen=True, slots=True)
class Profile:
    """A named set of signing settings, and the file that defines it."""

    name: str
    source: Path
    settings: Settings

    @property
    def is_release(self) -> bool:
        """Whether the signed files are meant for machines without test-signing mode."""
        return self.settings.trust != "test-signing"


KEYS = tuple(field.name.replace("_", "-") for field in fields(Settings))
"""The keys of a profile, in the order of docs/release.md."""


MAX_SIZE = 1 << 16
"""Size of the largest file of profiles, in bytes."""


def parse_profiles(data: bytes, source: Path) -> dict[str, Profile]:
    """Parse a `drvsign.toml` into profiles by name. Relative paths are relative to its folder. Raises ConfigError."""
    import tomllib

    if len(data) > MAX_SIZE:
        raise ConfigError(f"the file has {len(data):,} bytes; profiles have at most {MAX_SIZE:,}", path=source)
    text = _decoded(data, source)
    if is_costly_toml(text):
        message = f"invalid TOML: a line has more than {MAX_DOTS} dots outside of strings"
        raise ConfigError(message, path=source, hint=_TOML_HINT)
    try:
        document = tomllib.loads(text)
    except RecursionError as error:
        raise ConfigError("invalid TOML: nested too deep", path=source, hint=_TOML_HINT) from error
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"at line (\d+)", str(error))
        reason = str(error).partition(" (at ")[0].lower()
        number = int(line[1]) if line else None
        raise ConfigError(f"invalid TOML: {reason}", path=source, line=number, hint=_TOML_HINT) from error
    for key in document:
        if key != "profile":
            raise _unknown_key(key, ("profile",), source, text, "Write profiles as tables such as [profile.release].")
    profiles = document.get("profile", {})
    if not isinstance(profiles, dict) or not all(isinstance(value, dict) for value in profiles.values()):
        message = "a profile must be a table such as [profile.release]"
        raise ConfigError(message, path=source, line=_line(text, "profile"), hint=_TOML_HINT)
    return {name: Profile(name, source, _settings(table, source, text)) for name, table in profiles.items()}


def find_profile(profiles: Mapping[str, Profile], name: str, source: Path) -> Profile:
    """Return the profile called `name`. Raises ConfigError, with the closest name in the hint."""
    if name in profiles:
        return profiles[name]
    known = ", ".join(profiles) or "none"
    near = difflib.get_close_matches(name, profiles, 1)
    hint = f"Did you mean {near[0]}?" if near else f"Defined profiles: {known}. Add a table: [profile.{name}]"
    raise ConfigError(f"no profile {name!r} is defined", path=source, hint=hint)


def from_environment(environment: Mapping[str, str]) -> Settings:
    """Read settings from variables such as DRVSIGN_IDENTITY. Empty variables count as unset. Raises ConfigError.

    Items of a list are separated by spaces or commas, paths by `os.pathsep` as in PATH.
    """
    found: dict[str, Any] = {}
    for field in fields(Settings):
        name = PREFIX + field.name.upper()
        text = environment.get(name, "")
        if text and field.name != "trust":  # only the profile itself decides whether it is for release
            found[field.name] = _Reader(Path(), name, None).read(field.name, _from_text(field.name, text))
    return Settings(**found)


def merged(first: Settings, second: Settings) -> Settings:
    """Return `first`, with its unset fields taken from `second`."""
    explicit = {f.name: value for f in fields(Settings) if (value := getattr(first, f.name)) not in (None, ())}
    return replace(second, **explicit)


def _settings(table: Mapping[str, Any], source: Path, text: str) -> Settings:
    found: dict[str, Any] = {}
    for key, value in table.items():
        if _SECRETS.match(key):
            raise ConfigError(
                f"{FILE_NAME} must not contain a secret: {key}",
                path=source,
                line=_line(text, key),
                hint="Use password-env or password-file instead.",
            )
        if key not in KEYS:
            raise _unknown_key(key, KEYS, source, text, f"Known keys: {', '.join(KEYS)}.")
        found[key.replace("-", "_")] = _Reader(source, key, _line(text, key)).read(key.replace("-", "_"), value)
    return Settings(**found)


@dataclass(frozen=True, slots=True)
class _Reader:
    """Validate and convert one value. Errors name the file, the key and the line."""

    source: Path
    key: str
    line: int | None

    def read(self, field: str, value: Any) -> Any:
        """Convert `value` to the type of this field of Settings. Raises ConfigError."""
        readers: Mapping[str, Callable[[Any], Any]] = {
            "identity": self._identity,
            "certificate": self._path,
            "certs": self._path,
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
            raise self._wrong("a string that is not empty", value)
        return self._without_nul(value)

    def _without_nul(self, value: str) -> str:
        if "\0" in value:
            raise self._wrong("a text without NUL characters", value)
        return value

    def _texts(self, value: Any) -> tuple[str, ...]:
        items = [value] if isinstance(value, str) else value
        if not isinstance(items, list) or not all(isinstance(item, str) and item for item in items):
            raise self._wrong("a list of strings", value)
        return tuple(map(self._without_nul, items))

    def _urls(self, value: Any) -> tuple[str, ...]:
        urls = self._texts(value)
        for url in urls:
            if not url.startswith(("http://", "https://")):
                raise self._wrong("a list of http or https URLs", url)
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
        # In a PKCS #11 URI, `token=` is the label of a token, not a secret.
        query = re.sub(r"(?i)([:;])token=", r"\1", uri) if _PKCS11_TOKEN.match(uri) else uri
        if _SECRET_IN_URI.search(query.partition(":")[2]):
            raise ConfigError(
                f"{FILE_NAME} must not contain a secret: the URI of the identity contains one",
                path=self.source,
                line=self.line,
                hint="Use password-env or password-file instead, or pin-source in a PKCS #11 URI.",
            )
        return _rebased(uri, self.source.parent)

    def _wrong(self, expected: str, value: Any) -> ConfigError:
        shown = value if isinstance(value, (str, int, float, bool)) else type(value).__name__
        message = f"{self.key} must be {expected}, not {shown!r}"
        return ConfigError(message, path=self.source, line=self.line, hint=f"Correct or remove {self.key}.")


def _rebased(uri: str, folder: Path) -> str:
    """Make the relative paths in a URI (key file, certificate, PIN file) relative to `folder`."""
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
    """Convert the text of a variable to the value that TOML would have for this field."""
    if field in ("cross_certificates", "roots"):
        import os

        return [item for item in text.split(os.pathsep) if item]
    if field in ("timestamp", "legacy_timestamp", "os", "targets"):
        return re.split(r"[\s,]+", text.strip())
    if field == "page_hashes":
        return {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}.get(text.lower(), text)
    return text if field != "catalog_version" else {"1": 1, "2": 2}.get(text, text)


def _decoded(data: bytes, source: Path) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(
            "invalid TOML: the file is not UTF-8", path=source, offset=error.start, hint="Save the file as UTF-8."
        ) from error


def _line(text: str, key: str) -> int | None:
    """Return the number of the first line that begins with a key, or with a table of that name."""
    pattern = re.compile(rf"""\s*(\[\s*)?["']?{re.escape(key)}["']?\s*[=.\]]""")
    return next((number for number, line in enumerate(text.splitlines(), 1) if pattern.match(line)), None)


def _unknown_key(key: str, known: Iterable[str], source: Path, text: str, default_hint: str) -> ConfigError:
    near = difflib.get_close_matches(key.replace("_", "-"), known, 1)
    hint = f"Did you mean {near[0]}?" if near else default_hint
    return ConfigError(f"unknown key {key!r}", path=source, line=_line(text, key), hint=hint)
