"""`signtool timestamp`, and the options for timestamps of `signtool sign`."""

from __future__ import annotations

from signer.cli.front_ends.lines import say
from signer.cli.front_ends.program import run
from signer.cli.front_ends.signtool.report import fail, finish, targets, warn
from signer.cli.front_ends.switches import ParsedSwitches
from signer.errors import UsageError

_NO_DIGEST = "No file timestamp algorithm specified. Please specify the timestamp algorithm with the /td flag."


def timestamp(given: ParsedSwitches) -> int:
    """Add timestamps to the signatures of files, in place of those that they have. Raises SignerError."""
    options = timestamp_options(given, cert_hash=None)
    if not options:
        raise UsageError("A required parameter is missing.", hint="Write /tr URL /td SHA256.")
    index = given.last("tp")
    if index is not None and not (index.isascii() and index.isdigit() and int(index)):
        raise UsageError("Invalid index selected for timestamping.", hint="The first appended signature is /tp 1.")
    replacing = ["--replace"] * (index is None)
    done = run("timestamp", ["--keep-going", *replacing, *options, "--", *targets(given)])
    warn(done)
    failed = [file for file in done.files if file["error"]]
    for file in done.files:
        if file["error"]:
            fail(file, "timestamp")
        elif "q" not in given:
            say(f"Successfully timestamped: {file['path']}")
    return finish(given, "timestamped", len(done.files) - len(failed), (), len(failed) or int(done.code != 0))


def timestamp_options(given: ParsedSwitches, cert_hash: str | None) -> list[str]:
    """Return drvsign's options for /tr, /td and /t; `cert_hash` is the digest for `/td certHash`.

    Raises UsageError for /tr without /td, which SignTool requires.
    """
    if "t" in given:
        return ["--legacy-timestamp", _url(given, "t")]
    if "tr" not in given:
        return []
    if "td" not in given:
        raise UsageError(_NO_DIGEST, hint="Write /td SHA256 after /tr.")
    return ["--timestamp", _url(given, "tr"), "--timestamp-digest", digest(given.last("td") or "", cert_hash)]


def digest(name: str, cert_hash: str | None) -> str:
    """Return drvsign's name of a digest; `cert_hash` for certHash. Raises UsageError."""
    found = cert_hash if name.lower() == "certhash" else name.lower()
    if found not in ("sha1", "sha256", "sha384", "sha512"):
        raise UsageError(
            "The specified algorithm cannot be used or is invalid.", hint="Use SHA256, SHA384, SHA512 or SHA1."
        )
    return found


def _url(given: ParsedSwitches, name: str) -> str:
    url = given.last(name) or ""
    if not url.lower().startswith(("http://", "https://")):
        raise UsageError(f"Invalid Timestamp URL: {url}", hint="Write a URL that begins with http:// or https://.")
    return url
