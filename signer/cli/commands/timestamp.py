"""`drvsign timestamp`: add timestamps to existing signatures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from signer.cli.option_groups import command, examples
from signer.cli.options.certs import CertsDir, require_authority
from signer.cli.options.common import Jobs, KeepGoing, Paths, workers
from signer.cli.options.destinations import Destination
from signer.cli.options.identity import IdentityOptions
from signer.cli.options.timestamp import TimestampOptions
from signer.cli.output import Output
from signer.cli.paths import expand_relative, require_existing
from signer.cli.results import attempt, finish_told, left_result, teller
from signer.cli.signing import prepare_for
from signer.cli.waiting import in_threads_waiting
from signer.formats.detect import is_signable
from signer.reports.file_results import FileResult
from signer.storage.patching import Patched, change_atomically

if TYPE_CHECKING:
    from signer.operations.ownership import Ownership
    from signer.pkcs7.timestamping import TimestamperSelector

app = typer.Typer(add_completion=False)


@app.command(
    epilog=examples(
        "drvsign timestamp toaster.sys --timestamp http://timestamp.digicert.com",
        "drvsign timestamp build --timestamp http://tsa.example/ --timestamp http://other.example/tsa",
    )
)
@command
def timestamp(
    output: Output,
    paths: Paths,
    authorities: TimestampOptions,
    destination: Destination,
    replace: Annotated[bool, typer.Option("--replace", help="Replace existing timestamps.")] = False,
    certs: CertsDir = None,
    keep_going: KeepGoing = False,
    jobs: Jobs = 0,
) -> None:
    """Add timestamps to signatures, so that they stay valid after the certificate expires.

    Every signature without a timestamp gets one, nested signatures included. The signatures themselves do not
    change.
    """
    choose = authorities.selector(output)
    if not keep_going:
        require_existing(paths)
    files = expand_relative(paths, is_signable, "signed files", missing_ok=True)
    targets = destination.of(files, output)
    prepare_for(targets)
    certs = require_authority(certs)
    known = IdentityOptions(certs=certs).known_authorities() if destination != Destination() else None
    destination.create_folders(targets)

    def work(path: Path) -> FileResult:
        return attempt(path, lambda: timestamp_file(path, targets[path], choose, replace, known))

    found = in_threads_waiting(work, list(targets), workers(jobs, len(targets)), left_result)
    done = output.told_each(found, teller(output), len(targets), "timestamping")
    finish_told(output, dict(zip(targets, done, strict=False)), list(targets), "timestamped")


def timestamp_file(
    source: Path, target: Path, choose: TimestamperSelector, replace: bool, known: Ownership | None
) -> FileResult:
    """Add timestamps to the signatures of one file. Raises SignerError.

    `known` are the authorities whose signed files a copy may replace.
    """
    from signer.operations.ownership import require_replaceable_copy
    from signer.operations.timestamp import timestamp as add_timestamps

    if known is not None:
        require_replaceable_copy(source, target, known)
    added = 0

    def stamped(data: memoryview) -> Patched:
        nonlocal added
        changes, added = add_timestamps(data, choose, replace=replace)
        return Patched(changes)

    change_atomically(source, target, stamped)
    if not added:
        return FileResult(target, "skipped", note="already timestamped")
    return FileResult(target, "timestamped", note="" if added == 1 else f"{added} signatures")
