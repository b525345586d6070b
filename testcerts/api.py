"""The functions that `testcerts` exports."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from signer.arguments import PathLike, to_path, to_time
from signer.errors import UsageError
from signer.keys.identity import SigningIdentity
from testcerts.hierarchy import is_used, read_hierarchy, subject_of
from testcerts.issue import DEFAULT_SUBJECT, Order, parse_subject
from testcerts.profiles import ROOT
from testcerts.store import create


def create_test_identity(
    folder: PathLike, *, subject: str | None = None, now: datetime | None = None
) -> SigningIdentity:
    """Return the code-signing identity of the test certificates in `folder`; create them first if it has none.

    `subject` is a distinguished name such as `CN=Contoso Test,O=Contoso`, or a common name. `now` is the time of issue;
    None is the present. Existing certificates are never replaced. Raises TypeError, FileError, IdentityError, and
    UsageError if the folder has certificates with a different subject.
    """
    directory = to_path(folder, "folder")
    if subject is not None and not isinstance(subject, str):
        raise TypeError(f"subject must be a str, not {type(subject).__name__}")
    name = parse_subject(subject) if subject is not None else None
    if not is_used(directory):
        return create(directory, Order(name or parse_subject(DEFAULT_SUBJECT), to_time(now))).hierarchy.identity()
    existing = subject_of(directory)
    if name is not None and existing is not None and existing != name:
        raise UsageError(
            f"the folder has test certificates for {existing.rfc4514_string()!r}",
            path=directory,
            hint="Leave out subject, or use a different folder.",
        )
    return read_hierarchy(directory).identity()


def root_certificate(folder: PathLike) -> Path:
    """Return the path of the root certificate in `folder`, which test machines must trust. Raises FileError."""
    return read_hierarchy(to_path(folder, "folder")).path(ROOT.name, ".cer")
