"""`drvsign --as signtool`: the commands of SignTool, each in a module."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from signer.cli.front_ends.help import asks_for_help, usage
from signer.cli.front_ends.lines import complain
from signer.cli.front_ends.signtool.remove import remove
from signer.cli.front_ends.signtool.report import in_switches
from signer.cli.front_ends.signtool.sign import sign
from signer.cli.front_ends.signtool.switches import COMMANDS
from signer.cli.front_ends.signtool.timestamp import timestamp
from signer.cli.front_ends.signtool.verify import verify
from signer.cli.front_ends.switches import ParsedSwitches, parse
from signer.errors import SignerError, UsageError

_RUN: Mapping[str, Callable[[ParsedSwitches], int]] = {
    "sign": sign,
    "timestamp": timestamp,
    "verify": verify,
    "remove": remove,
}
_DATABASE = "Catalog databases exist on Windows only: pnputil adds a driver package with its catalog there."
_USAGE = f"signtool <command> [options] <files>, with a command of {', '.join(_RUN)}"


def signtool(words: Sequence[str]) -> int:
    """Run a command of SignTool; return its exit code: 0, 1 for an error, 2 for a warning. Raises SignerError."""
    name = words[0].lower() if words else ""
    if name in ("/?", "-?"):
        complain(f"Usage: {_USAGE}")
        return 0
    if name not in COMMANDS:
        message = f"Invalid command: {words[0]}" if words else "A required parameter is missing."
        raise UsageError(message, hint=f"Usage: {_USAGE}")
    grammar = COMMANDS[name]
    if asks_for_help(words[1:], grammar.switches):
        complain(usage(f"signtool {name} [options] <files>", grammar))
        return 0
    if name not in _RUN:
        raise UsageError(f"{name} is not supported", hint=_DATABASE)
    if len(words) == 1:
        raise UsageError("A required parameter is missing.", hint=f"For the options: signtool {name} /?")
    given = parse(grammar, words[1:])
    if not given.operands:
        raise UsageError("Missing filename.", hint="Name the files after the options.")
    for sentence in given.ignored:
        complain(f"SignTool Warning: {sentence}")
    try:
        return _RUN[name](given)
    except SignerError as error:
        error.hint = in_switches(error.hint)
        raise
