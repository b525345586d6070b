"""Conditions of a verdict: trusted roots and the state of the machine."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from signer.cli.options.certs import CertsOfTrust, require_authority, say_which
from signer.cli.options.common import ROOTS_PANEL
from signer.cli.options.driver_lists import load_allow_list, load_block_list
from signer.cli.options.signature import load_certificates
from signer.cli.output import Output
from signer.cli.param_types import to_file
from signer.errors import CertificateError, SignerError, UsageError, WrongSecret
from signer.records import dataclass
from signer.storage.files import read

if TYPE_CHECKING:
    from cryptography import x509

    from signer.keys.uri import Secret
    from signer.policy.machine_state import MachineState, Roots
    from signer.policy.trust import Trust

PFX_SUFFIXES = (".pfx", ".p12")


def no_secret(prompt: str) -> str | None:
    """Return no password, where a call has no option for one."""
    return None


MACHINE_PANEL = "Machine state"
DEBUG_PANEL = "Debugging of the machine"
DISPUTED_PANEL = "Disputed rules (Microsoft's documents disagree)"


@dataclass(frozen=True)
class TrustOptions:
    """Options for trusted roots, intermediate certificates and revocation lists."""

    test_machine: Annotated[
        bool,
        typer.Option(
            "--test-machine",
            help="Check for a test machine: test-signing mode on, Secure Boot off, --roots test-signing.",
            rich_help_panel=ROOTS_PANEL,
        ),
    ] = False
    roots: Annotated[
        str | None,
        typer.Option(
            "--roots",
            metavar="release|test-signing",
            help="release: Microsoft's production roots and the public roots. test-signing: your own roots "
            "and Microsoft's test roots. Default: release; with --certs test-signing.",
            rich_help_panel=ROOTS_PANEL,
        ),
    ] = None
    root: Annotated[
        list[Path] | None,
        typer.Option(
            "--root",
            metavar="FILE",
            help="Your own trusted root, or a PFX that contains it; requires --roots test-signing. "
            "Default: the root of the test certificates.",
            rich_help_panel=ROOTS_PANEL,
            parser=to_file,
        ),
    ] = None
    certs: CertsOfTrust = None
    intermediate: Annotated[
        list[Path] | None,
        typer.Option(
            "--intermediate",
            metavar="FILE",
            help="An untrusted intermediate certificate for building chains.",
            rich_help_panel=ROOTS_PANEL,
            parser=to_file,
        ),
    ] = None
    crl: Annotated[
        list[Path] | None,
        typer.Option(
            "--crl",
            metavar="FILE",
            help="A certificate revocation list. drvsign never downloads one.",
            rich_help_panel=ROOTS_PANEL,
            parser=to_file,
        ),
    ] = None

    def resolve(self, output: Output, secret: Secret = no_secret) -> Trust:
        """Load the certificates and CRLs that the options name. Raises UsageError, FileError, CertificateError.

        `secret` returns the password of a PFX.
        """
        from signer.policy.trust import Trust

        roots = _one_of(self.roots, "--roots", "release", "test-signing")
        if self.test_machine and roots == "release":
            raise UsageError("--test-machine trusts the test-signing roots", hint="Remove --roots release.")
        roots = "test-signing" if self.test_machine else roots or ("test-signing" if self.certs else "release")
        if roots == "release" and (self.root or self.certs):
            own = "--root" if self.root else "--certs"
            raise UsageError(
                "your own root and the release roots can't be trusted together",
                hint=f"Add --test-machine or --roots test-signing, or remove {own}.",
            )
        intermediates = load_certificates(self.intermediate or [])
        crls = [crl for path in self.crl or [] for crl in _crls(path)]
        if roots == "release":
            return Trust.release(intermediates=intermediates, crls=crls)
        trusted = [root for path in self._named(output) for root in load_roots(path, secret)]
        return Trust.test_signing(trusted, intermediates=intermediates, crls=crls)

    def _named(self, output: Output) -> list[Path]:
        """Return the roots that were given, and without --root that of the test authority if it exists."""
        if self.root and self.certs is None:
            return self.root
        import os

        from testcerts.locate import locate
        from testcerts.profiles import ROOT

        folder = locate(require_authority(self.certs), os.environ)
        own = folder.path / f"{ROOT.name}.cer"
        if own.is_file():
            say_which(folder, output)
            return [*(self.root or []), own]
        output.warn(
            f"no --root was given, and {folder} has no test certificates: only Microsoft's test roots are trusted"
        )
        return []


def load_roots(path: Path, secret: Secret = no_secret) -> list[x509.Certificate]:
    """Load the certificates of a file as roots; of a PFX, those that are self-signed.

    Raises FileError, CertificateError, and WrongSecret for a PFX with another password than that of `secret`.
    """
    if path.suffix.lower() not in PFX_SUFFIXES:
        return load_certificates([path])
    from signer.certificates import is_self_signed

    found = [one for one in _in_pfx(path, secret) if is_self_signed(one)]
    if not found:
        raise CertificateError("the PFX does not contain a root certificate", path=path, hint="Name a .cer file.")
    return found


def _in_pfx(path: Path, secret: Secret) -> tuple[x509.Certificate, ...]:
    from testcerts.inventory import open_contents

    data = read(path)
    try:
        try:
            return open_contents(data, path.suffix).certificates
        except WrongSecret:
            password = secret(f"Password of {path.name}")
            if password is None:
                raise
            return open_contents(data, path.suffix, password).certificates
    except SignerError as error:
        raise error.at(path) from error


def _machine(*names: str, text: str, panel: str = MACHINE_PANEL) -> Any:
    return typer.Option(*names, help=text, rich_help_panel=panel, show_default=False)


_EFFECTS = ("loads", "blocked", "unknown")
CHOICES = {
    "driver_policy": ("off", "evaluation", "enforced"),
    "publisher": ("trusted", "untrusted", "unknown"),
}
"""The values of options about a machine that a file with its state can have, too."""


@dataclass(frozen=True)
class MachineOptions:
    """Options for the state of the machine."""

    testsigning: Annotated[
        bool, _machine("--testsigning", text="Test-signing mode is on (bcdedit -set TESTSIGNING ON).")
    ] = False
    secure_boot: Annotated[
        bool | None,
        _machine(
            "--secure-boot/--no-secure-boot",
            text="Secure Boot. Default: on if the release supports it; off with --testsigning or --debugger.",
        ),
    ] = None
    debugger: Annotated[bool, _machine("--debugger", text="A kernel debugger is attached.", panel=DEBUG_PANEL)] = False
    debug_enforcement: Annotated[
        bool,
        _machine(
            "--debug-enforcement", text="CI\\DebugFlags has 0x10: the debugger permits nothing.", panel=DEBUG_PANEL
        ),
    ] = False
    no_signature_enforcement: Annotated[
        bool,
        _machine(
            "--no-signature-enforcement",
            text="Driver signature enforcement is disabled for this boot (F8 or Startup Settings 7).",
            panel=DEBUG_PANEL,
        ),
    ] = False
    hvci: Annotated[bool, _machine("--hvci", text="Memory integrity is on.")] = False
    boot_start: Annotated[
        bool, _machine("--boot-start", text="The driver is a boot-start driver. For packages, the INF decides.")
    ] = False
    early_launch: Annotated[
        bool, _machine("--early-launch", text="The driver is an early-launch antimalware (ELAM) driver.")
    ] = False
    upgraded: Annotated[
        bool, _machine("--upgraded", text="The machine was upgraded from a release before Windows 10 1607.")
    ] = False
    driver_policy: Annotated[
        str | None,
        typer.Option(
            "--driver-policy",
            metavar="STATE",
            help="State of the Windows Driver Policy (2026): off, evaluation or enforced. "
            "Default: enforced if the release is in scope at --at.",
            rich_help_panel=MACHINE_PANEL,
        ),
    ] = None
    allow_list: Annotated[
        Path | None,
        typer.Option(
            "--allow-list",
            metavar="FILE",
            help="The allow list of the Windows Driver Policy (.cip, .p7b or XML). Default: unknown.",
            rich_help_panel=MACHINE_PANEL,
            parser=to_file,
        ),
    ] = None
    block_list: Annotated[
        Path | None,
        typer.Option(
            "--block-list",
            metavar="FILE",
            help="Microsoft's vulnerable driver block list (.p7b, .cip or XML).",
            rich_help_panel=MACHINE_PANEL,
            parser=to_file,
        ),
    ] = None
    block_list_on: Annotated[
        bool | None,
        _machine(
            "--block-list-on/--block-list-off",
            text="The machine enforces the block list. Default: on for Windows 11 22H2 and later clients, "
            "S mode and memory integrity.",
        ),
    ] = None
    publisher: Annotated[
        str | None,
        typer.Option(
            "--publisher",
            metavar="STATE",
            help="Whether the publisher is in TrustedPublisher: trusted, untrusted or unknown. "
            "Default: unknown; trusted if your own root is trusted.",
            rich_help_panel=MACHINE_PANEL,
        ),
    ] = None
    uefi_sb_test: Annotated[
        bool,
        _machine("--uefi-sb-test", text="The machine is provisioned with EnableUefiSbTest for preproduction drivers."),
    ] = False
    at: Annotated[
        str | None,
        typer.Option(
            "--at",
            metavar="TIME",
            help="The time of the check, such as 2026-04-14 or 2026-04-14T12:00Z. Default: now.",
            rich_help_panel=MACHINE_PANEL,
        ),
    ] = None
    cutoff_1809: Annotated[
        bool,
        _machine(
            "--cross-signed-1809-cutoff",
            text="Windows 10 1809 and later reject every cross-signed driver. Default: no.",
            panel=DISPUTED_PANEL,
        ),
    ] = False
    expired_leaf: Annotated[
        str,
        typer.Option(
            "--expired-leaf",
            metavar="RESULT",
            help="Driver whose signer expired and that has no timestamp: loads, blocked or unknown.",
            rich_help_panel=DISPUTED_PANEL,
        ),
    ] = "loads"
    expired_cross: Annotated[
        str,
        typer.Option(
            "--expired-cross-certificate",
            metavar="RESULT",
            help="Driver timestamped after its cross-certificate expired: loads, blocked or unknown.",
            rich_help_panel=DISPUTED_PANEL,
        ),
    ] = "loads"
    attested_on_server: Annotated[
        str,
        typer.Option(
            "--attested-on-server",
            metavar="RESULT",
            help="Attestation-signed driver on Windows Server 2016 or later, which Microsoft does not support.",
            rich_help_panel=DISPUTED_PANEL,
        ),
    ] = "loads"
    sha2_update: Annotated[
        bool | None,
        _machine(
            "--sha2-update/--no-sha2-update",
            text="Windows 7 and Server 2008 have the SHA-2 update. Default: yes for 7 and 2008 R2.",
        ),
    ] = None
    cert_padding_check: Annotated[
        bool,
        _machine(
            "--cert-padding-check",
            text="EnableCertPaddingCheck (MS13-098) is set; affects authenticode. Default: no.",
            panel=DISPUTED_PANEL,
        ),
    ] = False

    def time(self) -> datetime:
        """Return the time of the check. Raises UsageError."""
        return parse_time(self.at, "--at") if self.at is not None else datetime.now(UTC)

    def machine(self, roots: Roots, *, test_machine: bool = False) -> MachineState:
        """Read the options about the machine; those that are given override those of `test_machine`.

        Raises UsageError; FileError and ConfigError for lists.
        """
        from signer.policy.machine_state import MachineState

        return MachineState(
            at=self.time(),
            roots=roots,
            secure_boot=False if test_machine and self.secure_boot is None else self.secure_boot,
            testsigning=self.testsigning or test_machine,
            debugger=self.debugger,
            hvci=self.hvci,
            boot_start=self.boot_start or self.early_launch,
            early_launch=self.early_launch,
            debug_enforcement=self.debug_enforcement,
            signature_enforcement=not self.no_signature_enforcement,
            upgraded=self.upgraded,
            driver_policy=_one_of(self.driver_policy, "--driver-policy", *CHOICES["driver_policy"]),
            allow_list=load_allow_list(self.allow_list),
            block_list=load_block_list(self.block_list),
            block_list_on=self.block_list_on,
            cross_signed_1809_cutoff=self.cutoff_1809,
            sha2_update=self.sha2_update,
            expired_leaf=_one_of(self.expired_leaf, "--expired-leaf", *_EFFECTS),
            expired_cross=_one_of(self.expired_cross, "--expired-cross-certificate", *_EFFECTS),
            attested_on_server=_one_of(self.attested_on_server, "--attested-on-server", *_EFFECTS),
            uefi_sb_test=self.uefi_sb_test,
            publisher=_one_of(self.publisher, "--publisher", *CHOICES["publisher"]),
            cert_padding_check=self.cert_padding_check,
        )


def parse_time(text: str, option: str) -> datetime:
    """Parse an ISO 8601 date or time; UTC unless it has an offset. Raises UsageError."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(
            f"{text!r} is not a time", hint=f"Write {option} 2026-04-14 or {option} 2026-04-14T12:00:00Z.", field=option
        ) from error
    return time if time.tzinfo is not None else time.replace(tzinfo=UTC)


def _one_of(value: str | None, option: str, *known: str) -> Any:
    if value is not None and value not in known:
        raise UsageError(f"{option} can't be {value!r}", hint=f"Choose one of {', '.join(known)}.", field=option)
    return value


def _crls(path: Path) -> list[x509.CertificateRevocationList]:
    from signer.trust.revocation import load_crls

    try:
        return load_crls(read(path))
    except CertificateError as error:
        raise error.at(path) from error
