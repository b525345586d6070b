"""`drvsign certs export` and `import`: move the test authority to another machine, or to continuous integration."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from signer.cli.option_groups import command
from signer.cli.options.certs import Folder, existing_folder
from signer.cli.options.common import SecretOptions, now
from signer.cli.output import Output
from signer.cli.param_types import to_file, to_output
from signer.errors import CertificateError, FileError, IdentityError, WrongSecret
from signer.storage.files import read, require_data, shell_quote, write_atomically
from signer.storage.streams import is_standard_output

if TYPE_CHECKING:
    from testcerts.transfer import Imported

_DEFAULT_NAME = Path("drvsign-test.pfx")

PfxOutput = Annotated[
    Path | None,
    typer.Option(
        "--output", "-o", metavar="FILE", help=f"The PFX to write. Default: {_DEFAULT_NAME}, if new.", parser=to_output
    ),
]
PfxFile = Annotated[
    Path,
    typer.Argument(metavar="FILE", help="A PFX of drvsign certs export.", show_default=False, parser=to_file),
]


@command
def export(output: Output, secrets: SecretOptions, folder: Folder = None, target: PfxOutput = None) -> None:
    """Write the code-signing key and its certificates to a PFX, for another machine or for CI.

    The keys of the authorities stay here. In CI, DRVSIGN_TEST_PFX with the PFX in base64 and
    DRVSIGN_TEST_PFX_PASSWORD make every command sign with this key, under the root that your test machines trust.
    """
    from testcerts.encodings import KEY_MODE, PFX_PASSWORD
    from testcerts.hierarchy import read_hierarchy
    from testcerts.transfer import export_pfx

    hierarchy = read_hierarchy(folder or existing_folder())
    given = _password(secrets)
    path = target or _DEFAULT_NAME
    if target is None and path.exists():
        named = f"{shell_quote(folder)} " if folder is not None else ""
        hint = f"Name the file to write: drvsign certs export {named}--output FILE"
        raise FileError("the file exists", path=path, hint=hint)
    write_atomically(path, export_pfx(hierarchy, given or PFX_PASSWORD), mode=KEY_MODE)
    if output.json:
        output.document({"schema": "drvsign.certs/1", "folder": str(hierarchy.folder), "files": [str(path)]})
        return
    if not output.quiet:
        output.print(f"Written: {path}")
    if given is None:
        output.warn(f"{path} has the public password {PFX_PASSWORD!r}; choose your own with --password-env NAME")
    if is_standard_output(path):
        return
    output.note(f"On another machine: drvsign certs import {shell_quote(path)}")
    output.note(f"In CI: set the secret DRVSIGN_TEST_PFX to the output of: base64 -w0 {shell_quote(path)}")
    output.note("  and the secret DRVSIGN_TEST_PFX_PASSWORD to its password.")


@command
def import_(
    output: Output,
    path: PfxFile,
    secrets: SecretOptions,
    folder: Folder = None,
    force: Annotated[
        bool, typer.Option("--force", help="Replace another test authority; its folder is renamed, not deleted.")
    ] = False,
) -> None:
    """Install the test authority that `drvsign certs export` wrote, so that this machine signs under the same root."""
    from testcerts.transfer import import_pfx

    require_data(path)
    data, where = read(path), folder or existing_folder()
    try:
        try:
            imported = import_pfx(data, _password(secrets), where, force=force)
        except WrongSecret:
            typed = secrets.secret(f"Password of {path}") if _password(secrets) is None else None
            if typed is None:
                raise
            imported = import_pfx(data, typed, where, force=force)
    except (CertificateError, IdentityError) as error:
        raise error.at(path) from error
    _report(output, imported)


def _report(output: Output, imported: Imported) -> None:
    from signer.certificates import common_name
    from testcerts.inventory import facts

    hierarchy = imported.hierarchy
    if imported.replaced is not None:
        output.note(f"The earlier test certificates are now in {imported.replaced}")
    if output.json:
        files = sorted(str(file) for file in hierarchy.folder.iterdir()) if imported.is_new else []
        output.document(
            {
                "schema": "drvsign.certs/1",
                "folder": str(hierarchy.folder),
                "files": files,
                "certificates": [facts(one, now()) for one in hierarchy.certificates.values()],
            }
        )
    elif not output.quiet:
        name = common_name(hierarchy.root)
        output.print(f"{'Imported into' if imported.is_new else 'Already in'} {hierarchy.folder}: {name}")


def _password(secrets: SecretOptions) -> str | None:
    """Return the password from the options, else from DRVSIGN_TEST_PFX_PASSWORD; None without either."""
    from testcerts.locate import PFX_PASSWORD_VARIABLE

    if secrets.is_given:
        return secrets.secret("Password")
    return os.environ.get(PFX_PASSWORD_VARIABLE) or None
