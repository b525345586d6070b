"""--depfile: the dependencies of a result, as a rule for make and ninja."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import unquote

import typer

from signer.cli.options.certs import existing_folder
from signer.cli.options.destinations import require_place
from signer.cli.param_types import to_output
from signer.errors import UsageError
from signer.storage.files import read, write_atomically

if TYPE_CHECKING:
    from signer.cli.options.identity import IdentityOptions
    from signer.cli.options.profile import ResolvedProfile
    from signer.cli.options.signature import SignatureOptions

DepFile = Annotated[
    Path | None,
    typer.Option(
        "--depfile", metavar="FILE", help="Write the dependencies of the result, for make or ninja.", parser=to_output
    ),
]


def require_listable(depfile: Path | None, paths: Iterable[Path]) -> None:
    """Raise UsageError for a path that a --depfile can't list: make and ninja would read its rest as a rule.

    Raises FileError if the folder for the --depfile does not exist, unless one of the paths will be in it.
    """
    if depfile is None:
        return
    paths = list(paths)
    if not any(path.is_relative_to(depfile.parent) for path in paths):
        require_place(depfile)
    for path in paths:
        if any(character in str(path) for character in "\n\r"):
            raise UsageError(
                "--depfile can't list this path, because its name contains a line break",
                path=path,
                hint="Rename the file, or remove --depfile.",
            )


def write_depfile(path: Path, target: Path, sources: Iterable[Path]) -> None:
    """Write a rule with the dependencies of `target`. Raises FileError, and UsageError as `require_listable` does.

    Each source is also a target without a recipe, so that make does not fail if a source was deleted.
    """
    sources = list(sources)
    require_listable(path, [target, *sources])
    names = [_escaped(source) for source in dict.fromkeys(sources)]
    lines = [f"{_escaped(target)}: \\", *(f"  {name} \\" for name in names[:-1]), *(f"  {name}" for name in names[-1:])]
    lines += [f"\n{name}:" for name in names]
    write_atomically(path, ("\n".join(lines) + "\n").encode("utf-8", "surrogateescape"))


def recorded_sources(path: Path | None, folder: Path) -> list[Path]:
    """Return the sources in the depfile that an earlier call wrote for a result in `folder`; none without one."""
    target = recorded_target(path)
    if path is None or target is None or not target.is_relative_to(folder):
        return []
    lines = _lines(path)[1:]
    return [_unescaped(line.strip().removesuffix(" \\")) for line in lines if line.startswith("  ")]


def recorded_target(path: Path | None) -> Path | None:
    """Return the result in the depfile that an earlier call wrote; None without one. Raises FileError."""
    first = next(iter(_lines(path)), "") if path is not None and path.is_file() else ""
    return _unescaped(first.removesuffix(": \\")) if first else None


def _lines(path: Path) -> list[str]:
    return read(path).decode("utf-8", "surrogateescape").splitlines()


def signing_sources(identity: IdentityOptions, signature: SignatureOptions, chosen: ResolvedProfile) -> list[Path]:
    """Return the files that a signature depends on besides the driver: key, certificates, profile file."""
    named = [identity.pfx, identity.cert, identity.key, *(signature.cross_cert or ())]
    if identity.is_test:
        named.append(existing_folder(identity.certs) / "code-signing.cer")
    scheme, _, rest = (identity.identity or "").partition(":")
    if scheme in ("pfx", "file"):
        path, _, query = rest.partition("?")
        named.append(Path(unquote(path)))
        named += [Path(unquote(part[5:])) for part in query.split("&") if part.startswith("cert=")]
    if chosen.profile is not None:
        named.append(chosen.profile.source)
    return [path for path in named if path is not None]


def _unescaped(text: str) -> Path:
    return Path(re.sub(r"\\([ #:])", r"\1", text).replace("$$", "$"))


def _escaped(path: Path) -> str:
    """Escape a path for a makefile, with `/` between folders."""
    text = str(path).replace(os.sep, "/")
    return text.replace("$", "$$").replace("#", "\\#").replace(" ", "\\ ").replace(":", "\\:" if os.sep == "/" else ":")
