"""`drvsign doctor`: check what drvsign needs on this machine, and say what to mend."""

from __future__ import annotations

import typer

from signer.cli.exit_codes import ExitCode
from signer.cli.option_groups import command, examples
from signer.cli.output import Output

app = typer.Typer(add_completion=False)

_STYLES = {"ok": "green", "note": "dim", "warning": "yellow", "problem": "bold red"}


@app.command(epilog=examples("drvsign doctor", "drvsign doctor --json"))
@command
def doctor(output: Output) -> None:
    """Check versions, extras, token modules, the clock, the test certificates, drvsign.toml and PATH.

    Nothing is changed, and no network is used. Exit code 1 if something has to be mended.
    """
    from signer.cli.environment import Environment, diagnose

    found = diagnose(Environment.current())
    problems = [one for one in found if one.state == "problem"]
    if output.json:
        checks = [one.as_json() for one in found]
        output.document({"schema": "drvsign.doctor/1", "ok": not problems, "checks": checks})
    for one in found:
        output.paragraph(f"{one.state:<8} ", f"{one.name}: {one.detail}", _STYLES[one.state])
        if one.remedy is not None:
            output.paragraph(" " * 9, one.remedy)
    if problems:
        raise typer.Exit(ExitCode.REJECTED)
