"""`signtool verify`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from signer.cli.front_ends.lines import complain, say
from signer.cli.front_ends.program import run
from signer.cli.front_ends.signtool.report import finish, targets
from signer.cli.front_ends.switches import ParsedSwitches
from signer.cli.front_ends.words import local
from signer.errors import UsageError

_POLICIES = {
    "{F750E6C3-38EE-11D1-85E5-00C04FC295EE}": "pnp",
    "{00AAC56B-CD44-11D0-8CC2-00C04FC295EE}": "authenticode",
}
"""Policies by ActionID: DRIVER_ACTION_VERIFY and WINTRUST_ACTION_GENERIC_VERIFY_V2 (softpub.h)."""
_TEST_SIGNED = "For a file with a test signature: drvsign verify FILE --test-machine"


def verify(given: ParsedSwitches) -> int:
    """Verify files and print SignTool's lines; return the exit code, 2 for a warning. Raises SignerError."""
    arguments = ["--policy", _policy(given)]
    arguments += [word for one in given.all("c") for word in ("--catalog", local(one))]
    done = run("verify", [*arguments, "--", *targets(given)])
    for sentence in done.warnings:
        complain(f"SignTool Warning: {sentence}")
    failed, warned = 0, []
    for file in done.files:
        reasons = list(_reasons(given, file))
        if "v" in given:
            _show(given, file)
        if reasons:
            failed += 1
            _complain(file, reasons)
            continue
        if "tw" in given and not any(one["timestamp"] for one in file["signatures"]):
            warned.append(file["path"])
            complain(f"SignTool Warning: File is not timestamped: {file['path']}")
        if "q" not in given:
            say(f"Successfully verified: {file['path']}")
    failed = failed or int(done.code != 0)
    return finish(given, "Verified", len(done.files) - failed, warned, failed)


def _policy(given: ParsedSwitches) -> str:
    if "pg" in given:
        found = _POLICIES.get((given.last("pg") or "").upper())
        if found is None:
            raise UsageError(
                f"Invalid GUID format: {given.last('pg')}", hint=f"Known policies: {', '.join(_POLICIES)}."
            )
        return found
    return "kernel" if "kp" in given else "authenticode" if "pa" in given else "pnp"


def _reasons(given: ParsedSwitches, file: dict[str, Any]) -> Iterator[str]:
    """Yield why SignTool would not verify a file."""
    if any(target["verdict"] != "accepted" for target in file["targets"]) or not file["targets"]:
        found = [one["message"] for one in file["findings"] if one["severity"] == "error"]
        yield from found or ["not verified"]
    chains = [one["chain"] for one in file["signatures"]]
    roots = [chain[-1]["subject"].casefold() for chain in chains if chain]
    if "r" in given and not any((given.last("r") or "").casefold() in root for root in roots):
        yield "Signing Cert does not chain to the specified Root Cert."
    signers = {one["signer"]["sha1"].lower() for one in file["signatures"]}
    if "sha1" in given and not signers & _lower(given, "sha1"):
        yield "The signing certificate does not have a specified SHA1 hash."
    if "ca" in given and not {one["sha1"].lower() for chain in chains for one in chain[1:]} & _lower(given, "ca"):
        yield "No intermediate CA with a specified thumbprint was found."


def _lower(given: ParsedSwitches, name: str) -> set[str]:
    return {one.lower() for one in given.all(name)}


def _complain(file: dict[str, Any], reasons: list[str]) -> None:
    path = file["path"]
    if not file["signatures"]:
        complain("SignTool Error: No signature found.")
    for reason in reasons:
        complain(f"SignTool Error: {reason if reason.startswith(path) else f'{path}: {reason}'}")
    if any(one["class"] in ("test", "self-signed") for one in file["signatures"]):
        complain(f"\t{_TEST_SIGNED}")


def _show(given: ParsedSwitches, file: dict[str, Any]) -> None:
    """Print the signatures of a file and their chains."""
    say(f"\nVerifying: {file['path']}\n")
    for one in file["signatures"]:
        say(f"Signature Index: {one['index']}{' (Primary Signature)' if not one['index'] else ''}")
        if one["catalog"]:
            say(f"File is signed in catalog: {one['catalog']}")
        if "d" in given:
            say(f"Description: {one['program_name'] or ''}\nDescription URL: {one['url'] or ''}")
        say("\nSigning Certificate Chain:")
        for depth, certificate in enumerate(reversed(one["chain"])):
            indent = "    " * (depth + 1)
            say(f"{indent}Issued to: {certificate['subject']}\n{indent}SHA1 hash: {certificate['sha1'].upper()}\n")
        stamp = one["timestamp"]
        say(f"The signature is timestamped: {stamp['time']}" if stamp else "File is not timestamped.")
