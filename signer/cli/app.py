"""The command `drvsign`: the table of commands, and the conversion of errors to exit codes.

A command is imported when it is called, so that `drvsign --help` does not pay for cryptography or lief.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from difflib import SequenceMatcher
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from signer.cli import completion, streams
from signer.cli.command_table import COMMANDS, PANELS
from signer.cli.completion_values import complete_values
from signer.cli.exit_codes import ExitCode, code_of
from signer.cli.option_groups import examples
from signer.cli.output import Output
from signer.cli.param_types import convert_directly, to_path
from signer.cli.signtool_switches import hint_for_switches
from signer.errors import InternalError, Interrupted, PackageError, SignerError, UsageError
from signer.storage.files import hint_for
from signer.version import VERSION

AS_TOOL = "--as"
"""`drvsign --as TOOL …` takes the command line of a tool of Microsoft (`signer.cli.front_ends`)."""

_SIMILAR = 0.7
"""Least similarity of an option that is proposed for one that does not exist, from 0 to 1."""


class ErrorBoundary(TyperGroup):
    """Load commands on demand, and report every exception as an error without a traceback."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names of all commands."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Import the command of this name; return None for an unknown name."""
        if cmd_name not in COMMANDS:
            return None
        loaded = typer.main.get_command(import_module(COMMANDS[cmd_name]).app)
        loaded.name = cmd_name
        _prepare(loaded, ctx)
        return loaded

    def get_help_option(self, ctx: Any) -> Any:
        """Return the option --help, which converts its value itself."""
        option = super().get_help_option(ctx)
        if option is not None:
            convert_directly(option)
        return option

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the help, without importing the commands."""
        _write_help(self, ctx, formatter, PANELS)

    def shell_complete(self, ctx: Any, incomplete: str) -> Any:
        """Complete the name of a command, without importing the commands."""
        summaries = [TyperCommand(name, help=text) for below in PANELS.values() for name, text in below.items()]
        names = TyperGroup(name=self.name, commands=summaries, params=self.params)
        return names.shell_complete(typer.Context(names, help_option_names=ctx.help_option_names), incomplete)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Return the command that `args` name; for an unknown name, suggest similar ones."""
        self.commands: dict[str, Any] = dict.fromkeys(COMMANDS)  # Typer looks for similar names in the keys
        return super().resolve_command(ctx, args)

    def parse_args(self, ctx: Any, args: list[str]) -> Any:
        """Parse the options before the command; report a wrong one like every other error."""
        Output(json="--json" in args)  # until the command has its own: an error may come before
        with _boundary(list(args)):
            for parameter in self.params:
                convert_directly(parameter)
                complete_values(parameter)
            return super().parse_args(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """Run the command; report an exception as one message and an exit code."""
        with _boundary([*getattr(ctx, "_protected_args", ()), *ctx.args]):  # the command name and its arguments
            result = super().invoke(ctx)
            sys.stdout.flush()
            return result


@contextlib.contextmanager
def _boundary(arguments: list[str]) -> Iterator[None]:
    """Report any exception as one message and an exit code; `arguments` are those of the call."""
    try:
        yield
    except SignerError as error:
        _report(error)
        raise typer.Exit(code_of(error)) from error
    except KeyboardInterrupt:
        _report(Interrupted())
        raise typer.Exit(ExitCode.INTERRUPTED) from None
    except BrokenPipeError:
        streams.forget("stdout")
        raise typer.Exit(ExitCode.FAILED) from None
    except SystemExit as error:
        # On a closed pipe, rich ends the process with a code that means "rejected" here.
        raise typer.Exit(ExitCode.FAILED) if isinstance(error.__context__, BrokenPipeError) else error from None
    except Exception as error:
        _refuse_wrong_call(error, arguments)
        if _is_typers(error) or Output.current().is_debugging:
            raise
        _report(_unexpected(error))
        raise typer.Exit(ExitCode.FAILED) from error


def _prepare(loaded: Any, ctx: Any) -> None:
    """Give a command and all below our conversion of values, completion and help."""
    loaded.format_help = partial(_write_help, loaded)
    help_option = loaded.get_help_option(ctx) if ctx is not None else None
    for parameter in (*loaded.params, *([help_option] if help_option is not None else [])):
        convert_directly(parameter)
        complete_values(parameter)
    for below in getattr(loaded, "commands", {}).values():
        _prepare(below, ctx)


def _write_help(*arguments: Any) -> None:
    from signer.cli.help import write_help

    write_help(*arguments)


def _report(error: SignerError) -> None:
    """Print the error on stderr, and with --json also as the document on stdout; write it to the reports."""
    _say(error)
    output = Output.current()
    try:
        try:
            output.write_error(error)
        except SignerError as another:
            _say(another)
        if output.json and not output.has_answered:
            output.document({"schema": "drvsign.error/1", "error": error.as_json(), **_problems(error)})
        sys.stdout.flush()
    except OSError:  # stdout is full or closed: the first write failed already
        streams.forget("stdout")


def _say(error: SignerError) -> None:
    """Print the error on stderr; if stderr is full or closed, only the exit code reports it."""
    try:
        Output.current().error(error)
    except OSError:
        streams.forget("stderr")


def _problems(error: SignerError) -> dict[str, list[Any]]:
    """Return all problems of a package, for an error about a package."""
    found = error.problems if isinstance(error, PackageError) else ()
    return {"problems": [one.as_json() if hasattr(one, "as_json") else str(one) for one in found]} if found else {}


def _unexpected(error: Exception) -> SignerError:
    """Convert an unexpected exception to an error."""
    if isinstance(error, OSError) and error.strerror:
        hint = hint_for(error) if error.filename else None
        return SignerError(f"the system reported: {error.strerror.lower()}", path=error.filename, hint=hint)
    return InternalError(error)


def _refuse_wrong_call(error: Any, arguments: list[str]) -> None:
    """Report Typer's error about a command, option or argument like every other error; ignore other exceptions."""
    if not hasattr(error, "format_message"):
        return
    if type(error).__name__ == "NoArgsIsHelpError":
        typer.echo(error.format_message(), color=error.ctx.color)
        raise typer.Exit(ExitCode.USAGE) from error
    message = _unknown_option(error) or error.format_message().rstrip(".")
    Output(json="--json" in arguments)
    path, command = _command_named(arguments)
    choices = _choices_of(getattr(error, "option_name", None), command)
    hint = f"Choose one of {choices}." if choices else hint_for_switches(arguments) or f"See: {path} --help"
    _report(UsageError(message[:1].lower() + message[1:], hint=hint))
    raise typer.Exit(ExitCode.USAGE) from error


