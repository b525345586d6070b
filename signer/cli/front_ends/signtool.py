"""`drvsign --as signtool`: sign, timestamp and verify. Source: "SignTool" (win32, SecCrypto/signtool.md)."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence

from signer.cli.front_ends.lines import complain, say
from signer.cli.front_ends.program import Done, password_descriptor, run
from signer.cli.front_ends.switches import ParsedSwitches, Switch, parse
from signer.errors import UsageError

_STORE = "drvsign does not read Windows' certificate store: name the key with /f FILE.pfx, or use drvsign sign."
_IDENTITY = "Use the key through drvsign: drvsign sign --identity URI FILE."
_DIGESTS = "Use drvsign sign --detached-request and drvsign attach."
_PKCS7 = "drvsign signs files in their own format; for a signature beside the file: drvsign sign --detached."
_GONE = "SignTool does not support it either."
_DATABASE = "Catalog databases exist on Windows only: name the catalog with /c FILE."
_PAGE = "Use drvsign verify, which always checks it."
_GLOBAL = {"q": Switch(), "v": Switch(), "debug": Switch()}

SIGN = {
    "a": Switch(ignored="the certificate is that of /f"),
    "ac": Switch("value"),
    "as": Switch(),
    "c": Switch("value", refused=_STORE),
    "csp": Switch("value", refused=_IDENTITY),
    "d": Switch("value"),
    "dg": Switch("value", refused=_DIGESTS),
    "di": Switch("value", refused=_DIGESTS),
    "dlib": Switch("value", refused=_IDENTITY),
    "dmdf": Switch("value", refused=_IDENTITY),
    "ds": Switch(refused=_DIGESTS),
    "du": Switch("value"),
    "dxml": Switch(refused=_DIGESTS),
    "f": Switch("value"),
    "fd": Switch("value"),
    "i": Switch("value", refused=_STORE),
    "j": Switch("value", refused=_GONE),
    "jp": Switch("value", refused=_GONE),
    "kc": Switch("value", refused=_IDENTITY),
    "n": Switch("value", refused=_STORE),
    "nph": Switch(),
    "p": Switch("value"),
    "p7": Switch("value", refused=_PKCS7),
    "p7ce": Switch("value", refused=_PKCS7),
    "p7co": Switch("value", refused=_PKCS7),
    "ph": Switch(),
    "r": Switch("value", refused=_STORE),
    "s": Switch("value", refused=_STORE),
    "sha1": Switch("value", refused=_STORE),
    "sm": Switch(refused=_STORE),
    "snk": Switch("value", refused=_GONE),
    "sncsp": Switch("value", refused=_GONE),
    "snkc": Switch("value", refused=_GONE),
    "snks": Switch("value", refused=_GONE),
    "t": Switch("value"),
    "td": Switch("value"),
    "tr": Switch("value"),
    "u": Switch("value", ignored="it selects a certificate of a store"),
    "uw": Switch(ignored="it selects a certificate of a store"),
    **_GLOBAL,
}
TIMESTAMP = {
    "t": Switch("value"),
    "td": Switch("value"),
    "tr": Switch("value"),
    "tp": Switch("value", refused="drvsign timestamp stamps every signature that has no timestamp."),
    "p7": Switch(refused=_PKCS7),
    **_GLOBAL,
}
VERIFY = {
    "a": Switch(ignored="signatures and the catalogs of /c are checked anyway"),
    "ad": Switch(refused=_DATABASE),
    "as": Switch(refused=_DATABASE),
    "ag": Switch("value", refused=_DATABASE),
    "all": Switch(ignored="every signature is checked"),
    "c": Switch("value"),
    "d": Switch(refused="Use drvsign inspect."),
    "ds": Switch("value", refused=_PAGE),
    "hash": Switch("value", ignored="a catalog is searched by every digest"),
    "kp": Switch(),
    "ms": Switch(ignored="every signature is checked"),
    "o": Switch("value", refused="Use drvsign verify --target NAME."),
    "p7": Switch(refused=_PKCS7),
    "pa": Switch(),
    "pg": Switch("value", refused="Use drvsign verify --policy NAME."),
    "ph": Switch(ignored="page hashes are always checked"),
    "r": Switch("value", refused="Use drvsign verify --root FILE."),
    "tw": Switch(ignored="a missing timestamp is always reported"),
    **_GLOBAL,
}
COMMANDS: Mapping[str, Mapping[str, Switch]] = {"sign": SIGN, "timestamp": TIMESTAMP, "verify": VERIFY}
REFUSED = {
    "catdb": "Catalog databases exist on Windows only.",
    "remove": "Use drvsign strip.",
}
"""The commands that drvsign does not support, and why."""


def signtool(words: Sequence[str]) -> int:
    """Run a command of SignTool and print its lines; return its exit code: 0, or 1 for an error. Raises SignerError."""
    name = words[0].lower() if words else ""
    if name in REFUSED:
        raise UsageError(f"{name} is not supported", hint=REFUSED[name])
    if name not in COMMANDS:
        raise UsageError("a command is missing", hint=f"Use {', '.join(COMMANDS)}.")
    given = parse(COMMANDS[name], words[1:])
    if not given.operands:
        raise UsageError("no file is named", hint="Name the files after the switches.")
    for sentence in given.ignored:
        complain(f"SignTool Warning: {sentence}")
    run_command: dict[str, Callable[[ParsedSwitches], int]] = {
        "sign": _sign,
        "timestamp": _timestamp,
        "verify": _verify,
    }
    return run_command[name](given)


def _sign(given: ParsedSwitches) -> int:
    if "f" not in given:
        raise UsageError("no key is named", hint=_STORE)
    if "fd" not in given:
        raise UsageError("no file digest algorithm specified", hint="Write /fd SHA256.")
    arguments = ["sign", *given.operands, "--pfx", given.last("f") or ""]
    arguments += ["--digest", (given.last("fd") or "").lower(), *_timestamp_options(given)]
    arguments += [word for one in given.values.get("ac", ()) for word in ("--cross-cert", one)]
    for switch, option in (("d", "--description"), ("du", "--url")):
        if switch in given:
            arguments += [option, given.last(switch) or ""]
    for switch, option in (("as", "--append"), ("ph", "--page-hashes"), ("nph", "--no-page-hashes")):
        arguments += [option] * (switch in given)
    with contextlib.ExitStack() as stack:
        password = given.last("p")
        if password is not None:
            complain("SignTool Warning: other users can read the password of /p in the list of processes")
            arguments += ["--password-fd", str(stack.enter_context(password_descriptor(password)))]
        if "q" not in given:
            say("Done Adding Additional Store")
        return _report(given, run(arguments), "signed", {"signed"})


def _timestamp(given: ParsedSwitches) -> int:
    options = _timestamp_options(given)
    if not options:
        raise UsageError("no authority is named", hint="Write /tr URL /td SHA256.")
    return _report(given, run(["timestamp", *given.operands, *options]), "timestamped", {"timestamped"})


def _timestamp_options(given: ParsedSwitches) -> list[str]:
    """Return drvsign's options for /tr, /td and /t. Raises UsageError for /tr without /td, which SignTool requires."""
    if "t" in given and "tr" in given:
        raise UsageError("/t and /tr can't be combined", hint="Remove /t.")
    if "t" in given:
        return ["--legacy-timestamp", given.last("t") or ""]
    if "tr" not in given:
        return []
    if "td" not in given:
        raise UsageError("no timestamp digest algorithm specified", hint="Write /td SHA256 after /tr.")
    return ["--timestamp", given.last("tr") or "", "--timestamp-digest", (given.last("td") or "").lower()]


