"""`drvsign --as stampinf`. Source: "Stampinf Command Options" (windows-driver-docs, devtest)."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from signer.cli.front_ends.help import asks_for_help, usage
from signer.cli.front_ends.lines import say
from signer.cli.front_ends.switches import Grammar, ParsedSwitches, Switch, parse
from signer.cli.front_ends.words import local
from signer.errors import UsageError
from signer.storage.files import read, require_data, write_atomically

GRAMMAR = Grammar(
    {
        "f": Switch("value", "FILE; changed in place"),
        "s": Switch("value", "`--section NAME`"),
        "d": Switch("optional", "`--date DATE`"),
        "a": Switch("optional", "`--arch NAME`"),
        "c": Switch("value", "`--catalog NAME`"),
        "v": Switch("optional", "`--version VERSION`"),
        "k": Switch("value", "`--kmdf VERSION`"),
        "u": Switch("value", "`--umdf VERSION`"),
        "i": Switch("value", "`--ntverp DIR`"),
        "n": Switch(does="nothing more"),
    },
    prefix="-",
)


def stampinf(words: Sequence[str]) -> int:
    """Stamp the file in place and print StampInf's lines; return the exit code. Raises SignerError."""
    if asks_for_help(words, GRAMMAR.switches):
        say(usage("stampinf -f FILE [options]", GRAMMAR))
        return 0
    given = parse(GRAMMAR, words)
    name = given.last("f")
    if name is None or given.operands:
        raise UsageError("name exactly one file", hint="Write -f FILE.")
    path = Path(local(name))
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
        Path(local(ntverp)) if (ntverp := given.last("i")) else None,
        local_time=True,
    )
    values = options.stamp(os.environ)
    found = stamp(read(path), path, values)
    write_atomically(path, found.text.to_bytes())
    return values.section, found.driver_ver
