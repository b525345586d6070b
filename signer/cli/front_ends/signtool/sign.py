"""`signtool sign`."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from signer.cli.front_ends.lines import complain, say
from signer.cli.front_ends.program import Done, password_descriptor, run
from signer.cli.front_ends.signtool.certificate import Chosen, choose
from signer.cli.front_ends.signtool.report import UNREACHABLE, fail, finish, is_of_authority, targets, warn
from signer.cli.front_ends.signtool.timestamp import digest, timestamp_options
from signer.cli.front_ends.switches import ParsedSwitches
from signer.cli.front_ends.words import local
from signer.errors import SignerError, UsageError

PAGE_HASHES_VARIABLE = "SIGNTOOL_PAGE_HASHES"
_NO_DIGEST = "No file digest algorithm specified. Please specify the digest algorithm with the /fd flag."
_SHOWN = "SignTool Warning: other users can read the password of /p in the list of processes."


def sign(given: ParsedSwitches) -> int:
    """Sign files and print SignTool's lines; return the exit code, 2 if a file has no timestamp. Raises SignerError."""
    if "fd" not in given:
        raise UsageError(_NO_DIGEST, hint="Write /fd SHA256.")
    _require_valid(given)
    names, chosen = targets(given), choose(given)
    if "p" in given:
        complain(_SHOWN)
    if "v" in given:
        say(chosen.facts())
    stamping = timestamp_options(given, chosen.digest)
    options = ["--keep-going", *_options(given, chosen)]
    if "q" not in given:
        say("Done Adding Additional Store")
    code = 0
    results: dict[str, dict[str, Any]] = {}
    unstamped: list[dict[str, Any]] = []
    for more, group in _groups(given, names):
        done = _run(given, [*options, *more, *stamping, "--", *group])
        warn(done)
        late = [file for file in done.files if file["error"] and is_of_authority(file)]
        again = _run(given, [*options, *more, "--", *(file["path"] for file in late)]).files if late else []
        results |= {file["path"]: file for file in (*done.files, *again)}
        code, unstamped = code or done.code, [*unstamped, *late]
    return _report(given, code, list(results.values()), unstamped)


def _require_valid(given: ParsedSwitches) -> None:
    """Raise UsageError for values that no certificate makes valid, in SignTool's order."""
    if "uw" in given and "u" in given:
        raise UsageError("You cannot use the /u option twice.", hint="Remove /uw.")
    digest(given.last("fd") or "", "sha256")
    timestamp_options(given, "sha256")


def _groups(given: ParsedSwitches, names: Sequence[str]) -> list[tuple[list[str], list[str]]]:
    """Return drvsign's options for /as with the files to sign so: SignTool appends nothing to an unsigned file."""
    unsigned = [name for name in names if "as" not in given or _is_unsigned(Path(name))]
    signed = [name for name in names if name not in unsigned]
    return [(more, group) for more, group in (([], unsigned), (["--append"], signed)) if group]


def _is_unsigned(path: Path) -> bool:
    """Tell whether a file has no signature; False for one that can't be read, which signing reports."""
    from signer.operations.signatures import is_signed
    from signer.storage.files import mapped

    try:
        with mapped(path) as data:
            return not is_signed(data)
    except SignerError:
        return False


def _options(given: ParsedSwitches, chosen: Chosen) -> list[str]:
    """Return drvsign's options for the switches about the signature. Raises UsageError."""
    options = [*chosen.options, "--digest", digest(given.last("fd") or "", chosen.digest)]
    options += [word for one in given.all("ac") for word in ("--cross-cert", local(one))]
    for switch, option in (("d", "--description"), ("du", "--url")):
        if switch in given:
            options += [option, given.last(switch) or ""]
    by_default = os.environ.get(PAGE_HASHES_VARIABLE) == "1" and "nph" not in given
    options += ["--no-page-hashes"] * ("nph" in given)
    return options + ["--page-hashes"] * ("ph" in given or by_default)


def _run(given: ParsedSwitches, words: Sequence[str]) -> Done:
    """Run drvsign sign with the password of /p, or with an empty one: SignTool asks for none."""
    with contextlib.ExitStack() as stack:
        secret = stack.enter_context(password_descriptor(given.last("p") or "")) if "p" in given else None
        return run("sign", [*(["--password-fd", str(secret)] if secret is not None else []), *words])


def _report(
    given: ParsedSwitches, code: int, results: Sequence[dict[str, Any]], unstamped: Sequence[dict[str, Any]]
) -> int:
    failed = 0
    reasons = {file["path"]: file["error"]["message"] for file in unstamped}
    warned = []
    for file in results:
        path, error = file["path"], file["error"]
        if error:
            failed += 1
            fail(file, "sign")
        elif path in reasons:
            warned.append(path)
            complain(f"SignTool Error: {UNREACHABLE}\n\t{reasons[path]}")
            complain(
                f"SignTool Warning: Signing succeeded, but an error occurred while attempting to\n\ttimestamp: {path}"
            )
        elif "q" not in given:
            say(f"Successfully signed: {path}")
    failed = failed or int(code != 0 and not unstamped)
    return finish(given, "Signed", len(results) - failed, warned, failed)