def _verify(given: ParsedSwitches) -> int:
    policy = "kernel" if "kp" in given else "authenticode" if "pa" in given else "pnp"
    arguments = ["verify", *given.operands, "--policy", policy]
    arguments += [word for one in given.values.get("c", ()) for word in ("--catalog", one)]
    done = run(arguments)
    failed = 0
    for file in done.files:
        if any(target["verdict"] != "accepted" for target in file["targets"]) or not file["targets"]:
            failed += 1
            reasons = [one["message"] for one in file["findings"] if one["severity"] == "error"]
            complain(f"SignTool Error: {_named(file['path'], '; '.join(reasons) or 'not verified')}")
        elif "q" not in given:
            say(f"Successfully verified: {file['path']}")
    _summarize(given, "Verified", len(done.files) - failed, failed)
    return 1 if done.code or failed else 0


def _report(given: ParsedSwitches, done: Done, word: str, good: set[str]) -> int:
    """Print the line of each file, as SignTool does, and return its exit code."""
    failed = sum(file["action"] not in good for file in done.files)
    for file in done.files:
        if file["action"] in good and "q" not in given:
            say(f"Successfully {word}: {file['path']}")
        elif file["error"]:
            complain(f"SignTool Error: {_named(file['path'], file['error']['message'])}")
    _summarize(given, word.capitalize(), len(done.files) - failed, failed)
    return 1 if done.code or failed else 0


def _named(path: str, message: str) -> str:
    """Return a message with the path of its file, unless it begins with the path."""
    return message if message.startswith(path) else f"{path}: {message}"


def _summarize(given: ParsedSwitches, word: str, good: int, failed: int) -> None:
    if "v" in given:
        say(f"\nNumber of files successfully {word}: {good}\nNumber of warnings: 0\nNumber of errors: {failed}")