def _unknown_option(error: Any) -> str | None:
    """Return the message about an option that does not exist, with those that it was meant for; None for another error.

    Typer's compares names with their dashes, so that it proposes unlike ones.
    """
    found = getattr(error, "possibilities", None)
    name = getattr(error, "option_name", None)
    if name is None or found is None:
        return None
    near = [one for one in found if SequenceMatcher(None, name.strip("-"), one.strip("-")).ratio() >= _SIMILAR]
    meant = f". Did you mean {' or '.join(near)}?" if near else ""
    return f"no such option: {name}{meant}"


def _choices_of(option: str | None, command: Any) -> str:
    """Return the words that an option takes, from its metavar `a|b`; empty for an option that takes any word."""
    named = next((one for one in getattr(command, "params", ()) if option is not None and option in one.opts), None)
    words = (getattr(named, "metavar", None) or "").split("|")
    return ", ".join(words) if len(words) > 1 else ""


def _command_named(arguments: list[str]) -> tuple[str, Any]:
    """Return the command of a call and its name; Typer's errors about the form of an option name only `drvsign`."""
    command: Any = typer.main.get_command(app)
    path = "drvsign"
    for word in arguments:
        below = command.get_command(None, word) if hasattr(command, "get_command") else None
        if below is None:
            break
        command, path = below, f"{path} {word}"
    return path, command


def _is_typers(error: Exception) -> bool:
    """Tell whether it is Typer's own exception: an exit, an abort, or a usage error, which has no public class."""
    return isinstance(error, (typer.Exit, typer.Abort)) or hasattr(error, "format_message")


app = typer.Typer(
    name="drvsign",
    cls=ErrorBoundary,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"drvsign {VERSION}")
        raise typer.Exit


def _man_page(ctx: typer.Context, wanted: bool) -> None:
    if wanted:
        from signer.cli import man_page

        man_page.show(ctx)


def _man_pages(ctx: typer.Context, folder: Path | None) -> None:
    if folder is not None:
        from signer.cli import man_page

        man_page.write(ctx, folder)


def _makefile(wanted: bool) -> None:
    if wanted:
        from importlib.resources import files

        typer.echo(str(files("signer").joinpath("signer.mk")))
        raise typer.Exit


@app.callback(
    epilog=examples("drvsign package driver/ --os 10_X64", "drvsign verify driver/ --policy kernel --matrix")
    + "\n\nRun drvsign COMMAND --help for the options of a command, and an example."
)
def drvsign(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Print the version."),
    ] = False,
    makefile: Annotated[
        bool,
        typer.Option(
            "--makefile",
            callback=_makefile,
            is_eager=True,
            help="Print the path of signer.mk, the rules for make.",
        ),
    ] = False,
    show_completion: Annotated[
        str | None,
        typer.Option(
            "--show-completion",
            callback=completion.show,
            is_eager=True,
            metavar="SHELL",
            help=f"Print the script that completes commands and options in {', '.join(completion.SHELLS)}.",
        ),
    ] = None,
    show_man: Annotated[
        bool,
        typer.Option("--show-man", callback=_man_page, is_eager=True, help="Print the manual page drvsign(1)."),
    ] = False,
    man_pages: Annotated[
        Path | None,
        typer.Option(
            "--man-pages",
            callback=_man_pages,
            is_eager=True,
            metavar="DIR",
            parser=to_path,
            help="Write a manual page for drvsign and for each command to a folder, such as ~/.local/share/man/man1.",
        ),
    ] = None,
) -> None:
    """Sign Windows driver packages on any system, and check whether Windows will install and load them."""


def _raise_limits(text: str) -> None:
    """Set the limits that the environment gives. Raises UsageError."""
    if text:
        from signer.limits import raise_limits

        raise_limits(text)


def main() -> None:
    """Run the program on the command line of this process."""
    try:
        completion.prepare()
        _raise_limits(os.environ.get("DRVSIGN_LIMITS", ""))
    except UsageError as error:
        _report(error)
        sys.exit(ExitCode.USAGE)
    if sys.argv[1:2] == [AS_TOOL]:
        from signer.cli.front_ends.tools import run_tool

        sys.exit(run_tool(sys.argv[2:]))
    app(prog_name="drvsign")
