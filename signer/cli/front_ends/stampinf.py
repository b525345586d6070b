"""`drvsign --as stampinf`. Source: "Stampinf Command Options" (windows-driver-docs, devtest)."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from signer.cli.front_ends.help import asks_for_help, usage
from signer.cli.front_ends.lines import say
from signer.cli.front_ends.switches import Grammar, ParsedSwitches, Switch, parse
from signer.cli.front_ends.words import local
from signer.errors import UsageError
from signer.storage.files import read, require_data, write_atomically

if TYPE_CHECKING:
    from catalogs.inf.stamp import StampedInf

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
        "n": Switch(does="the lines that change"),
        "x": Switch(does="nothing: MSBuild gives it, and Microsoft does not document it"),
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
    section, data, found = _stamp(given, path)
    say(f"Stamping [{section}] section with DriverVer={found.driver_ver}")
    for line in _changes(data, found) if "n" in given else ():
        say(line)
    return 0


def _changes(data: bytes, found: StampedInf) -> Iterator[str]:
    """Yield StampInf's verbose lines: each changed line, and how much longer the file is.

    Source: logs of StampInf in microsoft/windows-drivers-rs, issues 10 and 39.
    """
    from catalogs.inf.text import decode

    before, after = decode(data).text.split("\n"), found.text.text.split("\n")
    for line, origin, previous in zip(after, found.origins, (0, *found.origins[:-1]), strict=True):
        if line != before[origin - 1]:
            if origin != previous:  # not an inserted line
                yield f"REPLACE       Line {origin}: {before[origin - 1].strip()}"
            yield f"WITH          Line {origin}: {line.strip()}"
    yield f"changed file size by {len(found.text.to_bytes()) - len(data)}"


def _stamp(given: ParsedSwitches, path: Path) -> tuple[str, bytes, StampedInf]:
    """Stamp a file; return the section with DriverVer, the bytes before, and the result."""
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
    data = read(path)
    found = stamp(data, path, values)
    write_atomically(path, found.text.to_bytes())
    return values.section, data, found
