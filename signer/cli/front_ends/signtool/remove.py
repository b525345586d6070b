"""`signtool remove`: remove signatures, or what is not signed in them."""

from __future__ import annotations

from pathlib import Path

from signer.cli.front_ends.lines import complain, say
from signer.cli.front_ends.signtool.report import finish, targets
from signer.cli.front_ends.switches import ParsedSwitches
from signer.errors import SignerError, UsageError, unexpected_as_internal
from signer.storage.patching import Patched, change_atomically


def remove(given: ParsedSwitches) -> int:
    """Remove the signatures of files, or parts of them; return the exit code. Raises UsageError."""
    if not {"s", "c", "u"} & set(given.values):
        raise UsageError("A required parameter is missing.", hint='The option "/c" and/or "/u", or "/s" is required.')
    failed = 0
    names = targets(given)
    for name in names:
        try:
            with unexpected_as_internal():
                _remove(Path(name), given)
        except SignerError as error:
            failed += 1
            complain(f"SignTool Error: {error.at(name)}")
            if error.hint:
                complain(f"\t{error.hint}")
            continue
        if "q" not in given:
            say(f"Successfully committed changes to the file: {name}")
    return finish(given, "processed", len(names) - failed, (), failed)


def _remove(path: Path, given: ParsedSwitches) -> None:
    """Change one file. Raises SignerError, also for one that is not signed."""
    from signer.operations.signatures import reduced, without_signatures

    def changed(data: memoryview) -> Patched:
        if "s" in given:
            return Patched(without_signatures(data))
        return Patched(reduced(data, certificates="c" in given, unsigned="u" in given))

    if change_atomically(path, path, changed).changes is None:
        raise SignerError("the file is not signed", path=path, hint="Nothing was changed.")
