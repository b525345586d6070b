"""The tools of Microsoft whose command lines drvsign takes, and the call of one: `drvsign --as TOOL`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from importlib import import_module

from signer.cli import streams
from signer.cli.exit_codes import ExitCode
from signer.cli.front_ends.lines import complain
from signer.errors import SignerError, UsageError, unexpected_as_internal

_NAMES = {"signtool": "SignTool", "inf2cat": "Inf2Cat", "stampinf": "StampInf", "makecat": "MakeCat"}
TOOLS = tuple(_NAMES)
"""Each has a module here with a function of its name, which takes the words of the call and returns the exit code."""


def run_tool(words: Sequence[str]) -> int:
    """Run the tool that the first word names with the others; return the exit code. Print errors as the tool does."""
    name = words[0].lower().removesuffix(".exe") if words else ""
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
        if isinstance(error.__cause__, BrokenPipeError):
            streams.forget("stdout")
            return ExitCode.FAILED
        complain(f"{_NAMES.get(name, 'drvsign')} error: {error}")
        if error.hint:
            complain(error.hint)
        return 1 if name == "signtool" else ExitCode.USAGE if isinstance(error, UsageError) else ExitCode.FAILED
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
