"""Recognize options of SignTool in the arguments of a command, and name the ones of drvsign."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

_STORE = "--pfx or --identity: drvsign does not read Windows' certificate store"
_OURS = {
    "a": "--pfx, or no option for the test identity",
    "ac": "--cross-cert",
    "all": "no option: every signature is checked",
    "as": "--append",
    "c": "--catalog",
    "csp": "--identity",
    "d": "--description",
    "debug": "-vv",
    "dlib": "--identity",
    "dmdf": "--identity",
    "ds": "--index",
    "du": "--url",
    "f": "--pfx",
    "fd": "--digest",
    "i": _STORE,
    "kc": "--identity",
    "kp": "--policy kernel",
    "n": _STORE,
    "nph": "--no-page-hashes",
    "p": "--password-env or --password-file",
    "pa": "--policy authenticode",
    "ph": "--page-hashes",
    "q": "--quiet",
    "r": _STORE,
    "s": _STORE,
    "sha1": _STORE,
    "sm": _STORE,
    "t": "--legacy-timestamp",
    "td": "--timestamp-digest",
    "tr": "--timestamp",
    "v": "--verbose",
}
"""SignTool's options without the slash, and what does the same here. Source: SignTool's help."""
_SWITCH = re.compile(r"[/-](\w+)")


def replacement_for(word: str) -> str | None:
    """Return what replaces an option of SignTool here; None if the word is none, or is an existing path."""
    found = _SWITCH.fullmatch(word)
    ours = _OURS.get(found[1].lower()) if found is not None else None
    return ours if ours is not None and not (word.startswith("/") and Path(word).exists()) else None


def hint_for_switches(words: Iterable[str]) -> str | None:
    """Return the hint for a call with options of SignTool, which names the replacement of each; None without any."""
    found = {word: ours for word in words if (ours := replacement_for(word)) is not None}
    if not found:
        return None
    ours = "; ".join(f"for {word} use {option}" for word, option in found.items())
    return f"drvsign's options: {ours}. Or keep the line: drvsign --as signtool … (docs/migrate.md)."
