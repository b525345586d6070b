"""Complete commands and options in shells: `drvsign --show-completion SHELL`, and the calls of the script it prints.

Typer's module for this is not declared as public: tests hold that the installed Typer has what is used here.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any

import typer

from signer.errors import UsageError

VARIABLE = "_DRVSIGN_COMPLETE"
"""The variable with which the script in the shell asks for words; it must have the name that Typer gives it."""
SHELLS = ("bash", "zsh", "fish", "powershell", "pwsh")

_INSTRUCTIONS = ("complete", "source")


def show(shell: str | None) -> None:
    """Print the script for a shell and exit; do nothing for None. Raises UsageError for an unknown shell."""
    if shell is None:
        return
    if shell not in SHELLS:
        raise UsageError(
            f"no completion for the shell {shell!r}",
            field="--show-completion",
            hint=f"Use one of: {', '.join(SHELLS)}.",
        )
    typer.echo(_typers().get_completion_script(prog_name="drvsign", complete_var=VARIABLE, shell=shell))
    raise typer.Exit


def prepare() -> None:
    """Enable completion if the shell's script calls. Raises UsageError for an unknown value of the variable."""
    value = os.environ.get(VARIABLE)
    if not value:
        return
    instruction, _, shell = value.partition("_")
    if instruction not in _INSTRUCTIONS or shell not in SHELLS:
        raise UsageError(
            f"{VARIABLE} can't be {value!r}",
            field=VARIABLE,
            hint=f"Unset it; only the script of drvsign --show-completion sets it, such as to complete_{SHELLS[0]}.",
        )
    _typers().completion_init()


def _typers() -> Any:
    return import_module("typer.completion")
