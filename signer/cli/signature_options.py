"""What a signature is to say: the options that `sign`, `package` and `catalog sign` share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from signer.cli.options import Digest, PageHashes
from signer.cli.output import Output
from signer.errors import CertificateError, UsageError
from signer.files import read

if TYPE_CHECKING:
    from cryptography import x509

    from signer.algorithms import DigestAlgorithm
    from signer.pkcs7.signed_data import SigningOptions

PANEL = "What the signature says"


@dataclass(frozen=True)
class SignatureOptions:
    """What a signature says besides whose it is."""

    digest: Digest = "sha256"
    page_hashes: PageHashes = False
    dual: Annotated[
        bool,
        typer.Option("--dual", help="SHA-1 for old Windows, and a signature with --digest nested in it. Images only."),
    ] = False
    description: Annotated[
        str | None,
        typer.Option("--description", metavar="TEXT", help="What the program is called.", rich_help_panel=PANEL),
    ] = None
    url: Annotated[
        str | None,
        typer.Option("--url", metavar="URL", help="Where to read more about it.", rich_help_panel=PANEL),
    ] = None
    cross_cert: Annotated[
        list[Path] | None,
        typer.Option(
            "--cross-cert",
            metavar="FILE",
            help="A certificate to carry besides the chain, such as a cross-certificate. Can be repeated.",
            rich_help_panel=PANEL,
        ),
    ] = None
    commercial: Annotated[
        bool,
        typer.Option("--commercial", help="Claim commercial, not individual code signing.", rich_help_panel=PANEL),
    ] = False

    def algorithm(self) -> DigestAlgorithm:
        """The digest algorithm that --digest names. Raises UsageError."""
        from signer.algorithms import DigestAlgorithm

        algorithm = DigestAlgorithm.named(self.digest)
        if algorithm is DigestAlgorithm.MD5:
            raise UsageError(
                "new signatures can't use md5, which no Windows accepts any more",
                hint="Choose sha256, or sha1 for very old Windows.",
                field="--digest",
            )
        return algorithm

    def resolve(self, output: Output) -> tuple[SigningOptions, SigningOptions | None]:
        """The options of the signature, and with --dual those of the one nested in it. Raises UsageError and more."""
        from dataclasses import replace

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
                    "--dual nests a better digest than SHA-1",
                    hint="Leave out --digest, or choose sha256.",
                    field="--digest",
                )
            return replace(options, digest=DigestAlgorithm.SHA1), options
        if not algorithm.modern:
            output.warn(
                "SHA-1 signatures are only for Windows Vista and 7 without updates; newer Windows may refuse them "
                "(--dual signs for both)"
            )
        return options, None

    def _check_page_hashes(self, algorithm: DigestAlgorithm) -> None:
        if self.page_hashes and algorithm.label not in ("sha1", "sha256"):
            raise UsageError(
                f"page hashes can't be {algorithm}",
                hint="With --page-hashes choose sha256 (or sha1).",
                field="--digest",
            )


def load_certificates(files: list[Path]) -> list[x509.Certificate]:
    """All certificates in some files. Raises CertificateError and FileError, naming the file."""
    from signer.certificates import load_all

    found: list[x509.Certificate] = []
    for file in files:
        try:
            found += load_all(read(file))
        except CertificateError as error:
            raise error.at(file) from error
    return found
