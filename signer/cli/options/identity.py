"""The signing identity: its options and its checks."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import unquote

import typer

from signer.cli.options.certs import CertsOfIdentity, has_authority, open_test_identity
from signer.cli.options.common import IDENTITY_PANEL, SecretOptions
from signer.cli.output import Output
from signer.cli.param_types import to_file
from signer.errors import IdentityError, UsageError
from signer.records import dataclass

if TYPE_CHECKING:
    from signer.config import Settings
    from signer.keys.identity import SigningIdentity
    from signer.operations.ownership import Ownership


@dataclass(frozen=True)
class IdentityOptions:
    """Options that name the signing identity in one of three ways; without any, the test identity signs."""

    pfx: Annotated[
        Path | None,
        typer.Option(
            "--pfx", metavar="FILE", help="A PFX (PKCS #12) file.", rich_help_panel=IDENTITY_PANEL, parser=to_file
        ),
    ] = None
    cert: Annotated[
        Path | None,
        typer.Option(
            "--cert",
            metavar="FILE",
            help="The certificate; requires --key or --identity.",
            rich_help_panel=IDENTITY_PANEL,
            parser=to_file,
        ),
    ] = None
    key: Annotated[
        Path | None,
        typer.Option(
            "--key",
            metavar="FILE",
            help="The private key of --cert (PEM, DER or PVK).",
            rich_help_panel=IDENTITY_PANEL,
            parser=to_file,
        ),
    ] = None
    identity: Annotated[
        str | None,
        typer.Option(
            "--identity",
            metavar="URI",
            help="The key as a URI: pfx:, pkcs11:, aws-kms: and others (docs/keys.md). Accepts --cert.",
            rich_help_panel=IDENTITY_PANEL,
        ),
    ] = None
    certs: CertsOfIdentity = None
    any_usage: Annotated[
        bool,
        typer.Option(
            "--any-usage",
            help="Allow a certificate without the code-signing EKU (for tests).",
            rich_help_panel=IDENTITY_PANEL,
        ),
    ] = False

    @property
    def is_test(self) -> bool:
        """Whether no identity is named: the test identity signs."""
        return self.pfx is None and self.cert is None and self.key is None and self.identity is None

    @property
    def is_new(self) -> bool:
        """Whether `open` creates the test identity, because there is none."""
        return self.is_test and not has_authority(self.certs)

    def using(self, settings: Settings) -> IdentityOptions:
        """Return these options; if they name no identity, the signer of a profile."""
        by_profile = settings.certs if not os.environ.get("DRVSIGN_CERTS") else None
        options = replace(self, certs=self.certs or by_profile)
        if not self.is_test or settings.identity is None:
            return options
        return replace(options, identity=settings.identity, cert=settings.certificate)

    def file_with_root(self, signer: SigningIdentity) -> Path | None:
        """Return the named file that contains the root of the signer's chain: a PFX, --cert, or one in the URI."""
        from signer.certificates import is_self_signed

        roots = [one for one in (signer.certificate, *signer.chain) if is_self_signed(one)]
        return next(iter(self._certificate_files()), None) if roots else None

    def _certificate_files(self) -> list[Path]:
        scheme, _, rest = (self.identity or "").partition(":")
        path, _, query = rest.partition("?")
        in_uri = [Path(unquote(part[5:])) for part in re.split("[&;]", query) if part.startswith("cert=")]
        pfx = [Path(unquote(path))] if scheme == "pfx" else []
        return [one for one in (self.pfx, self.cert, *in_uri, *pfx) if one is not None]

    def known_authorities(self) -> Ownership:
        """Return the test authorities that the call knows: it replaces signatures under their roots without asking."""
        from signer.certificates import is_self_signed
        from signer.operations.ownership import Ownership
        from testcerts.locate import known_certificates

        certificates = known_certificates(self.certs, os.environ)
        return Ownership(
            roots=tuple(one for one in certificates if is_self_signed(one)),
            issuers=tuple(one for one in certificates if not is_self_signed(one)),
        )

    def open(self, secrets: SecretOptions, output: Output, *, in_memory: bool = False) -> SigningIdentity:
        """Open the identity that the options name; with `in_memory`, a new test identity is not written.

        Raises UsageError, FileError, IdentityError.
        """
        opened = open_test_identity(self.certs, output, in_memory=in_memory) if self.is_test else self._named(secrets)
        if not self.any_usage:
            _require_code_signing(opened, next(iter(self._certificate_files()), None))
        _warn_of_validity(opened, output)
        _warn_of_missing_issuer(opened, output)
        return opened

    def _named(self, secrets: SecretOptions) -> SigningIdentity:
        from signer.keys.open import open_identity

        if (self.cert is None) != (self.key is None) and self.pfx is None and self.identity is None:
            raise UsageError("--cert and --key must be used together", hint="Use both --cert and --key.")
        return open_identity(pfx=self.pfx, certificate=self.cert, key=self.key, uri=self.identity, secret=secrets)


def _require_code_signing(identity: SigningIdentity, path: Path | None) -> None:
    """Raise IdentityError about the certificate in `path` unless it has the code-signing EKU."""
    from signer.asn1.oids import EKU_CODE_SIGNING
    from signer.certificates import extended_key_usages

    usages = extended_key_usages(identity.certificate)
    if usages is None or EKU_CODE_SIGNING not in usages:
        raise IdentityError(
            f"the certificate {identity.name!r} is not for code signing: it lacks the EKU {EKU_CODE_SIGNING}",
            path=path,
            hint="Use a code-signing certificate, or add --any-usage for a test.",
        )


def _warn_of_validity(identity: SigningIdentity, output: Output) -> None:
    from datetime import UTC, datetime

    time, certificate = datetime.now(UTC), identity.certificate
    if time > certificate.not_valid_after_utc:
        output.warn(f"the certificate {identity.name!r} expired on {certificate.not_valid_after_utc:%Y-%m-%d}")
    elif time < certificate.not_valid_before_utc:
        output.warn(
            f"the certificate {identity.name!r} is not valid before {certificate.not_valid_before_utc:%Y-%m-%d}"
        )


def _warn_of_missing_issuer(identity: SigningIdentity, output: Output) -> None:
    """Warn if the issuer's certificate is missing: verification needs all certificates below the root."""
    from signer.certificates import is_self_signed, issuer_common_name

    if not identity.chain and not is_self_signed(identity.certificate):
        output.warn(
            f"the certificate {identity.name!r} came without its issuer's, "
            f"{issuer_common_name(identity.certificate)!r}: unless that is a root certificate, give both in one file"
        )
