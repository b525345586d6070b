"""`drvsign certs`: make test certificates, list certificates, and write the script for the test machine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from signer.cli.groups import command
from signer.cli.options import now
from signer.cli.output import Output
from testcerts.profiles import EVERY, OFFERED_KEYS, PROFILES, KeyKind

if TYPE_CHECKING:
    from datetime import datetime

    from testcerts.store import Created

app = typer.Typer(no_args_is_help=True)

_FOLDER = Path("testcerts", "generated")

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="The folder of the test certificates.")]


@app.callback()
def certs() -> None:
    """Make, list and install test certificates."""


@app.command(epilog="Example: drvsign certs create --subject 'CN=Contoso Test,O=Contoso' --profile whql")
@command
def create(
    output: Output,
    folder: Folder = _FOLDER,
    subject: Annotated[
        str | None,
        typer.Option("--subject", metavar="DN", help="Who signs: a distinguished name, or a common name."),
    ] = None,
    key: Annotated[str, typer.Option("--key", metavar="KIND", help=f"{', '.join(OFFERED_KEYS)}.")] = "rsa2048",
    days: Annotated[int, typer.Option("--days", metavar="N", help="How long the certificates are valid.")] = 3650,
    profiles: Annotated[
        list[str] | None,
        typer.Option("--profile", metavar="NAME", help=f"Also: {', '.join(PROFILES)}; all. Can be repeated."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace keys and certificates that are there.")] = False,
) -> None:
    """Make a root CA, an issuing CA, and certificates for signing code and timestamps.

    A folder that holds them already gets the profiles that are asked for in addition.
    """
    from testcerts.issue import DEFAULT_SUBJECT, Order, parse_subject
    from testcerts.store import create, subject_of

    names = profiles or []
    time = now()
    name = parse_subject(subject) if subject is not None else subject_of(folder) or parse_subject(DEFAULT_SUBJECT)
    created = create(folder, Order(name, time, KeyKind.named(key), days), names, force=force)
    if output.json:
        output.document(_created_document(created, time))
    else:
        _print_created(output, created)


def _created_document(created: Created, time: datetime) -> dict[str, Any]:
    from testcerts.inventory import facts
    from testcerts.store import PFX_PASSWORD

    held = created.hierarchy.certificates
    return {
        "schema": "drvsign.certs/1",
        "folder": str(created.hierarchy.folder),
        "pfx_password": PFX_PASSWORD,
        "files": [str(path) for path in created.files],
        "certificates": [
            {"profile": name, "flaw": EVERY[name].flaw or None, **facts(held[name], time, created.lists)}
            for name in created.issued
        ],
    }


def _print_created(output: Output, created: Created) -> None:
    from signer.certificates import common_name
    from testcerts.issue import key_kind
    from testcerts.store import PFX_PASSWORD

    folder = created.hierarchy.folder
    rows = []
    for name in created.issued:
        certificate = created.hierarchy.certificates[name]
        end = certificate.not_valid_after_utc.date().isoformat()
        flaw = EVERY[name].flaw
        purpose = EVERY[name].summary + (f"; to be refused: {flaw}" if flaw else "")
        rows.append((f"{name}.*", common_name(certificate), key_kind(certificate.public_key()), end, purpose))
    output.table(("Files", "Certificate", "Key", "Valid until", "What for"), rows, title=f"Written to {folder}")
    output.print(f"Password of the .pfx files: {PFX_PASSWORD}")
