"""Read the states of machines from files: options about a machine, as TOML or as JSON of PowerShell."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from signer.cli.options.verify import CHOICES, MachineOptions
from signer.cli.text import text_of
from signer.costly_text import MAX_DOTS, is_costly_toml
from signer.errors import ConfigError
from signer.records import dataclass
from signer.storage.files import read

_BOOLEANS = (
    *("testsigning", "secure_boot", "debugger", "debug_enforcement", "hvci", "upgraded", "block_list_on"),
    *("sha2_update", "uefi_sb_test"),
)
_TEXTS = ("driver_policy", "publisher")
_PATHS = ("allow_list", "block_list")
"""Options whose values are paths, relative to the folder of the file."""
MAX_SIZE = 65_536
"""Bytes of the largest file; a real one has some hundred."""
_KINDS = {bool: ("true or false", "true"), int: ("a number", "26100"), str: ("a text in quotes", '"trusted"')}
"""What a value of each type is called, and an example of it in TOML."""
_EXAMPLES = {
    "target": '"win11-24h2-x64"',
    "architecture": '"x64"',
    "driver_policy": '"enforced"',
    "allow_list": '"policy.cip"',
    "block_list": '"driversipolicy.p7b"',
}
"""Examples of values that differ from that of their type."""
_RELEASE = {"target": str, "build": int, "architecture": str, "server": bool}
"""Keys about the release of Windows: its target, or its build and what that leaves open."""


@dataclass(frozen=True)
class StatedMachine:
    """What a file says about a machine."""

    options: MachineOptions
    """The options of the call, with those of the file in their place."""
    target: str | None


def _toml(text: str) -> dict[str, Any]:
    """Parse TOML. Raises ValueError."""
    if is_costly_toml(text):
        raise ValueError(f"a line has more than {MAX_DOTS} dots outside of strings")
    return tomllib.loads(text)


def load_machine_state(path: Path, given: MachineOptions) -> StatedMachine:
    """Read the state of a machine. Raises FileError, ConfigError."""
    data = read(path)
    if len(data) > MAX_SIZE:
        raise ConfigError(f"the state of a machine has at most {MAX_SIZE:,} bytes", path=path, hint=_HINT)
    try:
        text = text_of(data)
        is_json = text.lstrip().startswith("{")
        values = json.loads(text, object_pairs_hook=_unique) if is_json else _unique(_toml(text).items())
    except UnicodeDecodeError as error:
        raise ConfigError("not the state of a machine: not text in UTF-8", path=path, hint=_HINT) from error
    except (ValueError, RecursionError) as error:  # JSONDecodeError and TOMLDecodeError are such
        raise ConfigError(f"not the state of a machine: {error}", path=path, hint=_HINT) from error
    _require_known(values, path)
    changed: dict[str, Any] = {name: values[name] for name in (*_BOOLEANS, *_TEXTS) if name in values}
    changed |= {name: path.parent / values[name] for name in _PATHS if name in values}
    return StatedMachine(replace(given, **changed), _target(values, path))


def _unique(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """Return the values by the names of options, without those that are null. Raises ValueError for one key twice."""
    values: dict[str, Any] = {}
    for key, value in pairs:
        name = key.replace("-", "_").lower()
        if name in values:
            raise ValueError(f"the key {key!r} occurs twice")
        values[name] = value
    return {name: value for name, value in values.items() if value is not None}


_HINT = 'Write TOML or JSON, such as: target = "win11-24h2-x64"'


def _require_known(values: Mapping[str, Any], path: Path) -> None:
    """Raise ConfigError for a key that is not known, a value of another type, or one that is not a choice."""
    types = dict.fromkeys(_BOOLEANS, bool) | dict.fromkeys((*_TEXTS, *_PATHS), str) | _RELEASE
    for name, value in values.items():
        key = name.replace("_", "-")
        if name not in types:
            near = get_close_matches(name, types, 1)
            known = near[0].replace("_", "-") if near else ", ".join(sorted(one.replace("_", "-") for one in types))
            raise ConfigError(f"unknown key {key!r}", path=path, hint=f"Known: {known}.")
        if type(value) is not types[name]:
            kind, example = _KINDS[types[name]]
            raise ConfigError(
                f"{key} must be {kind}, not {json.dumps(value, default=str)}",
                path=path,
                hint=f"Write {kind}, such as: {key} = {_EXAMPLES.get(name, example)}",
            )
        if name in CHOICES and value not in CHOICES[name]:
            known = ", ".join(CHOICES[name])
            raise ConfigError(f"{key} can't be {value!r}", path=path, hint=f"Choose one of {known}.")


def _target(values: Mapping[str, Any], path: Path) -> str | None:
    """Return the target that the file names, or that of its build. Raises ConfigError."""
    from signer.explain.machine import Machine

    if "target" in values or "build" not in values:
        return values.get("target")
    release = Machine(build=values["build"], server=values.get("server")).release
    if release is None:
        raise ConfigError(
            f"no known release has the build {values['build']}",
            path=path,
            hint='Write the release instead of the build, such as: target = "win11-24h2-x64"',
        )
    return f"{release.name}-{values.get('architecture', 'x64')}"
