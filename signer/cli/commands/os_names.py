"""`drvsign os-names`: list the names that --os takes."""

from __future__ import annotations

import typer

from signer.cli.option_groups import command, examples
from signer.cli.output import Output

app = typer.Typer(add_completion=False)


@app.command(epilog=examples("drvsign os-names", "drvsign os-names --json"))
@command
def os_names(output: Output) -> None:
    """List the names of Windows releases that package, catalog build and inf lint take as --os, as Inf2Cat does."""
    from catalogs.catalog.os_names import ALL

    if output.json:
        names = [
            {
                "name": one.option,
                "token": one.token,
                "version": ".".join(map(str, one.release)),
                "architecture": one.architecture,
                "server": one.server,
                "confirmed": one.confirmed,
            }
            for one in ALL
        ]
        output.document({"schema": "drvsign.os-names/1", "names": names})
        return
    rows = [
        (one.option, ".".join(map(str, one.release)), one.architecture, "server" if one.server else "client", one.token)
        for one in ALL
    ]
    output.table(("Name", "Version", "Architecture", "Edition", "Token in catalogs"), rows)
