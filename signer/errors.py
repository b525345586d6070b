"""The exception hierarchy: every error that a user can cause is a SignerError with a message, a hint and a location."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


class SignerError(Exception):
    """The base class of every error of this project.

    `message` is one sentence that states the problem, `hint` the action that solves it. `path`, `offset` (in bytes),
    `line` (from 1) and `field` locate the problem; each is None when unknown. `where()` formats the location.
    """

    code = "error"
    default_hint: str | None = None
    """The hint for errors of this class that are raised without one."""

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
        self.hint = hint or self.default_hint
        self.path = Path(path) if path is not None else None
        self.offset = offset
        self.line = line
        self.field = field

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the error with all its attributes, without calling the constructor of its class again."""
        return _restore, (type(self), self.args, self.__dict__)

    def where(self) -> str:
        """Return the location, such as `path:line` or `path at offset 0x40`, or an empty string when it is unknown."""
        text = str(self.path) if self.path is not None else ""
        if self.line is not None:
            text += f":{self.line}" if text else f"line {self.line}"
        if self.offset is not None:
            text += f" at offset {self.offset:#x}" if text else f"offset {self.offset:#x}"
        return text

    def __str__(self) -> str:
        location = self.where()
        return f"{location}: {self.message}" if location else self.message

    def at(self, path: Path | str) -> SignerError:
        """Set the path of the error, unless it has one, and return the error."""
        if self.path is None:
            self.path = Path(path)
        return self

    def as_json(self) -> dict[str, Any]:
        """Return the error as the object that `--json` prints."""
        return {"code": self.code, "message": str(self), "hint": self.hint}


def _restore(error_class: type[SignerError], arguments: tuple[Any, ...], fields: dict[str, Any]) -> SignerError:
    error = error_class.__new__(error_class, *arguments)
    error.__dict__.update(fields)
    return error


class UsageError(SignerError):
    """An argument or an option is wrong, or the combination of options is not supported."""

    code = "usage"


class Interrupted(SignerError):
    """The user interrupted the command; before it processed the file `path`, if there is one, which is unchanged.

    With `begun`, the file may have been processed: the command ended without waiting for it.
    """

    code = "interrupted"

    def __init__(self, path: Path | str | None = None, *, begun: bool = False) -> None:
        when = "before the result of this file was known" if begun else "before this file was processed"
        message = "interrupted" if path is None else f"interrupted {when}"
        super().__init__(message, hint="No file was left half written.", path=path)


class FileError(SignerError):
    """A file could not be read or written."""

    code = "file"


class FolderInUse(FileError):
    """Another process is writing to the folder."""


class UnfinishedRun(FileError):
    """The folder has both old and new files, because a run that replaces them was interrupted or is still running."""

    code = "unfinished-run"


class InternalError(SignerError):
    """An exception that is a bug of this program. `traceback` is its text, which survives pickling."""

    code = "internal"
    default_hint = "Please report it with the traceback: run the command again with DRVSIGN_DEBUG=1."

    def __init__(self, error: Exception) -> None:
        text = str(error).strip()
        detail = f": {text}" if text and "\n" not in text else ""
        super().__init__(f"unexpected error ({type(error).__name__}{detail})")
        self.traceback = "".join(traceback.format_exception(error))


@contextmanager
def unexpected_as_internal() -> Iterator[None]:
    """Raise InternalError for an unexpected exception in the block, and FileError for an OSError.

    For work on one of many files, whose errors become its result: a bug in one must not end the others.
    """
    try:
        yield
    except SignerError:
        raise
    except OSError as error:
        raise FileError(
            f"the system reported: {(error.strerror or str(error)).lower()}", path=error.filename
        ) from error
    except Exception as error:
        raise InternalError(error) from error


class MalformedInput(SignerError):
    """The input breaks the rules of its file format."""

    code = "malformed-input"
    default_hint = "The file is damaged, incomplete, or of another type: download or build it again."


class ImageError(MalformedInput):
    """The file is not a PE image, or is one that can't be hashed or signed safely."""

    code = "image"


class SignatureFormatError(MalformedInput):
    """An ASN.1 or PKCS #7 structure is malformed."""

    code = "signature-format"


class NotDerError(SignatureFormatError):
    """The encoding is BER but not DER. Other parsers, including Windows, may accept it."""


class CertificateError(MalformedInput):
    """The input is not a certificate, or is one that can't be parsed."""

    code = "certificate"


class InfError(MalformedInput):
    """The input can't be parsed as an INF."""

    code = "inf"


class CatalogError(MalformedInput):
    """The catalog is malformed."""

    code = "catalog"


class IdentityError(SignerError):
    """The signing key or its certificate can't be used."""

    code = "identity"


class KeyNotFound(IdentityError):
    """The key or the certificate was not found."""

    code = "key-not-found"


class WrongSecret(IdentityError):
    """The password or PIN of the key is wrong."""

    code = "wrong-secret"


class KeyCertificateMismatch(IdentityError):
    """The private key does not match the certificate."""

    code = "key-certificate-mismatch"


class SigningError(SignerError):
    """Signing failed."""

    code = "signing"


class ForeignSignature(SigningError):
    """The file has a signature of another signer, which is replaced only on request; no file was written."""

    code = "foreign-signature"


class DigestChanged(SigningError):
    """Embedding a signature would change bytes that the signature covers; no file was written."""

    code = "digest-changed"

    def __init__(self, file_type: str) -> None:
        super().__init__(
            f"embedding the signature would change the digest of the {file_type}; no file was written",
            hint="This is a bug: report it, and attach the file.",
        )


class TimestampError(SignerError):
    """No timestamp authority answered, or the answer is invalid."""

    code = "timestamp"


class PackageError(SignerError):
    """A driver package is incomplete or inconsistent. `problems` lists every problem that was found."""

    code = "package"

    def __init__(self, message: str, *, problems: tuple[Any, ...] = (), **location: Any) -> None:
        super().__init__(message, **location)
        self.problems = problems

    def __str__(self) -> str:
        """Return the message with its location, the first problem, and the number of others."""
        text = super().__str__()
        if not self.problems:
            return text
        others = f" (and {len(self.problems) - 1} more)" if len(self.problems) > 1 else ""
        return f"{text}: {self.problems[0]}{others}"


class ForeignSignatures(PackageError):
    """Files of a package have signatures of other signers, which are replaced only on request.

    `problems` lists every such file; no file was written.
    """

    code = "foreign-signature"


class ReleaseRefused(PackageError):
    """A release profile rejects the package. `problems` lists every reason; no file was signed."""

    code = "release-refused"


class ConfigError(SignerError):
    """The configuration file or an environment variable is invalid."""

    code = "config"


class VerificationError(SignerError):
    """The verdict is not "accepted", but the caller required that. `verdict` is the verdict with all its findings."""

    code = "verification"

    def __init__(self, message: str, *, verdict: Any = None, **location: Any) -> None:
        super().__init__(message, **location)
        self.verdict = verdict


class SubmissionRefused(VerificationError):
    """The portal would reject the cabinet because of its signer's certificate."""

    code = "cabinet-signer"
