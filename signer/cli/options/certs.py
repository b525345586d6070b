"""--certs: the folder of the test authority, and its certificates for signing, timestamps and verification."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from signer.cli.options.common import IDENTITY_PANEL, ROOTS_PANEL, now
from signer.cli.output import Output
from signer.cli.param_types import to_path
from signer.storage.files import shell_quote

if TYPE_CHECKING:
    from signer.keys.identity import SigningIdentity
    from testcerts.hierarchy import TestHierarchy
    from testcerts.locate import CertsFolder

_HELP = (
    "The folder of the test certificates. Default: DRVSIGN_CERTS, else testcerts/generated here or above, "
    "else your data folder."
)

Folder = Annotated[
    Path | None,
    typer.Argument(
        metavar="DIR",
        help="The folder of the test certificates. Default: the one that signing uses (docs/commands.md).",
        show_default=False,
        parser=to_path,
    ),
]

CertsDir = Annotated[Path | None, typer.Option("--certs", metavar="DIR", help=_HELP, parser=to_path)]
CertsOfIdentity = Annotated[
    Path | None, typer.Option("--certs", metavar="DIR", help=_HELP, rich_help_panel=IDENTITY_PANEL, parser=to_path)
]

CertsOfTrust = Annotated[
    Path | None,
    typer.Option(
        "--certs", metavar="DIR", help=f"Trust its root. {_HELP}", rich_help_panel=ROOTS_PANEL, parser=to_path
    ),
]


def open_authority(given: Path | None, output: Output) -> TestHierarchy:
    """Return the test authority of the call; create it on first use, with a notice. Raises SignerError."""
    from testcerts.locate import PFX_VARIABLE, locate
    from testcerts.store import ensure
    from testcerts.transfer import make_authority

    folder = locate(given, os.environ)
    hierarchy, made = ensure(folder.path, now(), partial(make_authority, environment=os.environ))
    if not made:
        say_which(folder, output)
    elif os.environ.get(PFX_VARIABLE):
        output.note(f"Imported the test identity of {PFX_VARIABLE} into {folder.path}.")
    else:
        output.note(f"No signing identity was given: created a test identity in {folder.path}.")
        named = f" {shell_quote(folder.path)}" if is_only_named(given) else ""
        output.note(f"  To prepare the test machine:     drvsign certs install-script{named}")
        output.note(
            f"  To check the result:             drvsign verify FILE --test-machine{' --certs' * bool(named)}{named}"
        )
        output.note(f"  To sign with it somewhere else:  drvsign certs export{named}")
    return hierarchy


def is_only_named(given: Path | None) -> bool:
    """Tell whether other commands need to be told the folder that this call names, because it is not the default."""
    return given is not None and given.resolve() != existing_folder().resolve()


def require_authority(given: Path | None) -> Path | None:
    """Return the folder that a call names. Raises KeyNotFound if it has no test authority."""
    if given is not None:
        from testcerts.hierarchy import read_hierarchy

        read_hierarchy(given)
    return given


def open_test_identity(given: Path | None, output: Output, *, in_memory: bool) -> SigningIdentity:
    """Return the test identity of the call; with `in_memory`, a throw-away one if there is none, and write nothing.

    Raises SignerError.
    """
    if not in_memory or has_authority(given):
        return open_authority(given, output).identity()
    from testcerts.transfer import identity_in_memory

    return identity_in_memory(now(), os.environ)


def say_throw_away(given: Path | None, output: Output) -> None:
    """Say that a rehearsal signs with a throw-away identity, unless it signs with that of DRVSIGN_TEST_PFX."""
    from testcerts.locate import PFX_VARIABLE

    if not os.environ.get(PFX_VARIABLE):
        output.note(
            "No test identity exists: the rehearsal uses a throw-away one. "
            f"Without --dry-run, one is created in {existing_folder(given)}."
        )


def has_authority(given: Path | None) -> bool:
    """Tell whether the folder of the test authority of the call has one."""
    from testcerts.hierarchy import is_used

    return is_used(existing_folder(given))


def say_which(folder: CertsFolder, output: Output) -> None:
    """Say which folder is taken where the call knows several; with --verbose always."""
    from testcerts.locate import is_a_choice

    say = output.note if is_a_choice(folder, os.environ) else output.detail
    say(f"Using the test identity in {folder}.")


def existing_folder(given: Path | None = None) -> Path:
    """Return the folder of the test authority of the call, which may not exist."""
    from testcerts.locate import locate

    return locate(given, os.environ).path
