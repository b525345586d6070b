"""`drvsign keys`: list the tokens, keys and certificates that an identity URI can name."""

from __future__ import annotations

from typing import Annotated

import typer

from signer.cli.option_groups import command, examples
from signer.cli.options.common import SecretOptions
from signer.cli.output import Output

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    epilog=examples("drvsign keys list 'pkcs11:?module-path=/usr/lib/softhsm/libsofthsm2.so'"),
)


@app.callback()
def keys() -> None:
    """List the keys that --identity can name."""


@app.command(
    name="list",
    epilog=examples(
        "drvsign keys list 'pkcs11:token=Release?module-path=/usr/lib/softhsm/libsofthsm2.so' --password-env PIN",
        "drvsign keys list pfx:contoso.pfx --json",
    ),
)
@command
def list_keys(
    output: Output,
    uri: Annotated[str, typer.Argument(metavar="URI", help="An identity URI (docs/keys.md).", show_default=False)],
    secrets: SecretOptions,
) -> None:
    """List the tokens, keys and certificates of a backend.

    If a PKCS #11 URI matches one token, its keys are listed after a login, with a single attempt; otherwise the tokens.
    """
    from signer.keys.listing import list_keys as find

    found = find(uri, secrets)
    if output.json:
        output.document({"schema": "drvsign.keys/1", "entries": [one.as_json() for one in found]})
        return
    rows = [(one.kind, one.name, one.id or "", one.detail, one.uri or "") for one in found]
    if not rows:
        output.note("No token matches the URI.")
        return
    output.table(("Kind", "Name", "ID", "Detail", "URI"), rows)
