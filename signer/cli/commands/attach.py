"""`drvsign attach`: put a signature that was made elsewhere into its file."""

from __future__ import annotations

import base64
import binascii
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from signer.cli.option_groups import command, examples
from signer.cli.options.certs import CertsDir, require_authority
from signer.cli.options.common import Append, OutputFile, SignablePath
from signer.cli.options.identity import IdentityOptions
from signer.cli.options.signature import Replace, load_certificates
from signer.cli.output import Output
from signer.cli.param_types import to_file
from signer.cli.results import attempt, finish
from signer.errors import SignerError, UsageError
from signer.records import dataclass
from signer.reports.file_results import FileResult
from signer.storage.files import read
from signer.storage.streams import STANDARD

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cryptography import x509

    from signer.algorithms import DigestAlgorithm
    from signer.operations.external_signing import SigningCandidate
    from signer.operations.ownership import Ownership
    from signer.pkcs7.signed_data import SigningOptions

app = typer.Typer(add_completion=False)

PANEL = "External signing (the key is held elsewhere)"


@dataclass(frozen=True)
class ExternalSignature:
    """Options for the signature value of an external key, and the certificates to complete it."""

    signed_digest: Annotated[
        Path | None,
        typer.Option(
            "--signed-digest",
            metavar="FILE",
            help="The signature value that the external key made over the request; raw or base64.",
            rich_help_panel=PANEL,
            parser=to_file,
        ),
    ] = None
    request: Annotated[
        Path | None,
        typer.Option(
            "--request",
            metavar="FILE",
            help="The request that `drvsign sign --detached-request` wrote.",
            rich_help_panel=PANEL,
            parser=to_file,
        ),
    ] = None
    cert: Annotated[
        Path | None,
        typer.Option(
            "--cert",
            metavar="FILE",
            help="The signer's certificate and its chain (PEM, DER or PKCS #7).",
            rich_help_panel=PANEL,
            parser=to_file,
        ),
    ] = None
    cross_cert: Annotated[
        list[Path] | None,
        typer.Option(
            "--cross-cert",
            metavar="FILE",
            help="An additional certificate to include. Repeatable.",
            rich_help_panel=PANEL,
            parser=to_file,
        ),
    ] = None

    def algorithm(self) -> DigestAlgorithm | None:
        """Return the digest algorithm of the request, if given. Raises SignatureFormatError with its path."""
        from signer.operations.external_signing import algorithm_of

        if self.request is None:
            return None
        try:
            return algorithm_of(read(self.request))
        except SignerError as error:
            raise error.at(self.request) from error

    def certificates(self) -> tuple[x509.Certificate, tuple[x509.Certificate, ...]]:
        """Load the signer's certificate and its chain. Raises UsageError, FileError, CertificateError."""
        from signer.keys.chain import chain_above

        if self.cert is None:
            raise UsageError("the signer's certificate is missing", hint="Give it with --cert.", field="--cert")
        first, *others = load_certificates([self.cert])
        # A bundle may begin with the root: the signer's certificate is the one that issued none of the others.
        issuers = {certificate.issuer for certificate in (first, *others)}
        leaf = next((c for c in (first, *others) if c.subject not in issuers), first)
        return leaf, chain_above(leaf, [c for c in (first, *others) if c != leaf])


@app.command(
    epilog=examples(
        "drvsign attach toaster.sys --signature toaster.p7",
        "drvsign sign toaster.sys --detached-request toaster.tbs",
        "openssl dgst -sha256 -sign KEY.pem -out toaster.sig toaster.tbs",
        "drvsign attach toaster.sys --signed-digest toaster.sig --request toaster.tbs --cert CERT.pem",
    )
)
@command
def attach(
    output: Output,
    path: SignablePath,
    external: ExternalSignature,
    signature: Annotated[
        Path | None,
        typer.Option("--signature", metavar="FILE", help="The PKCS #7 SignedData, in DER or PEM.", parser=to_file),
    ] = None,
    append: Append = False,
    replace: Replace = False,
    target: OutputFile = None,
    certs: CertsDir = None,
) -> None:
    """Attach a signature that was made elsewhere to its file. A signature for a different file is refused.

    An existing signature of another signer is not replaced without --append, --replace or --output, and a file at
    --output with signatures of others not without --replace.
    """
    if append and replace:
        raise UsageError("--append and --replace can't be combined", hint="Remove one of them.")
    if (signature is None) == (external.signed_digest is None):
        raise UsageError(
            "attach requires exactly one signature", hint="Give --signature, or --signed-digest with --cert."
        )
    if target is None and path == STANDARD:
        output.reserve_stdout("the result of -")
    mode = ExistingSignatures(append, replace, IdentityOptions(certs=require_authority(certs)).known_authorities())
    finish(output, [attempt(path, lambda: _attach(path, target or path, external, signature, mode))])


@dataclass(frozen=True)
class ExistingSignatures:
    """What happens to the signatures that a file has."""

    append: bool
    replace: bool
    known: Ownership


def _attach(
    path: Path, target: Path, external: ExternalSignature, signature: Path | None, mode: ExistingSignatures
) -> FileResult:
    from signer.certificates import common_name
    from signer.operations.signatures import attach_to, signer_of

    def found(data: memoryview) -> bytes:
        return _finished(data, external) if signature is None else read(signature)

    made = attach_to(path, target, found, append=mode.append, replace=mode.replace, known=mode.known, origin=signature)
    note, signer = f"from {path}" if target != path else "", signer_of(made.signature)
    name = common_name(signer) if signer is not None else None
    return FileResult(target, "attached", made.algorithm, made.digest, name, note, replaced=made.replaced)


def _finished(data: memoryview, external: ExternalSignature) -> bytes:
    """Make the signature of a file from the external key's signature value."""
    from signer.algorithms import DigestAlgorithm
    from signer.operations.external_signing import candidates
    from signer.pkcs7.signed_data import SigningOptions

    asked = external.algorithm()
    algorithms = [asked] if asked else [a for a in DigestAlgorithm if a is not DigestAlgorithm.MD5]
    return _finish(external, candidates(data, _options(external, SigningOptions()), algorithms))


def _finish(external: ExternalSignature, candidates: Iterable[SigningCandidate]) -> bytes:
    from signer.operations.external_signing import finish, finish_any

    assert external.signed_digest is not None
    leaf, chain = external.certificates()
    signature = _raw(read(external.signed_digest))
    try:
        if external.request is not None:
            return finish(read(external.request), candidates, signature, leaf, chain)
        return finish_any(candidates, signature, leaf, chain)
    except SignerError as error:
        raise error.at(external.signed_digest) from error


def _options(external: ExternalSignature, options: SigningOptions) -> SigningOptions:
    from dataclasses import replace

    return replace(options, certificates=tuple(load_certificates(external.cross_cert or [])))


def _raw(data: bytes) -> bytes:
    """Return the signature value; decode base64, which most signing services return."""
    try:
        return base64.b64decode(data.translate(None, b" \t\r\n\f\v"), validate=True) or data
    except binascii.Error:
        return data
