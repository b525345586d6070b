"""The tools of Microsoft whose command lines drvsign takes, and the call of one: `drvsign --as TOOL`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from importlib import import_module

from signer.cli import streams
from signer.cli.exit_codes import ExitCode
from signer.cli.front_ends.lines import complain, complain_of
from signer.errors import SignerError, UsageError, unexpected_as_internal
from signer.records import dataclass


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool of Microsoft. The function of its name in the module of its name runs it."""

    title: str
    """Its name in messages."""
    wrong_call: int = int(ExitCode.USAGE)
    """The exit code for wrong words."""
    failed: int = int(ExitCode.FAILED)
    """The exit code for another error."""
    last_line: str = ""
    """The line that ends a call with an error."""


TOOLS = {
    "signtool": Tool("SignTool", 1, 1),
    "inf2cat": Tool("Inf2Cat"),
    "stampinf": Tool("StampInf"),
    "infverif": Tool("InfVerif", 87, 1),
    "makecat": Tool("MakeCat"),
    "makecert": Tool("MakeCert", 1, 1, "Failed"),
    "pvk2pfx": Tool("Pvk2Pfx", 1, 1),
    "certmgr": Tool("CertMgr", 1, 1, "CertMgr Failed"),
    "cert2spc": Tool("Cert2SPC", 1, 1, "Failed"),
}
"""By name. Where Microsoft documents no exit code for an error, it is drvsign's."""


def run_tool(words: Sequence[str]) -> int:
    """Run the tool that the first word names with the others; return the exit code. Print errors as the tool does."""
    name = words[0].lower().removesuffix(".exe") if words else ""
    tool = TOOLS.get(name, Tool("drvsign"))
    try:
        if name not in TOOLS:
            raise UsageError(
                f"--as takes one of {', '.join(TOOLS)}", hint="To write them to a folder: drvsign shims DIR"
            )
        run: Callable[[Sequence[str]], int] = getattr(import_module(f"signer.cli.front_ends.{name}"), name)
        with unexpected_as_internal():
            code = run(words[1:])
            sys.stdout.flush()
        return code
    except SignerError as error:
        return _failed(tool, error)
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED


def _failed(tool: Tool, error: SignerError) -> int:
    """Print an error as the tool does; return the exit code."""
    if isinstance(error.__cause__, BrokenPipeError):
        streams.forget("stdout")
        return ExitCode.FAILED
    try:
        complain_of(tool.title, error)
        if tool.last_line:
            complain(tool.last_line)
    except OSError:  # standard error is closed or full
        streams.forget("stderr")
    return tool.wrong_call if isinstance(error, UsageError) or error.code == UsageError.code else tool.failed
