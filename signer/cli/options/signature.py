"""The contents of a signature: options of `sign`, `package` and `catalog sign`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from signer.cli.output import Output
from signer.cli.param_types import to_file
from signer.errors import CertificateError, UsageError
from signer.records import dataclass
from signer.storage.files import read

if TYPE_CHECKING:
    from cryptography import x509

    from signer.algorithms import DigestAlgorithm
    from signer.config import Settings
    from signer.pkcs7.signed_data import SigningOptions

PANEL = "Signature contents"
Replace = Annotated[bool, typer.Option("--replace", help="Replace signatures of other signers too.")]


@dataclass(frozen=True)
class SignatureOptions:
    """Options for the contents of a signature, except the signer."""

    digest: Annotated[
        str | None,
        typer.Option("--digest", metavar="ALG", help="sha1, sha256, sha384 or sha512. Default: sha256."),
    ] = None
    page_hashes: Annotated[
        bool | None,
        typer.Option("--page-hashes/--no-page-hashes", help="Include the hash of each page of the image. Default: no."),
    ] = None
    dual: Annotated[
        bool,
        typer.Option(
            "--dual", help="Sign with SHA-1 for old Windows and nest a signature that uses --digest. Images only."
        ),
    ] = False
    description: Annotated[
        str | None,
        typer.Option("--description", metavar="TEXT", help="The program name shown in prompts.", rich_help_panel=PANEL),
    ] = None
    url: Annotated[
        str | None,
        typer.Option(
            "--url", metavar="URL", help="A URL with more information, shown in prompts.", rich_help_panel=PANEL
        ),
    ] = None
    cross_cert: Annotated[
        list[Path] | None,
        typer.Option(
            "--cross-cert",
            metavar="FILE",
            help="An additional certificate to include, such as a cross-certificate. Repeatable.",
            rich_help_panel=PANEL,
            parser=to_file,
        ),
    ] = None
    commercial: Annotated[
        bool,
        typer.Option(
            "--commercial",
            help="Mark the signature as commercial instead of individual code signing.",
            rich_help_panel=PANEL,
        ),
    ] = False

    def using(self, settings: Settings) -> SignatureOptions:
        """Return these options; a profile sets those that were not given."""
        return replace(
            self,
            digest=self.digest or settings.digest,
            page_hashes=self.page_hashes if self.page_hashes is not None else settings.page_hashes,
            description=self.description or settings.description,
            url=self.url or settings.url,
            cross_cert=self.cross_cert or list(settings.cross_certificates),
        )

    def algorithm(self) -> DigestAlgorithm:
        """Return the digest algorithm that --digest names. Raises UsageError."""
        from signer.algorithms import DigestAlgorithm

        algorithm = DigestAlgorithm.named(self.digest or "sha256")
        if algorithm is DigestAlgorithm.MD5:
            raise UsageError(
                "MD5 can't be used for new signatures: no current Windows release accepts it",
                hint="Use sha256, or sha1 for Windows Vista.",
                field="--digest",
            )
        return algorithm

    def resolve(self, output: Output) -> tuple[SigningOptions, SigningOptions | None]:
        """Return the options of the signature, and with --dual those of the nested one. Raises SignerError."""
        from signer.algorithms import DigestAlgorithm
        from signer.pkcs7.signed_data import SigningOptions

        algorithm = self.algorithm()
        self._check_page_hashes(algorithm)
        options = SigningOptions(
            algorithm, self.description, self.url, self.commercial, tuple(load_certificates(self.cross_cert or []))
        )
        if self.dual:
            if not algorithm.modern:
                raise UsageError(
                    "--dual needs a --digest other than sha1: it adds SHA-1 itself",
                    hint="Remove --digest, or use sha256.",
                    field="--digest",
                )
            return replace(options, digest=DigestAlgorithm.SHA1), options
        if not algorithm.modern:
            output.warn(
                "SHA-1 signatures are only for Windows Vista and 7 without updates; newer Windows may reject them "
                "(--dual signs for both)"
            )
        return options, None

    def _check_page_hashes(self, algorithm: DigestAlgorithm) -> None:
        if self.page_hashes and algorithm.label not in ("sha1", "sha256"):
            raise UsageError(
                f"page hashes can't be {algorithm}",
                hint="Use --digest sha256 (or sha1) with --page-hashes.",
                field="--digest",
            )


def load_certificates(files: list[Path]) -> list[x509.Certificate]:
    """Load all certificates in some files. Raises CertificateError and FileError with the path."""
    from signer.certificates import load_all

    found: list[x509.Certificate] = []
    for file in files:
        try:
            found += load_all(read(file))
        except CertificateError as error:
            raise error.at(file) from error
    return found
