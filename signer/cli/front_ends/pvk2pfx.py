"""`drvsign --as pvk2pfx`: join a key and its certificate to a PFX. Source: "Pvk2Pfx" (windows-driver-docs, devtest)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from signer.cli.front_ends.help import asks_for_help, usage
from signer.cli.front_ends.lines import complain, say
from signer.cli.front_ends.switches import Grammar, Switch, parse
from signer.cli.front_ends.words import local
from signer.errors import FileError, SignerError, UsageError
from signer.storage.files import read, write_atomically

GRAMMAR = Grammar(
    {
        "pvk": Switch("value", "the key, a .pvk file"),
        "spc": Switch("value", "its certificate: .cer, .spc or .p7b"),
        "pfx": Switch("value", "the PFX to write"),
        "pi": Switch("value", "the password of the .pvk file, with a warning"),
        "po": Switch("value", "the password of the PFX, with a warning; default: that of -pi, else none"),
        "f": Switch(does="replace an existing PFX"),
    },
    prefix="-",
)


def pvk2pfx(words: Sequence[str]) -> int:
    """Write the PFX; return the exit code. Raises SignerError."""
    if asks_for_help(words, GRAMMAR.switches):
        say(usage("pvk2pfx -pvk KEY.pvk -spc CERT.cer -pfx FILE.pfx [options]", GRAMMAR))
        return 0
    given = parse(GRAMMAR, words)
    missing = [one for one in ("pvk", "spc", "pfx") if one not in given]
    if missing or given.operands:
        raise UsageError(
            f"-{missing[0]} is missing" if missing else f"unexpected word {given.operands[0]}",
            hint="Write pvk2pfx -pvk KEY.pvk -spc CERT.cer -pfx FILE.pfx.",
        )
    key, certificate, target = (Path(local(given.last(one) or "")) for one in ("pvk", "spc", "pfx"))
    if target.exists() and "f" not in given:
        raise FileError("the file exists", path=target, hint="Add -f to replace it.")
    if {"pi", "po"} & set(given.values):
        complain("Pvk2Pfx warning: other users can read the passwords of -pi and -po in the list of processes")
    _write(key, certificate, target, given.last("pi"), given.last("po"))
    return 0


def _write(key: Path, certificate: Path, target: Path, key_password: str | None, password: str | None) -> None:
    from signer.certificates import load_all
    from signer.keys.local import load_pair
    from testcerts.encodings import KEY_MODE, join_pfx

    try:
        load_all(read(certificate))
    except SignerError as error:
        raise error.at(certificate) from error
    try:
        identity = load_pair(read(certificate), read(key), key_password)
    except SignerError as error:
        raise error.at(key) from error
    write_atomically(target, join_pfx(identity, password if password is not None else key_password), mode=KEY_MODE)
