"""`drvsign --as stampinf`. Source: "Stampinf Command Options" (windows-driver-docs, devtest)."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from signer.cli.front_ends.lines import say
from signer.cli.front_ends.switches import ParsedSwitches, Switch, parse
from signer.errors import UsageError
from signer.storage.files import read, require_data, write_atomically

SWITCHES = {
    "f": Switch("value"),
    "s": Switch("value"),
    "d": Switch("optional"),
    "a": Switch("optional"),
    "c": Switch("value"),
    "v": Switch("optional"),
    "k": Switch("value"),
    "u": Switch("value"),
    "i": Switch("value"),
    "n": Switch(),
}
"""StampInf's switches."""


def stampinf(words: Sequence[str]) -> int:
    """Stamp the file in place and print StampInf's lines; return the exit code. Raises SignerError."""
    given = parse(SWITCHES, words)
    name = given.last("f")
    if name is None or given.operands:
        raise UsageError("name exactly one file", hint="Write -f FILE.")
    path = Path(name)
    say(f"Stamping {path}")
    require_data(path)
    section, driver_ver = _stamp(given, path)
    say(f"Stamping [{section}] section with DriverVer={driver_ver}")
    return 0


def _stamp(given: ParsedSwitches, path: Path) -> tuple[str, str]:
    """Stamp a file; return the section and the value of DriverVer."""
    from catalogs.inf.stamp import stamp
    from signer.cli.commands.inf_stamp import StampOptions

    options = StampOptions(
        given.last("d") or None,
        given.last("v") or None,
        given.last("a") or None,
        given.last("k"),
        given.last("u"),
        given.last("c"),
        given.last("s") or "Version",
        Path(ntverp) if (ntverp := given.last("i")) else None,
        local_time=True,
    )
    values = options.stamp(os.environ)
    found = stamp(read(path), path, values)
    write_atomically(path, found.text.to_bytes())
    return values.section, found.driver_ver
