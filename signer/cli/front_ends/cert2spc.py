"""`drvsign --as cert2spc`: put certificates into a PKCS #7 file. Source: "Cert2SPC" (win32, SecCrypto/cert2spc.md)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from signer.cli.front_ends.help import asks_for_help
from signer.cli.front_ends.lines import say
from signer.cli.front_ends.switches import Grammar, parse
from signer.cli.front_ends.words import files, local
from signer.errors import SignerError, UsageError
from signer.storage.files import read, write_atomically

GRAMMAR = Grammar({}, prefix="-")
_USAGE = "cert2spc CERT.cer... OUTPUT.spc"


def cert2spc(words: Sequence[str]) -> int:
    """Write the PKCS #7 file; return the exit code. Raises SignerError."""
    from signer.certificates import load_all
    from signer.cli.front_ends.store_files import to_pkcs7

    if asks_for_help(words, {}):
        say(f"Usage: {_USAGE}")
        return 0
    operands = parse(GRAMMAR, words).operands
    if len(operands) < 2:
        raise UsageError("certificates and an output file are required", hint=f"Write {_USAGE}.")
    names, target = files(operands[:-1]), Path(local(operands[-1]))
    found = []
    for name in names:
        try:
            found += load_all(read(Path(name)))
        except SignerError as error:
            raise error.at(name) from error
    write_atomically(target, to_pkcs7(found))
    say("Succeeded")
    return 0
