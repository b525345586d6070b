"""`drvsign certs`: make test certificates, list certificates, and write the script for the test machine."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from signer.asn1.oids import EKU_NAMES
from signer.cli.commands.certs_transfer import export, import_
from signer.cli.exit_codes import ExitCode
from signer.cli.option_groups import command, examples
from signer.cli.options.certs import Folder, existing_folder
from signer.cli.options.common import OutputFile, SecretOptions, now
from signer.cli.output import Output
from signer.cli.param_types import to_input
from signer.cli.paths import expand_relative
from signer.errors import SignerError, UsageError, WrongSecret, unexpected_as_internal
from signer.records import dataclass
from signer.storage.files import read, shell_quote, write_atomically
from signer.storage.streams import is_standard_output
from testcerts.profiles import ALL_PROFILES, PROFILES, SELECTABLE_KEYS, KeyKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from cryptography import x509

    from testcerts.install_script import Trusted
    from testcerts.inventory import Contents
    from testcerts.issue import Order
    from testcerts.store import Created

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    epilog=examples("drvsign certs create", "drvsign certs show", "drvsign certs install-script"),
)


@app.callback()
def certs() -> None:
    """Create, list and install test certificates."""


@app.command(epilog=examples("drvsign certs create --subject 'CN=Contoso Test,O=Contoso' --profile whql"))
@command
def create(
    output: Output,
    folder: Folder = None,
    subject: Annotated[
        str | None,
        typer.Option("--subject", metavar="DN", help="The signer's distinguished name, or only a common name."),
    ] = None,
    key: Annotated[
        str | None,
        typer.Option("--key", metavar="KIND", help=f"{', '.join(SELECTABLE_KEYS)}. Default: rsa2048."),
    ] = None,
    days: Annotated[int, typer.Option("--days", metavar="N", help="Validity period in days.")] = 3650,
    profiles: Annotated[
        list[str] | None,
        typer.Option("--profile", metavar="NAME", help=f"Also: {', '.join(PROFILES)}; all. Can be repeated."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace existing keys and certificates.")] = False,
) -> None:
    """Create a test root CA, an issuing CA, and certificates for code signing and timestamps.

    If the folder already has them, they are shown, and only the additional profiles are created.
    """
    from testcerts.hierarchy import former_roots, is_whole, subject_of
    from testcerts.issue import DEFAULT_SUBJECT, Order, parse_subject
    from testcerts.store import create

    folder = folder or existing_folder()
    names, time = profiles or [], now()
    name = parse_subject(subject) if subject is not None else subject_of(folder) or parse_subject(DEFAULT_SUBJECT)
    order = Order(name, time, KeyKind.named(key or "rsa2048"), days)
    if is_whole(folder) and not names and not force:
        created = _existing(folder, order, is_key_given=key is not None)
    else:
        created = create(folder, order, names, force=force)
    if force and former_roots(folder):
        output.note("Signatures under the earlier root are still replaced as your own; `verify` does not trust it.")
    if output.json:
        output.document(_created_document(created, time))
    elif not output.quiet:
        _print_created(output, created)


def _existing(folder: Path, order: Order, *, is_key_given: bool) -> Created:
    """Return what the folder has; raise UsageError if that is not what the call asks for."""
    from signer.certificates import public_key
    from testcerts.hierarchy import read_hierarchy
    from testcerts.issue import key_kind
    from testcerts.store import Created

    hierarchy = read_hierarchy(folder)
    signer = hierarchy.code_signing
    differs = None
    if signer.subject != order.subject:
        differs = ("--subject", f"for {signer.subject.rfc4514_string()!r}")
    elif is_key_given and key_kind(public_key(signer)) != order.key:
        differs = ("--key", f"with {key_kind(public_key(signer))} keys")
    if differs is not None:
        raise UsageError(
            f"the folder has test certificates {differs[1]}",
            path=folder,
            field=differs[0],
            hint="Replace them with --force, or name another folder: drvsign certs create DIR",
        )
    return Created(hierarchy, (), (), ())


def _created_document(created: Created, time: datetime) -> dict[str, Any]:
    from testcerts.encodings import PFX_PASSWORD
    from testcerts.inventory import facts

    held = created.hierarchy.certificates
    names = created.issued or tuple(held)
    return {
        "schema": "drvsign.certs/1",
        "folder": str(created.hierarchy.folder),
        "created": bool(created.issued),
        "pfx_password": PFX_PASSWORD,
        "files": [str(path) for path in created.files],
        "certificates": [
            {"profile": name, "flaw": ALL_PROFILES[name].flaw or None, **facts(held[name], time, created.lists)}
            for name in names
        ],
    }


def _print_created(output: Output, created: Created) -> None:
    from signer.certificates import common_name, public_key
    from testcerts.encodings import PFX_PASSWORD
    from testcerts.issue import key_kind

    folder = created.hierarchy.folder
    rows = []
    for name in created.issued or created.hierarchy.certificates:
        certificate = created.hierarchy.certificates[name]
        end = certificate.not_valid_after_utc.date().isoformat()
        flaw = ALL_PROFILES[name].flaw
        purpose = ALL_PROFILES[name].summary + (f"; must be rejected: {flaw}" if flaw else "")
        rows.append((f"{name}.*", common_name(certificate), key_kind(public_key(certificate)), end, purpose))
    output.table(
        ("Files", "Certificate", "Key", "Valid until", "Purpose"),
        rows,
        title=f"{'Written to' if created.issued else 'Already in'} {folder}",
    )
    output.print(f"Password of the .pfx files: {PFX_PASSWORD} (encrypted in the form that Windows 7 can import)")
    output.note(f"To prepare the test machine: drvsign certs install-script {shell_quote(folder)}")


Shown = Annotated[
    list[Path] | None,
    typer.Argument(
        metavar="PATH",
        help="Files, folders, or @list.txt; - is the standard input. Default: your test certificates.",
        show_default=False,
        parser=to_input,
    ),
]


@app.command(epilog=examples("drvsign certs show", "drvsign certs show contoso.pfx --password-env PFX_PASSWORD"))
@command
def show(output: Output, secrets: SecretOptions, paths: Shown = None) -> None:
    """List certificates and revocation lists with their purpose and the days until they expire.

    Reads .cer, .pem, .p7b, .pfx and .crl files; folders are searched for them.
    """
    from testcerts.inventory import handles

    places = paths or [_own_folder(output)]
    files = expand_relative(places, handles, "certificates", missing_ok=True)
    in_one_folder = len(places) == 1 and places[0].is_dir()
    listed = _open_all(files if in_one_folder else {path: path for path in files}, secrets)
    time = now()
    if output.json:
        output.document({"schema": "drvsign.certs/1", "files": [_file_document(one, listed, time) for one in listed]})
    else:
        _print_certificates(output, listed, time)
        _print_revocations(output, listed, time)
    errors = [one.error for one in listed if one.error]
    for error in errors:
        output.error(error)
    if errors:
        raise typer.Exit(ExitCode.FAILED)


def _own_folder(output: Output) -> Path:
    """Return the folder of the test certificates and say where it is. Raises KeyNotFound if it has none."""
    from testcerts.hierarchy import read_hierarchy
    from testcerts.locate import locate

    folder = locate(None, os.environ)
    read_hierarchy(folder.path)
    output.note(f"Test certificates: {folder}")
    return folder.path


@dataclass(frozen=True)
class _Listed:
    """A file of `certs show`: its certificates, or the error that prevented reading it."""

    path: Path
    name: Path
    """The path in the table: relative to the folder, if the command lists one folder."""
    contents: Contents | None = None
    error: SignerError | None = None


def _open_all(names: Mapping[Path, Path], secrets: SecretOptions) -> list[_Listed]:
    """Read all files. A password from the options is tried on every file; a prompt asks for each file."""
    given = secrets.is_given
    password = secrets.secret("Password") if given else None
    listed = []
    for path, name in names.items():
        try:
            with unexpected_as_internal():
                listed.append(_Listed(path, name, _open(path, password, None if given else secrets)))
        except SignerError as error:
            listed.append(_Listed(path, name, error=error.at(path)))
    return listed


def _open(path: Path, password: str | None, prompt: SecretOptions | None) -> Contents:
    from testcerts.inventory import open_contents

    data = read(path)
    try:
        return open_contents(data, path.suffix, password)
    except WrongSecret:
        typed = prompt.secret(f"Password of {path}") if prompt else None
        if typed is None:
            raise
        return open_contents(data, path.suffix, typed)


def _revocation_lists(listed: Iterable[_Listed]) -> list[x509.CertificateRevocationList]:
    found = [one.contents.revocations for one in listed if one.contents]
    return [revocations for revocations in found if revocations is not None]


def _file_document(one: _Listed, listed: list[_Listed], time: datetime) -> dict[str, Any]:
    from testcerts.inventory import facts, revocation_facts

    contents, lists = one.contents, _revocation_lists(listed)
    revocations = contents.revocations if contents else None
    return {
        "path": str(one.path),
        "kind": contents.kind if contents else None,
        "has_key": contents.has_key if contents else None,
        "certificates": [
            facts(certificate, time, lists) for certificate in (contents.certificates if contents else ())
        ],
        "revocations": revocation_facts(revocations, time) if revocations is not None else None,
        "error": one.error.as_json() if one.error else None,
    }


def _print_certificates(output: Output, listed: list[_Listed], time: datetime) -> None:
    """Print each certificate once, with its own files, or else the files that contain it."""
    from testcerts.inventory import facts

    about: dict[x509.Certificate, list[Path]] = {}
    inside: dict[x509.Certificate, list[Path]] = {}
    for one in listed:
        for number, certificate in enumerate(one.contents.certificates if one.contents else ()):
            inside.setdefault(certificate, []).append(one.name)
            if number == 0:
                about.setdefault(certificate, []).append(one.name)
    lists, rows = _revocation_lists(listed), []
    for certificate, paths in inside.items():
        data = facts(certificate, time, lists)
        use = "authority" if data["authority"] else _usages(data)
        until, files = data["not_after"][:10], _shortened(about.get(certificate, paths))
        rows.append((data["common_name"], use, data["key"], until, data["days_left"], data["state"], files))
    if rows:
        output.table(("Certificate", "For", "Key", "Valid until", "Days left", "State", "Files"), rows)


def _print_revocations(output: Output, listed: list[_Listed], time: datetime) -> None:
    from testcerts.inventory import revocation_facts

    rows = []
    for one in listed:
        if one.contents and one.contents.revocations is not None:
            data = revocation_facts(one.contents.revocations, time)
            count, until = len(data["revoked"]), (data["next_update"] or "")[:10]
            rows.append((data["issuer"], count, until, data["days_left"], data["state"], one.name))
    if rows:
        output.table(("Revocation list of", "Revoked", "Next update", "Days left", "State", "File"), rows)


def _usages(data: dict[str, Any]) -> str:
    if data["usages"] is None:
        return "anything" if data["error"] is None else "unknown"
    return ", ".join(EKU_NAMES.get(usage, usage) for usage in data["usages"])


def _shortened(paths: list[Path]) -> str:
    """Join paths for a cell; for files that differ only in their suffix, repeat only the suffix."""
    words: list[str] = []
    for number, path in enumerate(paths):
        same = number > 0 and path.with_suffix("") == paths[number - 1].with_suffix("")
        words.append(path.suffix if same else str(path))
    return " ".join(words)


app.command(name="export", epilog=examples("drvsign certs export --output ci.pfx --password-env PFX_PASSWORD"))(export)
app.command(name="import", epilog=examples("drvsign certs import ci.pfx --password-env PFX_PASSWORD"))(import_)


@app.command(epilog=examples("drvsign certs install-script --output install.cmd"))
@command
def install_script(output: Output, folder: Folder = None, target: OutputFile = None) -> None:
    """Write scripts that prepare a test machine: trust the certificates, turn on test signing, and undo both.

    Without --output, a .cmd and a .ps1 file are written into the certificate folder; --output - prints the .cmd.
    Each is self-contained: copy one to the test machine and run it as administrator; /undo (.cmd) or -Undo (.ps1)
    reverts the changes.
    """
    from signer.certificates import thumbprint
    from testcerts.hierarchy import read_hierarchy
    from testcerts.install_script import NAME, WRITERS, trusted_of

    is_printed = target is not None and is_standard_output(target)
    if target is not None and not is_printed and target.suffix.lower() not in WRITERS:
        raise UsageError(
            "the script name must end in .cmd or .ps1",
            path=target,
            field="--output",
            hint="Choose a name that ends in .cmd or .ps1.",
        )
    folder = folder or existing_folder()
    trusted = trusted_of(read_hierarchy(folder))
    paths = [target] if target is not None else [folder / f"{NAME}{suffix}" for suffix in (".cmd", ".ps1")]
    for path in paths:
        name = f"{NAME}.cmd" if is_printed else path.name
        write_atomically(path, WRITERS[Path(name).suffix.lower()](trusted, name))
    if output.json:
        certificates = [{"store": one.store, "sha1": thumbprint(one.certificate)} for one in trusted]
        files = [str(path) for path in paths]
        output.document({"schema": "drvsign.certs/1", "files": files, "certificates": certificates})
    elif not output.quiet:
        _print_scripts(output, paths, trusted)


def _print_scripts(output: Output, paths: Sequence[Path], trusted: Iterable[Trusted]) -> None:
    from signer.certificates import common_name, thumbprint

    rows = [(one.store, common_name(one.certificate), thumbprint(one.certificate)) for one in trusted]
    output.table(("Store of the local machine", "Certificate", "SHA-1"), rows)
    output.print(f"Written: {', '.join(str(path) for path in paths)}")
    what = "it" if len(paths) == 1 else "one of them"
    output.note(f"Copy {what} to the test machine, turn off Secure Boot, run it as administrator, and restart.")
