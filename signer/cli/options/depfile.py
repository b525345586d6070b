"""--depfile: which files a result was made from, as make and ninja read it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import unquote

import typer

from signer.cli.param_types import to_file
from signer.storage.files import write_atomically

if TYPE_CHECKING:
    from signer.cli.options.identity import IdentityOptions
    from signer.cli.options.profile import ResolvedProfile
    from signer.cli.options.signature import SignatureOptions

DepFile = Annotated[
    Path | None,
    typer.Option(
        "--depfile", metavar="FILE", help="Write the dependencies of the result, for make or ninja.", parser=to_file
    ),
]


def write_depfile(path: Path, target: Path, sources: Iterable[Path]) -> None:
    """Write the rule that says what `target` was made from. Raises FileError.

    Each source also stands as a target of its own, so that make does not stop at one that is gone.
    """
    names = [_escaped(source) for source in dict.fromkeys(sources)]
    lines = [f"{_escaped(target)}: \\", *(f"  {name} \\" for name in names[:-1]), *(f"  {name}" for name in names[-1:])]
    lines += [f"\n{name}:" for name in names]
    write_atomically(path, ("\n".join(lines) + "\n").encode("utf-8", "surrogateescape"))


def signing_sources(identity: IdentityOptions, signature: SignatureOptions, chosen: ResolvedProfile) -> list[Path]:
    """The files besides the driver that decide what a signature is: key, certificates, and the profile's file."""
    named = [identity.pfx, identity.cert, identity.key, *(signature.cross_cert or ())]
    scheme, _, rest = (identity.identity or "").partition(":")
    if scheme in ("pfx", "file"):
        path, _, query = rest.partition("?")
        named.append(Path(unquote(path)))
        named += [Path(unquote(part[5:])) for part in query.split("&") if part.startswith("cert=")]
    if chosen.profile is not None:
        named.append(chosen.profile.source)
    return [path for path in named if path is not None]


def _escaped(path: Path) -> str:
    """A path as makefiles have it, with `/` between folders."""
    text = str(path).replace(os.sep, "/")
    return text.replace("$", "$$").replace("#", "\\#").replace(" ", "\\ ").replace(":", "\\:" if os.sep == "/" else ":")
