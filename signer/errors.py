"""The error tree. Every error that a user can cause is a SignerError with one sentence, a hint and its data."""

from __future__ import annotations

from pathlib import Path
from typing import Any


class SignerError(Exception):
    """The base of every error of this project.

    The message is one sentence that names what is wrong; the hint says what to do about it. Data such as an offset, a
    line, a field or a path is kept in attributes, and `where()` renders it for a person.
    """

    code = "error"
    advice: str | None = None
    """The hint of an error of this kind that has none of its own."""

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        path: Path | str | None = None,
        offset: int | None = None,
        line: int | None = None,
        field: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint or self.advice
        self.path = Path(path) if path is not None else None
        self.offset = offset
        self.line = line
        self.field = field

    def __reduce__(self) -> tuple[Any, ...]:
        """How an error goes from one process to another: whole, whatever its kind wants to be made from."""
        return _restored, (type(self), self.args, self.__dict__)

    def where(self) -> str:
        """Where the error is, as `path:line` or `path at offset 0x40`; empty when nothing is known."""
        text = str(self.path) if self.path is not None else ""
        if self.line is not None:
            text += f":{self.line}" if text else f"line {self.line}"
        if self.offset is not None:
            text += f" at offset {self.offset:#x}" if text else f"offset {self.offset:#x}"
        return text

    def __str__(self) -> str:
        place = self.where()
        return f"{place}: {self.message}" if place else self.message

    def at(self, path: Path | str) -> SignerError:
        """The same error, naming the file that it was found in unless it names one already."""
        if self.path is None:
            self.path = Path(path)
        return self

    def as_json(self) -> dict[str, Any]:
        """The error as the command line's JSON has it."""
        return {"code": self.code, "message": str(self), "hint": self.hint}


def _restored(kind: type[SignerError], arguments: tuple[Any, ...], fields: dict[str, Any]) -> SignerError:
    error = kind.__new__(kind, *arguments)
    error.__dict__.update(fields)
    return error


class UsageError(SignerError):
    """The command was called in a way that can't mean anything."""

    code = "usage"


class FileError(SignerError):
    """A file could not be read or written."""

    code = "file"


class UnfinishedRun(FileError):
    """Files are mixed, because a run that replaces them was interrupted or is at work."""

    code = "unfinished-run"


class MalformedInput(SignerError):
    """Bytes that are not what they should be."""

    code = "malformed-input"
    advice = "The file is damaged, incomplete, or of another kind: get or build it again."


class ImageError(MalformedInput):
    """Not a PE image, or one that can't be hashed or signed safely."""

    code = "image"


class SignatureFormatError(MalformedInput):
    """A PKCS#7 structure that breaks its format."""

    code = "signature-format"


class NotDerError(SignatureFormatError):
    """BER that is not DER: other readers, Windows among them, may take it all the same."""


class CertificateError(MalformedInput):
    """Not a certificate, or one that can't be read."""

    code = "certificate"


class InfError(MalformedInput):
    """An INF that can't be read as one."""

    code = "inf"


class CatalogError(MalformedInput):
    """A catalog that breaks its format."""

    code = "catalog"


class IdentityError(SignerError):
    """A signing key with its certificate can't be used."""

    code = "identity"


class KeyNotFound(IdentityError):
    """There is no key or certificate where one was expected."""

    code = "key-not-found"


class WrongSecret(IdentityError):
    """The password or PIN doesn't open the key."""

    code = "wrong-secret"


class KeyCertificateMismatch(IdentityError):
    """The private key doesn't belong to the certificate."""

    code = "key-certificate-mismatch"


class SigningError(SignerError):
    """Signing could not be done."""

    code = "signing"


class DigestChanged(SigningError):
    """Embedding a signature would change bytes that the signature covers; nothing was written."""

    code = "digest-changed"

    def __init__(self, what: str) -> None:
        super().__init__(
            f"embedding the signature would change the digest of the {what}; nothing was written",
            hint="This should not happen: please report it with the file.",
        )


class TimestampError(SignerError):
    """No timestamp could be had, or the answer is not to be trusted."""

    code = "timestamp"


class PackageError(SignerError):
    """A driver package is incomplete or contradicts itself. `problems` holds all that was found."""

    code = "package"

    def __init__(self, message: str, *, problems: tuple[Any, ...] = (), **where: Any) -> None:
        super().__init__(message, **where)
        self.problems = problems


class ReleaseRefused(PackageError):
    """What was asked for must not be released. `problems` holds every reason; nothing was signed."""

    code = "release-refused"


class ConfigError(SignerError):
    """The configuration can't be used."""

    code = "config"


class VerificationError(SignerError):
    """A verdict that was required to be "accepted" is not. The verdict is kept, with all its findings."""

    code = "verification"

    def __init__(self, message: str, *, verdict: Any = None, **where: Any) -> None:
        super().__init__(message, **where)
        self.verdict = verdict
