"""`drvsign targets`: list the names that --target takes."""

from __future__ import annotations

from typing import Any

import typer

from signer.cli.option_groups import command, examples
from signer.cli.output import Output

app = typer.Typer(add_completion=False)


@app.command(epilog=examples("drvsign targets", "drvsign targets --json"))
@command
def targets(output: Output) -> None:
    """List the Windows releases and architectures that verify, explain and audit take as --target."""
    from signer.policy.targets import all_targets, release_names

    if output.json:
        output.document({"schema": "drvsign.targets/1", "targets": [_entry(target) for target in all_targets()]})
        return
    rows = []
    for name in release_names():
        here = [target for target in all_targets() if target.release.name == name]
        plain = [target.architecture for target in here if not target.s_mode]
        s_mode = [target.architecture for target in here if target.s_mode]
        rows.append((name, here[0].release.title, " ".join(plain), " ".join(s_mode)))
    output.table(("Release", "Product", "Architectures", "S mode"), rows)
    output.print("A target is RELEASE-ARCHITECTURE, such as win11-24h2-x64, or win11-24h2-x64-smode for S mode.")


def _entry(target: Any) -> dict[str, Any]:
    return {
        "target": target.name,
        "release": target.release.name,
        "title": target.title,
        "build": target.build,
        "architecture": target.architecture,
        "server": target.server,
        "s_mode": target.s_mode,
    }
