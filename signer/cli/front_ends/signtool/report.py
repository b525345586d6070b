"""Print what SignTool prints at the end of a call, and return the exit code."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from signer.cli.front_ends.lines import complain, say
from signer.cli.front_ends.program import Done
from signer.cli.front_ends.switches import ParsedSwitches
from signer.cli.front_ends.words import files
from signer.errors import FileError, ForeignSignature, TimestampError

FAILED, WARNED = 1, 2
UNREACHABLE = "The specified timestamp server either could not be reached or\nreturned an invalid response."
"""SignTool's sentence for every failure of a timestamp authority, which build scripts look for."""
_SWITCHES = {
    "--append": "/as",
    "--catalog": "/c",
    "--cross-cert": "/ac",
    "--digest": "/fd",
    "--no-page-hashes": "/nph",
    "--page-hashes": "/ph",
    "--timestamp-digest": "/td",
}
"""The switches for options that hints name."""
_HINTS = {
    ForeignSignature.code: "Keep it with /as, or remove it first: signtool remove /s FILE",
    TimestampError.code: "Name another authority, or repeat the call later.",
}
"""The hints for errors whose own hints name options of drvsign."""


def targets(given: ParsedSwitches) -> list[str]:
    """Return the files of a call. Raises FileError for one that is missing; no file is changed then."""
    found = files(given.operands)
    for name in found:
        if Path(name).is_dir():
            raise FileError(f"{name} is a folder", hint="Name files: SignTool signs no folders.")
        if not Path(name).exists():
            is_late = name[:1] in "/-"
            hint = "Write the options before the files: SignTool requires it." if is_late else "Check the path."
            raise FileError(f"File not found: {name}", hint=hint)
    return found


def warn(done: Done) -> None:
    """Print the warnings of a command, but not those about an authority that the error of a file repeats."""
    is_repeated = any(file["error"] and is_of_authority(file) for file in done.files)
    for sentence in done.warnings:
        if not (is_repeated and sentence.startswith("timestamp authority")):
            complain(f"SignTool Warning: {sentence}")


def is_of_authority(file: dict[str, Any]) -> bool:
    """Tell whether a file failed because no authority gave a timestamp."""
    return bool(file["error"]["code"] == TimestampError.code)


def in_switches(hint: str | None) -> str | None:
    """Return a hint with SignTool's switches for drvsign's options."""
    return re.sub(r"--[a-z-]+", lambda found: _SWITCHES.get(found[0], found[0]), hint) if hint else hint


def fail(file: dict[str, Any], doing: str) -> None:
    """Print the error of a file; `doing` is what was attempted."""
    error = file["error"]
    if is_of_authority(file):
        complain(f"SignTool Error: {UNREACHABLE}\n\t{error['message']}")
    else:
        complain(f"SignTool Error: {error['message']}")
    hint = _HINTS.get(error["code"], in_switches(error["hint"]))
    if hint:
        complain(f"\t{hint}")
    complain(f"SignTool Error: An error occurred while attempting to {doing}: {file['path']}")


def finish(given: ParsedSwitches, word: str, good: int, warned: Iterable[object], failed: int) -> int:
    """Print the summary and return the exit code: 0, 1 if a file failed, 2 if there was only a warning."""
    warnings = len(list(warned))
    lines = [f"\nNumber of files successfully {word}: {max(good, 0)}"] if "v" in given else [""]
    lines += [f"Number of warnings: {warnings}"] if warnings or "v" in given else []
    lines += [f"Number of errors: {failed}"] if failed or "v" in given else []
    if len(lines) > 1 and "q" not in given:
        say("\n".join(lines))
    return FAILED if failed else WARNED if warnings else 0
