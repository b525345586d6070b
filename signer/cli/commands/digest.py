"""`drvsign digest`: print the digests that signatures and catalogs contain."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from signer.cli.option_groups import command, examples
from signer.cli.options.common import Jobs, PageHashes, Paths
from signer.cli.output import Output
from signer.cli.paths import expand
from signer.cli.reading import finish_reading, read_each
from signer.errors import SignerError, UsageError
from signer.formats.detect import detect, kind
from signer.records import dataclass
from signer.storage.files import mapped

if TYPE_CHECKING:
    from signer.algorithms import DigestAlgorithm
    from signer.pe.digest import PageHashes as PageTable

app = typer.Typer(add_completion=False)


@dataclass(frozen=True, slots=True)
class Digests:
    """The digests of one file."""

    path: Path
    kind: str = "file"
    digests: dict[DigestAlgorithm, bytes] | None = None
    pages: tuple[PageTable, ...] = ()
    error: SignerError | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the file's entry in the document `drvsign.digests/1`."""
        return {
            "path": str(self.path),
            "kind": self.kind,
            "digests": {str(algorithm): digest.hex() for algorithm, digest in (self.digests or {}).items()},
            "page_hashes": {str(table.algorithm): _rows(table) for table in self.pages},
            "error": self.error.as_json() if self.error else None,
        }


@app.command(epilog=examples("drvsign digest toaster.sys", "drvsign digest driver/ --digest sha256 --json"))
@command
def digest(
    output: Output,
    paths: Paths,
    algorithms: Annotated[
        list[str] | None,
        typer.Option(
            "--digest", metavar="ALG", help="sha1, sha256, sha384, sha512, md5; can be repeated. Default: sha1, sha256."
        ),
    ] = None,
    page_hashes: PageHashes = False,
    jobs: Jobs = 0,
) -> None:
    """Print the digests that signatures and catalogs contain.

    For images and cabinets the digest excludes the signature, and for an unsigned cabinet it includes the header
    fields that a signature adds; for catalogs it covers the trust list; for other files it covers all bytes. Page
    hashes are the ones that a signature with page hashes contains.
    """
    from signer.algorithms import DigestAlgorithm

    wanted = [DigestAlgorithm.named(name) for name in algorithms or ["sha1", "sha256"]]
    if page_hashes and not {"sha1", "sha256"} & {algorithm.label for algorithm in wanted}:
        raise UsageError("page hashes are SHA-1 or SHA-256", hint="Add --digest sha256.", field="--digest")
    files = expand(paths, lambda _: True, "files", missing_ok=True)
    found = read_each(
        output,
        files,
        lambda path: _digest_file(path, wanted, page_hashes),
        lambda path, error: Digests(path, error=error),
        lambda one: _print(output, one),
        jobs=jobs,
        doing="hashing",
    )
    if output.json:
        output.document({"schema": "drvsign.digests/1", "files": [one.as_json() for one in found]})
    finish_reading(output, found, "hashed")


def _digest_file(path: Path, algorithms: list[DigestAlgorithm], page_hashes: bool) -> Digests:
    from signer.operations.digest import hashes

    with mapped(path) as data:
        found = hashes(data, algorithms, page_hashes=page_hashes)
        called = kind(detect(data), path.suffix)
    return Digests(path, called, found.digests, tuple(found.pages.values()))


def _print(output: Output, one: Digests) -> None:
    for algorithm, value in (one.digests or {}).items():
        output.print(f"{algorithm!s:<6}  {value.hex()}  {one.path}")
    for table in one.pages:
        output.print(f"{table.algorithm} of the pages of {one.path}, by their offsets in the file:")
        for row in _rows(table):
            output.print(f"  {row['offset']:#010x}  {row['digest']}")


def _rows(table: PageTable) -> list[dict[str, Any]]:
    width = 4 + table.algorithm.size
    rows = (table.table[start : start + width] for start in range(0, len(table.table), width))
    return [{"offset": int.from_bytes(row[:4], "little"), "digest": row[4:].hex()} for row in rows]
